import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openHostedApp } from "../../src/app/hosted-app.ts";
import { prune } from "../../src/app/pruning.ts";
import { sweep } from "../../src/app/sweeping.ts";
import { PRUNE_AFTER_MS, SWEEP_AFTER_MS } from "../../src/app/upkeep-limits.ts";
import { blobIdOf } from "../../src/repo/asset-upload.ts";
import { AssetWriter } from "../../src/store/asset-objects.ts";
import type { AssetFile, AssetServing } from "../../src/store/assets.ts";
import { appSource, commitRehearsed, IMPORTS, MAIN, makeCode, supervisorOf, visit } from "./deployment.ts";

const SERVING: AssetServing = {
  binding: "ASSETS",
  htmlHandling: "auto-trailing-slash",
  notFoundHandling: "none",
  runWorkerFirst: false,
  servesNavigations: true,
  headers: [],
  redirects: [],
};

type Files = Readonly<Record<string, string | Uint8Array>>;

/** An app that says what it was asked for. */
const ECHO = appSource(`    return new Response("app " + request.method + " " + new URL(request.url).pathname);`);

/** Writes contents and manifest as a push does; returns the assets ID. */
async function putAssets(app: string, files: Files, serving: Partial<AssetServing> = {}): Promise<string> {
  const { repositoryId } = await supervisorOf(app).openForPush();
  const writer = new AssetWriter({ bucket: env.BUCKET, repositoryId });
  const listed: AssetFile[] = [];
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    // oxlint-disable-next-line no-await-in-loop -- the writer takes one at a time
    const place = await writer.add(bytes);
    listed.push({
      ...place,
      path,
      blobId: blobIdOf(bytes),
      sizeBytes: bytes.byteLength,
      isHashed: path.includes("-hash"),
    });
  }
  const assetsId = crypto.randomUUID();
  const newObjectIds = await writer.end();
  const manifest = { assetsId, serving: { ...SERVING, ...serving }, files: listed, newObjectIds };
  expect(await supervisorOf(app).putAssets(manifest)).toBe(true);
  return assetsId;
}

/** A whole deploy with assets. Its number. */
async function deploy(app: string, files: Files, serving: Partial<AssetServing> = {}, source = ECHO): Promise<number> {
  const assetsId = await putAssets(app, files, serving);
  const code = makeCode(source);
  const { refs } = await supervisorOf(app).openForPush();
  const rehearsal = await supervisorOf(app).rehearse({ code, varsJson: "{}", assetsId });
  if (rehearsal.kind === "failed") throw new Error(rehearsal.reason);
  const oldId = refs.find(({ name }) => name === MAIN)?.id;
  const { deploy: made } = await commitRehearsed(app, code.codeId, { oldId, assetsId });
  if (made === undefined) throw new Error("The commit made no deploy.");
  await supervisorOf(app).cutOver(made.number);
  return made.number;
}

