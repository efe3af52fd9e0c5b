// Signing in, and what a session is worth: through the router, as a browser would.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { route } from "../../src/http/router.ts";
import { createHost } from "../../src/push-host.ts";
import { call } from "./api-client.ts";

const OWNER = "unit-test-token";
const host = createHost(env);

interface Visit {
  readonly origin?: string;
  readonly cookie?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function visit(path: string, { origin = "http://localhost", cookie, form, headers }: Visit = {}) {
  const context = createExecutionContext();
  const request = new Request(`${origin}${path}`, {
    headers: { accept: "text/html", ...(cookie === undefined ? {} : { cookie }), ...headers },
    ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) }),
  });
  const response = await route(request, host, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, headers: response.headers, text };
}

function cookieOf(headers: Headers): string {
  return headers.get("set-cookie")?.split(";", 1)[0] ?? "";
}

async function signIn(token = OWNER): Promise<string> {
  const { status, headers } = await visit("/sign-in", { form: { token } });
  expect(status).toBe(303);
  return cookieOf(headers);
}

function formTokenIn(page: string): string {
  return /name="form" value="([0-9a-f]{64})"/.exec(page)?.[1] ?? "";
}

async function makeToken(body: unknown): Promise<{ id: string; token: string }> {
  return (await call("POST", "/tokens", { body })).json();
}

async function makeLink(token = OWNER): Promise<string> {
  const { url } = await (await call("POST", "/sign-in-links", { token })).json<{ url: string }>();
  expect(url).not.toContain(token);
  return new URL(url).pathname;
}

