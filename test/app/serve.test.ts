import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { appSource, commitCode, deploy, makeCode, supervisorOf, visit, visitText } from "./deployment.ts";

describe("a visitor's request", () => {
  it("passes method, headers, body, status and headers of the answer through", async () => {
    await deploy(
      "passes",
      appSource(`    const headers = new Headers({ "x-method": request.method, "x-sent": request.headers.get("x-sent") });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    return new Response((await request.text()).toUpperCase(), { status: 418, statusText: "Teapot", headers });`),
    );
    const response = await visit("passes", "/", { method: "PUT", body: "hello", headers: { "x-sent": "yes" } });
    expect([response.status, response.statusText, await response.text()]).toEqual([418, "Teapot", "HELLO"]);
    expect([response.headers.get("x-method"), response.headers.get("x-sent")]).toEqual(["PUT", "yes"]);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("comes back with or without a body, and a length that the app gives", async () => {
    await deploy(
      "lengths",
      appSource(`    if (request.method === "DELETE") return new Response(null, { status: 204 });
    if (request.url.endsWith("/empty")) return new Response("");
    if (request.url.endsWith("/whole")) return new Response("12345");
    const { readable, writable } = new FixedLengthStream(6);
    const writer = writable.getWriter();
    this.ctx.waitUntil(scheduler.wait(20).then(() => writer.write(new TextEncoder().encode("123456"))).then(() => writer.close()));
    return new Response(readable, { headers: { "content-length": "6" } });`),
    );
    expect(await visitText("lengths", "/empty")).toBe("");
    expect(await visitText("lengths", "/whole")).toBe("12345");
    const response = await visit("lengths", "/stream");
    expect([response.headers.get("content-length"), await response.text()]).toEqual(["6", "123456"]);
    expect((await visit("lengths", "/", { method: "DELETE" })).status).toBe(204);
  });

  it("is answered whole where the runtime tells the length, and fails where less comes than was told", async () => {
    const told = Object.getOwnPropertySymbols(ReadableStream.prototype).map(({ description }) => description);
    expect(told, "the runtime tells lengths no more: answers are slower").toContain("length");
    await deploy(
      "whole",
      appSource(`    const { readable, writable } = new FixedLengthStream(6);
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode("123")).then(() => request.url.endsWith("/slow")
      ? scheduler.wait(50).then(() => writer.write(new TextEncoder().encode("456"))).then(() => writer.close())
      : writer.abort(new Error("no more"))).catch(() => undefined);
    return new Response(readable);`),
    );
    expect(await visitText("whole", "/slow")).toBe("123456");
    expect((await visit("whole", "/short")).status).toBe(500);
    expect((await deploy("whole", appSource(`    return new Response("next");`))).cutover).toMatchObject({
      droppedCount: 0,
    });
  });

  it("passes large, encoded and broken bodies through", async () => {
    await deploy(
      "bodies",
      `import { gzipSync } from "node:zlib";\n` +
        appSource(`    const text = "0123456789".repeat(50_000);
    if (request.url.endsWith("/gzip")) {
      const bytes = gzipSync(text);
      const headers = { "content-encoding": "gzip", "content-length": String(bytes.byteLength) };
      return new Response(bytes, { headers, encodeBody: "manual" });
    }
    if (request.url.endsWith("/broken")) {
      return new Response(new ReadableStream({
        async pull(controller) {
          if (this.pulled) throw new Error("no more");
          this.pulled = true;
          controller.enqueue(new TextEncoder().encode("some"));
          await scheduler.wait(20);
        },
      }));
    }
    return new Response(text);`),
    );
    for (const path of ["/large", "/gzip"]) expect((await visitText("bodies", path)).length).toBe(500_000);
    await expect(visitText("bodies", "/broken")).rejects.toThrow();
    expect((await deploy("bodies", appSource(`    return new Response("next");`))).cutover).toMatchObject({
      droppedCount: 0,
    });
  });

  it("is answered with headers and first bytes before a stream goes on", async () => {
    await deploy(
      "live-stream",
      appSource(`    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const write = async () => {
      if (request.url.endsWith("/late")) await scheduler.wait(300);
      await writer.write(encoder.encode("first"));
      await scheduler.wait(300);
      await writer.write(encoder.encode("second"));
      await writer.close();
    };
    this.ctx.waitUntil(write());
    return new Response(readable, { headers: { "content-type": "application/x-ndjson" } });`),
    );
    for (const [path, headersWithinMs] of [
      ["/early", 200],
      ["/late", 200],
    ] as const) {
      const begunMs = Date.now();
      const response = await visit("live-stream", path);
      expect(Date.now() - begunMs).toBeLessThan(headersWithinMs);
      const chunks: string[] = [];
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        if (chunks.length === 0) expect(Date.now() - begunMs).toBeLessThan(path === "/early" ? 200 : 500);
        chunks.push(chunk);
      }
      expect(chunks).toEqual(["first", "second"]);
    }
  });

  it("is sent on by an app, not followed by the host", async () => {
    await deploy("redirects", appSource(`    return Response.redirect("http://elsewhere.example/there", 302);`));
    const response = await visit("redirects", "/", { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([302, "http://elsewhere.example/there"]);
  });

  it("tells a visitor nothing of what an app threw, and goes on", async () => {
    await deploy(
      "throws",
      appSource(`    if (request.url.endsWith("/throw")) throw new Error("a secret of the app");
    return new Response("fine");`),
    );
    const response = await visit("throws", "/throw");
    expect([response.status, response.headers.get("slipway-error")]).toEqual([500, "app-failed"]);
    expect(await response.text()).not.toContain("secret");
    expect(await visitText("throws")).toBe("fine");
  });

  it("goes on after an app that aborts itself", async () => {
    await deploy(
      "aborts",
      appSource(`    if (request.url.endsWith("/abort")) this.ctx.abort("enough");
    return new Response("fine");`),
    );
    expect((await visit("aborts", "/abort")).status).toBe(500);
    expect(await visitText("aborts")).toBe("fine");
  });

  it("is answered 500 by an app without fetch", async () => {
    await deploy(
      "deaf",
      `import { DurableObject } from "cloudflare:workers"; export class App extends DurableObject {}`,
    );
    expect((await visit("deaf")).headers.get("slipway-error")).toBe("app-failed");
  });

  it("is answered after the supervisor was idle for long", async () => {
    await deploy("idle", appSource(`    return new Response("here");`));
    await evictDurableObject(supervisorOf("idle"));
    expect(await visitText("idle")).toBe("here");
  });

  it("reaches fetch only: the host's calls are not to be had over HTTP", async () => {
    await deploy("doors", appSource(`    return new Response("app " + new URL(request.url).pathname);`));
    for (const path of ["/slipway:start", "/slipway:goodbye", "/report", "/end"]) {
      expect(await visitText("doors", path)).toBe(`app ${path}`);
    }
  });
});

describe("an app's answer", () => {
  it("cannot look like one of the host's own", async () => {
    await deploy(
      "forges",
      appSource(
        `    return new Response("gone", { status: 404, headers: { "slipway-error": "app-not-found", "x-own": "1" } });`,
      ),
    );
    const response = await visit("forges");
    expect([response.status, response.headers.get("slipway-error"), response.headers.get("x-own")]).toEqual([
      404,
      null,
      "1",
    ]);
    expect(await response.text()).toBe("gone");
  });

  it("comes from an isolate that no other app shares, though the code is the same", async () => {
    const source = appSource(`    globalThis.visits = (globalThis.visits ?? 0) + 1;
    return new Response(this.env.WHO + " " + globalThis.visits);`);
    for (const app of ["twin-a", "twin-b"]) {
      const { deploy: made } = await commitCode(app, makeCode(source), JSON.stringify({ WHO: app }));
      await supervisorOf(app).cutOver(made?.number ?? 0);
    }
    expect(await visitText("twin-a")).toBe("twin-a 1");
    expect(await visitText("twin-b")).toBe("twin-b 1");
    expect(await visitText("twin-a")).toBe("twin-a 2");
  });

  it("shows the variables of its own deploy, also where the code is the same", async () => {
    const source = appSource(`    return new Response(this.env.COLOUR);`);
    for (const colour of ["red", "blue"]) {
      const { deploy: made } = await commitCode("colours", makeCode(source), JSON.stringify({ COLOUR: colour }));
      await supervisorOf("colours").cutOver(made?.number ?? 0);
      expect(await visitText("colours")).toBe(colour);
    }
  });

  it("comes from an app without network and without the host's bindings", async () => {
    await deploy(
      "sealed",
      appSource(`    const seen = await fetch("http://example.com/").then(() => "reached", (error) => error.message);
    return Response.json({ seen, env: Object.keys(this.env), exports: Object.keys(this.ctx.exports ?? {}) });`),
    );
    const answer: { seen: string; env: string[]; exports: string[] } = await (await visit("sealed")).json();
    expect(answer.seen).toContain("is not on the list of hosts");
    expect(answer.env).toEqual(["SLIPWAY"]);
    expect(answer.exports).not.toContain("Supervisor");
  });
});

describe("an app's database", () => {
  it("is not the supervisor's", async () => {
    await deploy(
      "database",
      appSource(`    const rows = this.ctx.storage.sql.exec("SELECT name FROM sqlite_master").toArray();
    return Response.json(rows.map((row) => row.name));`),
    );
    expect(await (await visit("database")).json()).not.toContain("refs");
  });
});
