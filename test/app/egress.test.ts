import { describe, expect, it } from "vitest";
import { appSource, deploy, supervisorOf, visitText } from "./deployment.ts";

/** An app that fetches the URL of its query and tells what came. */
const FETCHES = appSource(`    const target = decodeURIComponent(new URL(request.url).search.slice(1));
    try {
      const method = request.headers.get("x-method") ?? "GET";
      const init = method === "GET" ? {} : { method, body: "sent" };
      const response = await fetch(target, { ...init, redirect: request.headers.get("x-redirect") ?? "follow" });
      return new Response(response.status + " " + response.headers.get("x-from") + " " + await response.text());
    } catch (error) {
      return new Response("threw " + error.message);
    }`);

function fetchFrom(app: string, target: string, headers: Record<string, string> = {}): Promise<string> {
  return supervisorOf(app)
    .fetch(`http://${app}.localhost/?${encodeURIComponent(target)}`, { headers })
    .then((response) => response.text());
}

/** An address that redirects. */
function moved(to: string): string {
  return `https://moved.egress.test/?${encodeURIComponent(to)}`;
}

describe("egress", () => {
  it("is blocked until the owner allows a host, and then at once", async () => {
    await deploy("egress-blocked", FETCHES);
    expect(await fetchFrom("egress-blocked", "https://api.egress.test/a")).toMatch(
      /^threw This request was not sent: api\.egress\.test is not on the list .* PUT \/api\/v1\/apps\/egress-blocked\/egress/,
    );
    await supervisorOf("egress-blocked").changeEgress({ allow: ["api.egress.test"] });
    expect(await fetchFrom("egress-blocked", "https://api.egress.test/a?key=secret")).toBe(
      "200 outside GET api.egress.test/a ",
    );
    await supervisorOf("egress-blocked").changeEgress({ allow: [] });
    expect(await fetchFrom("egress-blocked", "https://api.egress.test/a")).toMatch(/^threw/);
  });

  it("passes every method, body, status and header", async () => {
    await deploy("egress-passes", FETCHES);
    await supervisorOf("egress-passes").changeEgress({ allow: ["*.egress.test"] });
    const answer = await fetchFrom("egress-passes", "https://api.egress.test/teapot", { "x-method": "PUT" });
    expect(answer).toBe("418 outside PUT api.egress.test/teapot sent");
  });

  it("checks every hop of a redirect", async () => {
    await deploy("egress-redirects", FETCHES);
    await supervisorOf("egress-redirects").changeEgress({ allow: ["*.egress.test"] });
    expect(await fetchFrom("egress-redirects", moved("https://api.egress.test/b"))).toBe(
      "200 outside GET api.egress.test/b ",
    );
    expect(await fetchFrom("egress-redirects", moved("http://127.0.0.1/"))).toMatch(/^threw .*no public address/);
    expect(await fetchFrom("egress-redirects", moved("https://elsewhere.test/"))).toMatch(/^threw .*not on the list/);
    expect(await fetchFrom("egress-redirects", moved("http://127.0.0.1/"), { "x-redirect": "manual" })).toMatch(/^302/);
  });

  it("never reaches this host or a private address, whatever is allowed", async () => {
    await deploy("egress-private", FETCHES);
    await supervisorOf("egress-private").changeEgress({ allow: ["*", "localhost", "127.0.0.1"] });
    for (const target of [
      "http://localhost/healthz",
      "http://egress-passes.localhost/",
      "http://0x7f.1/",
      "http://[::1]/",
    ]) {
      expect(await fetchFrom("egress-private", target), target).toMatch(/^threw This request was not sent/);
    }
  });

  it("has no sockets but those of fetch", async () => {
    await deploy(
      "egress-sockets",
      `import { connect } from "cloudflare:sockets";\n` +
        appSource(`    try {
      const socket = connect("api.egress.test:80");
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("GET / HTTP/1.0\\r\\n\\r\\n"));
      const { value } = await socket.readable.getReader().read();
      return new Response("read " + value);
    } catch (error) {
      return new Response("threw " + error.message);
    }`),
    );
    await supervisorOf("egress-sockets").changeEgress({ allow: ["*"] });
    expect(await visitText("egress-sockets")).toMatch(/^threw /);
  });

  it("is told to the owner without query, headers or bodies", async () => {
    await deploy("egress-told", FETCHES);
    await supervisorOf("egress-told").changeEgress({ allow: ["api.egress.test"] });
    await fetchFrom("egress-told", "https://api.egress.test/told?key=secret", { "x-method": "POST" });
    await fetchFrom("egress-told", "https://other.egress.test/");
    const state = await supervisorOf("egress-told").readEgress();
    expect(state?.recent).toMatchObject([
      {
        facet: "app",
        deployNumber: 1,
        method: "GET",
        host: "other.egress.test",
        reason: expect.stringContaining("list"),
      },
      { method: "POST", host: "api.egress.test", path: "/told", status: 200, sentBytes: 4, receivedBytes: 30 },
    ]);
    expect(JSON.stringify(state)).not.toContain("secret");
  });

  it("is not there in a rehearsal", async () => {
    const source = `import { DurableObject } from "cloudflare:workers";
      export class App extends DurableObject {
        constructor(ctx, env) {
          super(ctx, env);
          ctx.blockConcurrencyWhile(async () => {
            const heard = await fetch("https://api.egress.test/").then(() => "heard", () => "silence");
            if (ctx.storage.kv.get("heard") === undefined) ctx.storage.kv.put("heard", heard);
          });
        }
        fetch() { return new Response(this.ctx.storage.kv.get("heard")); }
      }`;
    await deploy("egress-rehearsed", FETCHES);
    await supervisorOf("egress-rehearsed").changeEgress({ allow: ["*"] });
    const { cutover } = await deploy("egress-rehearsed", source);
    expect(cutover.kind).toBe("live");
    // The rehearsal's silence stayed in its copy of the data.
    expect(await visitText("egress-rehearsed")).toBe("heard");
  });
});