describe("signing in", () => {
  it("keeps the cookie from scripts and from other sites, and never holds the token", async () => {
    const local = (await visit("/sign-in", { form: { token: OWNER } })).headers.get("set-cookie") ?? "";
    expect(local).toMatch(/^slipway=[0-9a-f.]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    expect(local).not.toContain(OWNER);
    const { headers } = await visit("/sign-in", { origin: "https://ship.example", form: { token: OWNER } });
    expect(headers.get("set-cookie")).toMatch(/^__Host-slipway=.*; HttpOnly; Secure; SameSite=Strict$/);
  });

  it.each(["", "wrong", "with space", "slp_0000000000000000_" + "0".repeat(48), "\u{1F511}"])(
    "refuses the token %j",
    async (token) => {
      const { status, headers, text } = await visit("/sign-in", { form: { token } });
      expect({ status, cookie: headers.get("set-cookie") }).toEqual({ status: 401, cookie: null });
      expect(text).toContain("not a token of this host");
    },
  );

  it("goes on to a page of this host only", async () => {
    for (const [next, expected] of [
      ["/apps/hello?done=redeploy", "/apps/hello?done=redeploy"],
      ["https://elsewhere.example/", "/apps"],
      ["//elsewhere.example/", "/apps"],
      ["/\\elsewhere.example/", "/apps"],
    ]) {
      const { headers } = await visit("/sign-in", { form: { token: OWNER, next: next ?? "" } });
      expect(headers.get("location"), next).toBe(`/sign-in/done?next=${encodeURIComponent(expected ?? "")}`);
    }
  });

  it("is refused from a page of another origin", async () => {
    const headers = { origin: "http://hello.localhost" };
    expect((await visit("/sign-in", { form: { token: OWNER }, headers })).status).toBe(403);
  });

  it("tells a browser that dropped the cookie why", async () => {
    expect((await visit("/sign-in/done?next=/apps")).text).toContain("did not keep the session");
  });
});

describe("a session", () => {
  it("opens the dashboard and nothing else", async () => {
    const cookie = await signIn();
    expect((await visit("/apps", { cookie })).status).toBe(200);
    expect((await visit("/api/v1/apps", { cookie })).status).toBe(401);
    expect((await visit("/no-app.git/info/refs?service=git-receive-pack", { cookie })).status).toBe(401);
  });

  it("is asked for, and leads back", async () => {
    const { status, headers } = await visit("/apps/hello?before=3");
    expect({ status, to: headers.get("location") }).toEqual({
      status: 303,
      to: `/sign-in?next=${encodeURIComponent("/apps/hello?before=3")}`,
    });
    expect((await visit("/apps", { cookie: "slipway=0123456789abcdef." + "0".repeat(48) })).status).toBe(303);
  });

  it("ends for good when it is signed out of", async () => {
    const cookie = await signIn();
    const form = { form: formTokenIn((await visit("/apps", { cookie })).text) };
    expect((await visit("/sign-out", { cookie, form })).status).toBe(303);
    expect((await visit("/apps", { cookie })).status).toBe(303);
  });

  it("ends with the token that it was opened with", async () => {
    const { id, token } = await makeToken({ name: "brief", access: "host" });
    const cookie = await signIn(token);
    expect((await visit("/apps", { cookie })).status).toBe(200);
    await call("DELETE", `/tokens/${id}`);
    expect((await visit("/apps", { cookie })).status).toBe(303);
  });

  it("may do what its token may", async () => {
    const { token } = await makeToken({ name: "reader", app: "session-app", access: "read" });
    const cookie = await signIn(token);
    const page = await visit("/apps", { cookie });
    const form = { form: formTokenIn(page.text), name: "session-app", template: "" };
    expect((await visit("/apps", { cookie, form })).text).toContain("It may not do this.");
    expect((await visit("/activity", { cookie })).status).toBe(403);
    expect((await visit("/apps/another-app", { cookie })).status).toBe(403);
  });
});

describe("a form", () => {
  it("is refused without the session's own token, or from another origin", async () => {
    const cookie = await signIn();
    const another = formTokenIn((await visit("/apps", { cookie: await signIn() })).text);
    const mine = formTokenIn((await visit("/apps", { cookie })).text);
    const send = (form: string, headers: Record<string, string> = {}) =>
      visit("/apps", { cookie, form: { form, name: "form-app", template: "" }, headers });
    expect((await send("")).status).toBe(403);
    expect((await send(another)).status).toBe(403);
    expect((await send(mine, { origin: "http://hello.localhost" })).status).toBe(403);
    expect((await send(mine, { "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await call("GET", "/apps/form-app")).status).toBe(404);
    expect((await send(mine, { origin: "http://localhost", "sec-fetch-site": "same-origin" })).status).toBe(303);
    expect((await call("GET", "/apps/form-app")).status).toBe(200);
  });
});

describe("a sign-in link", () => {
  it("signs in once", async () => {
    const path = await makeLink();
    const { status, headers } = await visit(path);
    expect(status).toBe(303);
    expect((await visit("/apps", { cookie: cookieOf(headers) })).status).toBe(200);
    const again = await visit(path);
    expect({ status: again.status, cookie: again.headers.get("set-cookie") }).toEqual({ status: 401, cookie: null });
  });

  it("signs in as the token that asked for it", async () => {
    const { token } = await makeToken({ name: "linker", app: "session-app", access: "read" });
    const cookie = cookieOf((await visit(await makeLink(token))).headers);
    const page = await visit("/apps", { cookie });
    expect(page.text).toContain(">linker<");
    expect((await visit("/tokens", { cookie })).status).toBe(403);
  });

  it("is no session, and a session no link", async () => {
    const link = (await makeLink()).split("/").at(-1) ?? "";
    expect((await visit("/apps", { cookie: `slipway=${link}` })).status).toBe(303);
    const session = (await signIn()).split("=")[1] ?? "";
    expect((await visit(`/sign-in/${session}`)).status).toBe(401);
  });
});

describe("the first page", () => {
  it("is plain text for curl and HTML for a browser", async () => {
    const plain = await visit("/", { headers: { accept: "*/*" } });
    expect(plain.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(plain.text).toContain("git clone http://x:TOKEN@localhost/new/counter/hello.git");
    const page = await visit("/");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; style-src/);
    expect(page.text).not.toMatch(/<script(?! src="\/_dashboard\/)|<style|\sstyle=|\son\w+=/);
    for (const [, path] of page.text.matchAll(/(?:src|href)="(\/_dashboard\/[^"]+)"/g)) {
      const file = await visit(path ?? "");
      expect(file.headers.get("cache-control")).toContain("immutable");
      expect(file.text.length).toBeGreaterThan(1000);
    }
  });
});