/** Status, and the text or where it leads. */
async function get(app: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<string> {
  const response = await visit(app, path, { headers, method, redirect: "manual" });
  const text = await response.text();
  return `${response.status} ${response.headers.get("location") ?? text}`.trim();
}

const headersOf = async (app: string, path: string): Promise<(string | null)[]> => {
  const response = await visit(app, path);
  await response.arrayBuffer();
  return ["content-type", "content-length", "cache-control"].map((name) => response.headers.get(name));
};

const random = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";
const ETAG = `"${blobIdOf(new TextEncoder().encode(ALPHABET))}"`;

describe("the answer of a file", () => {
  it("has type, length, ETag and what caches may do", async () => {
    await deploy("types", {
      "/a.txt": ALPHABET,
      "/b.png": "png",
      "/c": "c",
      "/d-hash.js": "d",
      "/e.json": "{}",
      "/empty.css": "",
    });
    const checked = "public, max-age=0, must-revalidate";
    expect(await headersOf("types", "/a.txt")).toEqual(["text/plain; charset=utf-8", "26", checked]);
    expect(await headersOf("types", "/b.png")).toEqual(["image/png", "3", checked]);
    expect(await headersOf("types", "/c")).toEqual([null, "1", checked]);
    expect(await headersOf("types", "/d-hash.js")).toEqual([
      "text/javascript; charset=utf-8",
      "1",
      "public, max-age=31536000, immutable",
    ]);
    expect(await headersOf("types", "/e.json")).toEqual(["application/json", "2", checked]);
    expect(await headersOf("types", "/empty.css")).toEqual(["text/css; charset=utf-8", "0", checked]);
    expect((await visit("types", "/a.txt")).headers.get("etag")).toBe(ETAG);
  });

  it("is 304, 206, 416 or whole, as the request asks", async () => {
    await deploy("ranges", { "/a.txt": ALPHABET, "/empty": "" });
    const cases: readonly [Record<string, string>, string, string | null][] = [
      [{ "if-none-match": ETAG }, "304", null],
      [{ "if-none-match": `"x", W/${ETAG}` }, "304", null],
      [{ "if-none-match": "*" }, "304", null],
      [{ "if-none-match": `"x"` }, `200 ${ALPHABET}`, null],
      [{ range: "bytes=0-3" }, "206 abcd", "bytes 0-3/26"],
      [{ range: "bytes=23-" }, "206 xyz", "bytes 23-25/26"],
      [{ range: "bytes=-2" }, "206 yz", "bytes 24-25/26"],
      [{ range: "bytes=-100" }, `206 ${ALPHABET}`, "bytes 0-25/26"],
      [{ range: "bytes=20-100" }, "206 uvwxyz", "bytes 20-25/26"],
      [{ range: "bytes=26-" }, "416", "bytes */26"],
      [{ range: "bytes=-0" }, "416", "bytes */26"],
      [{ range: "bytes=3-1" }, `200 ${ALPHABET}`, null],
      [{ range: "bytes=0-1,3-4" }, `200 ${ALPHABET}`, null],
      [{ range: "lines=0-1" }, `200 ${ALPHABET}`, null],
      [{ range: "bytes=-" }, `200 ${ALPHABET}`, null],
      [{ range: "bytes=0-0", "if-range": ETAG }, "206 a", "bytes 0-0/26"],
      [{ range: "bytes=0-0", "if-range": `"x"` }, `200 ${ALPHABET}`, null],
      [{ range: "bytes=0-0", "if-range": `W/${ETAG}` }, `200 ${ALPHABET}`, null],
      [{ range: "bytes=0-0", "if-none-match": ETAG }, "304", null],
    ];
    for (const [headers, expected, contentRange] of cases) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, to see which fails
      const response = await visit("ranges", "/a.txt", { headers });
      // oxlint-disable-next-line no-await-in-loop -- the same
      const seen = `${response.status} ${await response.text()}`.trim();
      expect([headers, seen, response.headers.get("content-range")]).toEqual([headers, expected, contentRange]);
    }
    expect(await get("ranges", "/empty", { range: "bytes=0-0" })).toBe("416");
    expect(await get("ranges", "/empty")).toBe("200");
  });

  it("is headers alone for HEAD, and 405 for other methods where there is a file", async () => {
    await deploy("methods", { "/a.txt": ALPHABET });
    const head = await visit("methods", "/a.txt", { method: "HEAD", headers: { range: "bytes=0-1" } });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "26", ""]);
    const post = await visit("methods", "/a.txt", { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await get("methods", "/other", {}, "POST")).toBe("200 app POST /other");
  });

  it("is the content, byte for byte, small ones in one object and large ones in their own", async () => {
    const files = {
      "/small": random(1000),
      "/large": random(3_000_000),
      "/middle": random(700_000),
      "/last": random(1),
    };
    await deploy("binary", files);
    for (const [path, bytes] of Object.entries(files)) {
      // oxlint-disable-next-line no-await-in-loop -- one in memory at a time
      const got = new Uint8Array(await (await visit("binary", path)).arrayBuffer());
      expect([path, Buffer.compare(got, bytes)]).toEqual([path, 0]);
    }
    const { repositoryId } = await supervisorOf("binary").openForPush();
    expect((await env.BUCKET.list({ prefix: `assets/${repositoryId}/` })).objects.length).toBe(2);
  });
});

