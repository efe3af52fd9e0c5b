// What a visitor of one app can make of the host with bytes of his own: names, targets, marks and lengths, over sockets, against the
// real Worker. The apps answer with what reached them.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callApi, request, startHost, signIn, type Answer, type Host } from "./host.ts";

const MARKUP = `<script>alert("logged")</script>`;

/** Says its own name first, then what it got. */
const ECHO = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/socket") {
      const { 0: client, 1: server } = new WebSocketPair();
      this.ctx.acceptWebSocket(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    if (url.pathname === "/sockets") return Response.json(this.ctx.getWebSockets().length);
    const eaten: unknown[] = [];
    while (url.pathname === "/eat") eaten.push(new Array(4_000_000).fill(0.5));
    if (url.pathname === "/log") console.log(${JSON.stringify(MARKUP)});
    const marks = [...request.headers.keys()].filter((name) => name.startsWith("slipway"));
    const seen = { app: this.env.SLIPWAY.app, host: url.hostname, path: url.pathname, marks, body: await request.text() };
    return Response.json(seen, { headers: { "slipway-error": "app-busy", "x-own": "1" } });
  }
  webSocketMessage(socket: WebSocket, message: string): void {
    console.log("heard", message);
    for (let sent = 0; message === "flood me" && sent < 5000; sent += 1) socket.send("x".repeat(1000));
    socket.send("heard " + message);
  }
}
`;

let host: Host;
beforeAll(async () => {
  host = await startHost();
  for (const app of ["honest", "hostile"]) {
    const files = { "src/index.ts": ECHO.replace("this.env.SLIPWAY", "(this.env as any).SLIPWAY") };
    const message = `<img src=x onerror=alert("subject")>`;
    const made = await callApi(host, "POST", `/apps/${app}/commits`, { files, message });
    expect(made.status, made.text).toBeLessThan(300);
  }
});
afterAll(() => host.stop());

/** All that comes back for these bytes, until the host closes the connection, which it may do before it has read them all. */
async function exchange(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: host.port });
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(received));
    socket.on("error", () => undefined);
    socket.setTimeout(20_000, () => {
      reject(new Error(`The connection stays open after: ${received}`));
      socket.destroy();
    });
    socket.write(bytes, "latin1");
  });
}

/** One request with exactly these lines. */
function raw(target: string, headers: readonly string[]): Promise<string> {
  return exchange([`GET ${target} HTTP/1.1`, ...headers, "Connection: close", "", ""].join("\r\n"));
}

/** Which apps answered, in order. */
function answeredBy(received: string): string[] {
  return [...received.matchAll(/"app":"([a-z]+)"/g)].map(([, app = ""]) => app);
}

/** 0: the connection was closed without an answer. */
function statusOf(received: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0);
}

describe("the host name decides", () => {
  it.each([
    ["with a port of another server", "hostile.localhost:1"],
    ["in upper case", "HOSTILE.LocalHost"],
    ["with the root's dot", "hostile.localhost."],
    ["with another as its user", "honest.localhost@hostile.localhost"],
    ["in percent signs", "%68ostile.localhost"],
    ["with a tab in front", "\thostile.localhost"],
  ])("%s", async (_, name) => {
    expect(answeredBy(await raw("/", [`Host: ${name}`]))).toEqual(["hostile"]);
  });

  it.each([
    ["the target's host", "http://honest.localhost/", []],
    ["the target's host, which is the host's own", "http://localhost/api/v1/apps", []],
    ["a path with two slashes", "//honest.localhost/", []],
    ["a path with encoded slashes", "/%2f%2fhonest.localhost/..%2f..%2fapi%2fv1", []],
    ["a path with dots", "/../../api/v1/apps", []],
    ["a path with backslashes", "/\\honest.localhost/", []],
    ["X-Forwarded-Host", "/", ["X-Forwarded-Host: honest.localhost"]],
    ["Forwarded", "/", ["Forwarded: host=honest.localhost"]],
    ["X-Original-URL", "/", ["X-Original-URL: http://honest.localhost/", "X-Rewrite-URL: /api/v1"]],
    ["a Connection header that names Host", "/", ["Connection: host, slipway-object"]],
    ["the name of a method of the host's", "/slipway:goodbye", ["X-Method: slipway:goodbye"]],
  ])("and not %s", async (_, target, headers) => {
    expect(answeredBy(await raw(target, ["Host: hostile.localhost", ...headers]))).toEqual(["hostile"]);
  });

  it.each([
    ["two of them", ["Host: hostile.localhost", "Host: honest.localhost"]],
    ["none", []],
    ["one that is two", ["Host: hostile.localhost honest.localhost"]],
    ["one below an app", ["Host: honest.hostile.localhost"]],
    ["an environment of the other that is none", ["Host: app--honest.localhost"]],
    ["a folded header", ["Host: hostile.localhost", "X: a", " slipway-object: b"]],
  ])("and no app answers to %s", async (_, headers) => {
    const received = await raw("/", headers);
    expect(statusOf(received)).toBeGreaterThanOrEqual(400);
    expect(answeredBy(received)).toEqual([]);
  });
});

describe("a request", () => {
  it("is one, whatever its lengths claim", async () => {
    const inner = "GET /smuggled HTTP/1.1\r\nHost: honest.localhost\r\n\r\n";
    const head = "POST / HTTP/1.1\r\nHost: hostile.localhost\r\nConnection: close\r\n";
    const claims = [
      `${head}Content-Length: ${inner.length}\r\n\r\n${inner}`,
      `${head}Content-Length: 4\r\nContent-Length: 0\r\n\r\n${inner}`,
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      `${head}Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n${inner}`,
      `${head}Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n${inner}`,
    ];
    for (const received of await Promise.all(claims.map((bytes) => exchange(bytes)))) {
      expect(answeredBy(received)).not.toContain("honest");
    }
  });

  it("brings no mark of the host's to an app, and its answer none to the visitor", async () => {
    const marks = ["slipway-object", "Slipway-Object", "SLIPWAY-OBJECT"].map((name) => `${name}: %7B%7D`);
    const received = await raw("/", ["Host: hostile.localhost", ...marks]);
    expect(answeredBy(received)).toEqual(["hostile"]);
    expect(received).toContain(`"marks":[]`);
    expect(received.toLowerCase()).toContain("x-own: 1");
    expect(received.toLowerCase()).not.toContain("slipway-error");
  });

  it("of any length is answered or refused, and others are answered meanwhile", async () => {
    const long = "a".repeat(100_000);
    const [target, header, other] = await Promise.all([
      raw(`/${long}`, ["Host: hostile.localhost"]),
      raw("/", ["Host: hostile.localhost", ...Array.from({ length: 40 }, (_, at) => `X-${at}: ${long}`)]),
      request(host.appUrl("honest")),
    ]);
    expect([0, 414]).toContain(statusOf(target));
    expect([0, 200, 400, 413, 431]).toContain(statusOf(header));
    expect(other.status).toBe(200);
    expect(answeredBy(await raw("/", ["Host: hostile.localhost"]))).toEqual(["hostile"]);
  });

  it("that never ends holds up nobody else", async () => {
    const sockets = Array.from({ length: 100 }, () => {
      const socket = connect({ host: "127.0.0.1", port: host.port });
      socket.on("error", () => undefined);
      socket.write("POST / HTTP/1.1\r\nHost: hostile.localhost\r\nContent-Length: 1000\r\n\r\nbegun");
      return socket;
    });
    expect(answeredBy((await request(host.appUrl("honest"))).text)).toEqual(["honest"]);
    for (const socket of sockets) socket.destroy();
  });

  it.each(["/cdn-cgi/local/explorer", "/cdn-cgi/explorer/api", "/cdn-cgi/local/platform-proxy"])(
    "finds no page of the development server at %s",
    async (path) => {
      for (const name of ["localhost", "hostile.localhost"]) {
        const status = statusOf(await raw(path, [`Host: ${name}:${host.port}`, "MF-Op: GET", "MF-Op-Target: BUCKET"]));
        expect(status).toBeGreaterThanOrEqual(400);
      }
    },
  );
});

/** An open WebSocket to the hostile app, as bytes. */
async function openRawSocket(): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: host.port });
  socket.on("error", () => undefined);
  const headers = ["Host: hostile.localhost", "Upgrade: websocket", "Connection: Upgrade"];
  const key = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
  socket.write(["GET /socket HTTP/1.1", ...headers, ...key, "", ""].join("\r\n"));
  const [head] = await once(socket, "data");
  expect(statusOf(String(head))).toBe(101);
  return socket;
}

/** A text message of under 126 bytes (RFC 6455, "Base Framing Protocol"), masked with zeros. */
function frame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 + text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

async function countDropped(app: string): Promise<number> {
  const { text } = await callApi(host, "GET", `/apps/${app}/usage`);
  return [...text.matchAll(/"droppedLogLines":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe("a flood of WebSocket messages", () => {
  it("of a visitor with 1,000 sockets is counted, and others are answered meanwhile", async () => {
    const sockets: Socket[] = [];
    for (let at = 0; at < 1000; at += 50) {
      // oxlint-disable-next-line no-await-in-loop -- as many at once as a backlog of connections takes
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, openRawSocket))));
    }
    expect((await request(`${host.appUrl("hostile")}sockets`)).text).toBe("1000");
    const message = frame("m".repeat(100));
    for (const socket of sockets) socket.write(Buffer.concat(Array.from({ length: 5 }, () => message)));
    for (let turn = 0; turn < 20; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(answeredBy((await request(host.appUrl("honest"))).text)).toEqual(["honest"]);
    }
    await expect.poll(() => countDropped("hostile"), { timeout: 60_000 }).toBeGreaterThan(1000);
    const { text } = await callApi(host, "GET", "/apps/hostile/logs?limit=1000&text=heard");
    expect(text.length).toBeLessThan(2_000_000);
    expect(await countDropped("honest")).toBe(0);
    for (const socket of sockets) socket.destroy();
    const countOpen = async (): Promise<string> => (await request(`${host.appUrl("hostile")}sockets`)).text;
    await expect.poll(countOpen, { timeout: 30_000 }).toBe("0");
  });

  it("of an app to a visitor who reads nothing holds up nobody else", async () => {
    const sockets = await Promise.all(Array.from({ length: 5 }, openRawSocket));
    for (const socket of sockets) {
      socket.pause();
      socket.write(frame("flood me"));
    }
    for (let turn = 0; turn < 20; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(answeredBy((await request(host.appUrl("honest"))).text)).toEqual(["honest"]);
    }
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => answeredBy((await request(host.appUrl("hostile"))).text)).toEqual(["hostile"]);
  });
});

describe("a page of an app", () => {
  it.each([
    ["its Origin", { origin: "http://hostile.localhost" }],
    ["a same-site request", { "sec-fetch-site": "same-site" }],
    ["a cross-site request", { "sec-fetch-site": "cross-site" }],
  ])("cannot use the owner's session, form or token, told by %s", async (_, sign) => {
    const cookie = await signIn(host);
    const page = await request(`${host.url}/apps/honest/settings`, { headers: { cookie, accept: "text/html" } });
    const formToken = /name="form" value="([0-9a-f]{64})"/.exec(page.text)?.[1] ?? "";
    expect(formToken).toHaveLength(64);
    const body = new URLSearchParams({ form: formToken, token: host.token, name: "honest" }).toString();
    const headers = { ...sign, cookie, "content-type": "application/x-www-form-urlencoded" };
    for (const path of ["/apps/honest/settings", "/apps/honest/settings/delete", "/sign-out", "/sign-in"]) {
      const { status } = await request(`${host.url}${path}`, { method: "POST", headers, body });
      expect([path, status]).toEqual([path, 403]);
    }
    const authorization = `Bearer ${host.token}`;
    for (const [method, path] of [
      ["DELETE", "/api/v1/apps/honest"],
      ["GET", "/api/v1/apps/honest/env"],
      ["GET", "/honest.git/info/refs?service=git-upload-pack"],
    ] as const) {
      const asked = await request(`${host.url}${path}`, { method, headers: { ...sign, authorization } });
      expect([path, asked.status]).toEqual([path, 403]);
    }
    const unsigned = await request(`${host.url}/api/v1/apps/honest`, { headers: { cookie } });
    expect(unsigned.status).toBe(401);
    expect((await request(`${host.url}/apps/honest`, { headers: { cookie, accept: "text/html" } })).status).toBe(200);
  });

  it("has markup in its log and its commits shown as text", async () => {
    await request(`${host.appUrl("hostile")}log`);
    const cookie = await signIn(host);
    const readLog = (): Promise<Answer> => callApi(host, "GET", "/apps/hostile/logs");
    await expect.poll(async () => (await readLog()).text, { timeout: 10_000 }).toContain("logged");
    const api = await readLog();
    expect(api.headers["content-type"]).toContain("json");
    expect(api.headers["x-content-type-options"]).toBe("nosniff");
    for (const [path, shown] of [
      ["/apps/hostile", "alert(&quot;subject&quot;)"],
      ["/apps/hostile/logs", "alert(&quot;logged&quot;)"],
      ["/apps/hostile/deploys/1", "alert(&quot;subject&quot;)"],
    ] as const) {
      const page = await request(`${host.url}${path}`, { headers: { cookie, accept: "text/html" } });
      expect(page.text).toContain(shown);
      expect(page.text).not.toContain(MARKUP);
      expect(page.text).not.toContain("<img src=x");
      expect(page.headers["content-security-policy"]).toContain("script-src 'self'");
    }
  });
});

describe("an app that takes all memory", () => {
  it("ends with its requests, and everything answers again", async () => {
    // No GET, which wrangler would send three times.
    const status = await request(`${host.appUrl("hostile")}eat`, { method: "POST" }).then(
      (answer) => answer.status,
      () => 500,
    );
    expect(status).toBe(500);
    const ask = (app: string): Promise<string[]> =>
      request(host.appUrl(app)).then(
        ({ text }) => answeredBy(text),
        () => [],
      );
    for (const app of ["honest", "hostile"]) await expect.poll(() => ask(app), { timeout: 30_000 }).toEqual([app]);
  });
});
