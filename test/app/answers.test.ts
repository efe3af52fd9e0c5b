// What visitors see where no app answers: in the form they ask for, with nothing in it that is not theirs to know.
import { env } from "cloudflare:workers";
import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { route } from "../../src/http/router.ts";
import { createHost } from "../../src/push-host.ts";
import { appSource, deploy, supervisorOf } from "./deployment.ts";

const host = createHost(env);
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/** A request of any origin, through the Worker's own door. */
function ask(url: string, accept?: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (accept !== undefined) headers.set("accept", accept);
  return route(new Request(url, { ...init, headers }), host, createExecutionContext());
}

describe("an error that a visitor sees", () => {
  it.each([
    ["a browser", BROWSER, "text/html; charset=utf-8"],
    ["curl", "*/*", "text/plain; charset=utf-8"],
    ["nobody in particular", undefined, "text/plain; charset=utf-8"],
    ["a program", "application/json", "application/problem+json"],
    ["a program that takes pages in need", "application/json, text/html;q=0.5", "application/problem+json"],
    ["a client of only images", "image/png", "text/plain; charset=utf-8"],
    ["nonsense", ",;q=x", "text/plain; charset=utf-8"],
  ])("is for %s in its own form", async (_, accept, contentType) => {
    const response = await ask("http://nobody.localhost/", accept);
    expect([response.status, response.headers.get("content-type")]).toEqual([404, contentType]);
    expect([response.headers.get("cache-control"), response.headers.get("vary")]).toEqual(["no-store", "accept"]);
    expect(await response.text()).toContain("There is no app here.");
  });

  it("is problem details with the code for programs", async () => {
    const response = await ask("http://nobody.localhost/", "application/json");
    expect(await response.json()).toMatchObject({ type: "about:blank", status: 404, code: "app-not-found" });
  });

  it("is a page that runs nothing, asks for nothing, and has no word of the request", async () => {
    const response = await ask("http://nobody.localhost/%3Cscript%3Ealert(1)%3C/script%3E?<b>", BROWSER);
    const policy = response.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    const html = await response.text();
    expect(html).not.toMatch(/<script|<img|<link|alert|nobody|https?:/);
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    expect(policy).toContain(`'sha256-${Buffer.from(digest).toString("base64")}'`);
    expect(html).toContain("color-scheme:light dark");
  });

  it("has no body for HEAD, and the same headers", async () => {
    const [got, asked] = await Promise.all([
      ask("http://nobody.localhost/", BROWSER),
      ask("http://nobody.localhost/", BROWSER, { method: "HEAD" }),
    ]);
    expect([asked.status, await asked.text()]).toEqual([404, ""]);
    for (const name of ["content-type", "cache-control", "content-security-policy"]) {
      expect(asked.headers.get(name)).toBe(got.headers.get(name));
    }
  });

  it("tells of an app that threw neither what nor where, and points its owner to the log", async () => {
    await deploy("threw", appSource(`    throw new Error("the password is hunter2");`));
    for (const accept of [BROWSER, "application/json", "*/*"]) {
      const response = await ask("http://threw.localhost/", accept);
      expect([response.status, response.headers.get("slipway-error")]).toEqual([500, "app-failed"]);
      const text = await response.text();
      expect(text).not.toMatch(/hunter2|app\.js|\bat /);
      if (accept !== "application/json") expect(text).toContain("its log on the host says why");
    }
  });

  it("answers a WebSocket upgrade to an app that is not there or throws with its status", async () => {
    await deploy("deafened", appSource(`    throw new Error("no");`));
    const upgrade = { headers: { upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13" } };
    for (const [app, status] of [["deafened", 500] as const, ["nobody", 404] as const]) {
      const response = await ask(`http://${app}.localhost/`, undefined, upgrade);
      expect([response.status, response.webSocket]).toEqual([status, null]);
      expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    }
  });

  it("says of an app whose first deploy has not started that nothing is deployed", async () => {
    await supervisorOf("planned").createRepository({});
    const response = await ask("http://planned.localhost/", "application/json");
    expect(await response.json()).toMatchObject({ status: 404, code: "app-not-deployed" });
  });
});

describe("an error of the host itself", () => {
  it.each([
    ["an address that is not there", "GET /nowhere", 404, "not-found"],
    ["a method that an address does not take", "POST /healthz", 405, "method-not-allowed"],
    ["a repository without a token", "GET /x.git/info/refs?service=git-receive-pack", 401, "auth-required"],
  ])("for %s is in the form that is asked for", async (_, asked, status, code) => {
    const [method = "", path = ""] = asked.split(" ");
    const page = await ask(`http://localhost${path}`, BROWSER, { method });
    expect([page.status, page.headers.get("content-type")]).toEqual([status, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain(`<code>${code}</code>`);
    const problem = await ask(`http://localhost${path}`, "application/json", { method });
    expect(await problem.json()).toMatchObject({ status, code });
    const text = await ask(`http://localhost${path}`, "*/*", { method });
    expect(text.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(text.headers.get("allow")).toBe(status === 405 ? "GET, HEAD" : null);
    await text.text();
  });

  it("escapes what it quotes", async () => {
    const page = await ask("http://localhost/%3Cb%3E.git/info/refs?service=git-upload-pack", BROWSER, {
      headers: { authorization: "Bearer unit-test-token" },
    });
    expect(await page.text()).not.toContain("<b>");
  });
});