const exact = (from: string, to: string, status: number) => ({ from, to, status, isStatic: true });
const dynamic = (from: string, to: string, status: number) => ({ from, to, status, isStatic: false });

describe("who answers", () => {
  it("is the file, else the app, which sees nothing of paths that have files", async () => {
    await deploy("order", { "/index.html": "home", "/api/static": "file" });
    expect(await get("order", "/")).toBe("200 home");
    expect(await get("order", "/index.html?a=1")).toBe("307 /?a=1");
    expect(await get("order", "/api/static")).toBe("200 file");
    expect(await get("order", "/api/other")).toBe("200 app GET /api/other");
    expect(await get("order", "/", { upgrade: "something" })).toBe("200 app GET /");
  });

  it("is the app first where run_worker_first says so", async () => {
    await deploy("first", { "/index.html": "home" }, { runWorkerFirst: true });
    expect(await get("first", "/")).toBe("200 app GET /");
    await deploy(
      "first",
      { "/a/b.txt": "b", "/a/c/d.txt": "d", "/e.txt": "e" },
      { runWorkerFirst: ["/a/*", "/*.x", "!/a/c/*"] },
    );
    expect(await get("first", "/a/b.txt")).toBe("200 app GET /a/b.txt");
    expect(await get("first", "/a/c/d.txt")).toBe("200 d");
    expect(await get("first", "/e.txt")).toBe("200 e");
  });

  it("is the one page of a single-page application where a browser opens a page, and the app else", async () => {
    const navigation = { "sec-fetch-mode": "navigate" };
    const files = { "/index.html": "home", "/404.html": "lost" };
    await deploy("spa", files, { notFoundHandling: "single-page-application" });
    expect(await get("spa", "/some/where", navigation)).toBe("200 home");
    expect(await get("spa", "/some/where")).toBe("200 app GET /some/where");
    await deploy("spa", files, { notFoundHandling: "404-page" });
    expect(await get("spa", "/some/where", navigation)).toBe("404 lost");
    expect(await get("spa", "/some/where")).toBe("200 app GET /some/where");
    await deploy("spa", files, { notFoundHandling: "404-page", servesNavigations: false });
    expect(await get("spa", "/some/where", navigation)).toBe("200 app GET /some/where");
  });

  it("is a redirect before a file, and another file for one with 200", async () => {
    await deploy(
      "redirected",
      { "/index.html": "home", "/a.html": "a", "/new.txt": "new" },
      {
        redirects: [
          exact("/a", "/new.txt?b=2#c", 301),
          exact("/away", "https://elsewhere.example/x", 308),
          exact("/rewritten", "/new.txt", 200),
          exact("/nothing", "/nowhere", 200),
          dynamic("/go/*", "/:splat", 302),
          dynamic("/blog/:year-post/:id", "/posts/:id/:year", 303),
          dynamic("/users/*", "/a", 200),
        ],
      },
    );
    expect(await get("redirected", "/a?q=1")).toBe("301 /new.txt?b=2#c");
    expect(await get("redirected", "/away?q=1")).toBe("308 https://elsewhere.example/x?q=1");
    expect(await get("redirected", "/rewritten")).toBe("200 new");
    expect(await get("redirected", "/nothing")).toBe("404");
    expect(await get("redirected", "/blog/2020-post/7")).toBe("303 /posts/7/2020");
    expect(await get("redirected", "/blog/2020-post/7/8")).toBe("200 app GET /blog/2020-post/7/8");
    expect(await get("redirected", "/users/me")).toBe("200 a");
    expect(await get("redirected", "/go/x/y?z=1")).toBe("302 /x/y?z=1");
    for (const path of ["/go//evil.example", "/go/\\evil.example", "/go/%2F%2Fevil.example", "/go/%5Cevil.example"]) {
      // oxlint-disable-next-line no-await-in-loop -- few
      const [, location = ""] = (await get("redirected", path)).split(" ");
      expect(new URL(location, "http://redirected.localhost").host).toBe("redirected.localhost");
    }
  });

  it("adds and takes away headers as _headers says, but none of the host's own", async () => {
    await deploy(
      "headed",
      { "/a/b.txt": "b", "/c.txt": "c" },
      {
        headers: [
          {
            from: "/*",
            set: [
              ["x-one", "1"],
              ["slipway-error", "app-failed"],
            ],
            unset: [],
          },
          {
            from: "/a/:name.txt",
            set: [
              ["x-one", "2"],
              ["x-name", ":name"],
              ["cache-control", "no-store"],
            ],
            unset: ["etag"],
          },
          { from: "https://:app.localhost/c.txt", set: [["x-app", ":app"]], unset: [] },
          { from: "https://elsewhere.example/*", set: [["x-else", "1"]], unset: [] },
        ],
      },
    );
    const b = (await visit("headed", "/a/b.txt")).headers;
    expect(["x-one", "x-name", "cache-control", "etag", "slipway-error", "x-else"].map((name) => b.get(name))).toEqual([
      "1, 2",
      "b",
      "no-store",
      null,
      null,
      null,
    ]);
    expect((await visit("headed", "/c.txt")).headers.get("x-app")).toBe("headed");
  });
});

describe("env.ASSETS", () => {
  const SOURCE = `${IMPORTS}export class App extends DurableObject {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/names") return Response.json(Object.keys(this.env).sort());
    return this.env.FILES.fetch(new Request("https://any.example" + pathname.replace("/via", ""), request));
  }
}`;

  it("answers the app with everything but run_worker_first", async () => {
    const serving = { binding: "FILES", notFoundHandling: "404-page", runWorkerFirst: true } as const;
    await deploy("bound", { "/a.txt": ALPHABET, "/404.html": "lost" }, serving, SOURCE);
    expect(await get("bound", "/names")).toContain(`"FILES"`);
    expect(await get("bound", "/via/a.txt", { range: "bytes=0-2" })).toBe("206 abc");
    expect(await get("bound", "/via/a.txt", { "if-none-match": ETAG })).toBe("304");
    expect(await get("bound", "/via/x")).toBe("404 lost");
    expect(await get("bound", "/via/a.txt", {}, "DELETE")).toBe("405");
  });

  it("is there in a constructor, also while it is rehearsed", async () => {
    const source = `${IMPORTS}export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => { this.text = await (await env.ASSETS.fetch("https://x.example/a.txt")).text(); });
  }
  fetch() { return new Response(this.text); }
}`;
    await deploy("constructed", { "/a.txt": "from the constructor" }, {}, source);
    expect(await get("constructed", "/")).toBe("200 from the constructor");
  });
});

describe("a deploy's assets", () => {
  it("are those of the version that is live, also after a rollback and a start from nothing", async () => {
    await deploy("moves", { "/a.txt": "one", "/old.txt": "old" });
    const first = (await supervisorOf("moves").describe())?.live;
    await deploy("moves", { "/a.txt": "two" });
    expect(await get("moves", "/a.txt")).toBe("200 two");
    expect(await get("moves", "/old.txt")).toBe("200 app GET /old.txt");
    if (first === undefined) throw new Error("Nothing was live.");
    const { refs } = await supervisorOf("moves").openForPush();
    const back = await commitRehearsed("moves", first.codeId, { oldId: refs[0]?.id, assetsId: first.assetsId });
    await supervisorOf("moves").cutOver(back.deploy?.number ?? 0);
    expect(await get("moves", "/a.txt")).toBe("200 one");
    await evictDurableObject(supervisorOf("moves"));
    expect(await get("moves", "/old.txt")).toBe("200 old");
  });

  it("are found by the next push, so that they are not written again", async () => {
    await deploy("known", { "/a.txt": "a", "/b.txt": "b" });
    const live = (await supervisorOf("known").describe())?.live;
    const ids = ["a", "b", "c"].map((text) => blobIdOf(new TextEncoder().encode(text)));
    const found = await supervisorOf("known").findAssets("another", ids);
    expect([found.hasManifest, [...found.places.keys()].toSorted()]).toEqual([false, ids.slice(0, 2).toSorted()]);
    expect((await supervisorOf("known").findAssets(live?.assetsId ?? "", ids)).hasManifest).toBe(true);
  });

  it("are refused where an object is gone that they name", async () => {
    await supervisorOf("gone").openForPush();
    const blobId = blobIdOf(new Uint8Array());
    const file = { path: "/a", blobId, sizeBytes: 0, isHashed: false, objectId: "gone", offset: 0 };
    const manifest = { assetsId: "x", serving: SERVING, files: [file], newObjectIds: [] };
    expect(await supervisorOf("gone").putAssets(manifest)).toBe(false);
    expect((await supervisorOf("gone").findAssets("x", [])).hasManifest).toBe(false);
  });

  it("go when no deploy came to name them, and stay when one did", async () => {
    const app = "swept";
    await deploy(app, { "/a.txt": "stays" });
    await putAssets(app, { "/b.txt": "goes" });
    const { repositoryId } = await supervisorOf(app).openForPush();
    const count = async () => (await env.BUCKET.list({ prefix: `assets/${repositoryId}/` })).objects.length;
    const later = (task: typeof sweep, aheadMs: number) =>
      runInDurableObject(supervisorOf(app), (_, ctx) =>
        task({ ...openHostedApp(ctx, env), now: () => Date.now() + aheadMs }),
      );
    await later(prune, PRUNE_AFTER_MS / 2);
    await later(sweep, SWEEP_AFTER_MS * 2);
    expect(await count()).toBe(2);
    await later(prune, PRUNE_AFTER_MS + 1000);
    await later(sweep, SWEEP_AFTER_MS / 2);
    expect(await count()).toBe(2);
    await later(sweep, SWEEP_AFTER_MS + 1000);
    expect(await count()).toBe(1);
    expect(await get(app, "/a.txt")).toBe("200 stays");
    await supervisorOf(app).destroy();
    expect(await count()).toBe(0);
  });
});

describe("a site of 20,000 files", () => {
  it("is stored in rows below 2 MB and looked up in memory", async () => {
    const app = "large";
    const { repositoryId } = await supervisorOf(app).openForPush();
    const writer = new AssetWriter({ bucket: env.BUCKET, repositoryId });
    const { objectId, offset } = await writer.add(new TextEncoder().encode(ALPHABET));
    const newObjectIds = await writer.end();
    const files = Array.from({ length: 20_000 }, (_, n): AssetFile => {
      const blobId = blobIdOf(new TextEncoder().encode(`content ${n}`));
      return { path: `/some/folder/file-${n}.txt`, blobId, sizeBytes: 26, isHashed: false, objectId, offset };
    });
    expect(await supervisorOf(app).putAssets({ assetsId: "large", serving: SERVING, files, newObjectIds })).toBe(true);
    const code = makeCode(ECHO);
    await supervisorOf(app).rehearse({ code, varsJson: "{}", assetsId: "large" });
    const { deploy: made } = await commitRehearsed(app, code.codeId, { assetsId: "large" });
    await supervisorOf(app).cutOver(made?.number ?? 0);
    expect(await get(app, "/some/folder/file-19999.txt")).toBe(`200 ${ALPHABET}`);
    const ids = files.map(({ blobId }) => blobId);
    expect((await supervisorOf(app).findAssets("next", ids)).places.size).toBe(20_000);
  });
});
