// Static assets with the real git client against the real host: what is pushed is served, byte for byte, with the deploy that has it.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callApi, request, startHost, type Host } from "./host.ts";
import { commit, git, makeRepository, tryGit } from "./git.ts";

let host: Host;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await host.stop();
});

const APP = `
import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/via/")) return this.env.ASSETS.fetch(new Request("https://x" + pathname.slice(4), request));
    return new Response("app " + pathname);
  }
}
`;

/** An app whose code and asset both say its version, and whose code can say both. */
const versionFiles = (version: string) => ({
  "src/index.ts": `
import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/both") return new Response("${version} " + pathname);
    return new Response("${version}+" + (await (await this.env.ASSETS.fetch("https://x/version.txt")).text()));
  }
}
`,
  "public/version.txt": version,
});

async function push(repository: string, app: string, refspec = "main") {
  const result = await tryGit(repository, ["push", "--force", host.gitUrl(`${app}.git`), refspec]);
  const lines = result.stderr.split("\n").flatMap((line) => /^remote: ?(.*?)\s*$/.exec(line)?.[1] ?? []);
  return { ...result, remote: lines.join("\n").trim() };
}

const get = (app: string, path: string, headers: Record<string, string> = {}) =>
  request(`${host.appUrl(app)}${path.slice(1)}`, { headers });

async function download(app: string, path: string): Promise<Buffer> {
  const { hostname, port } = new URL(host.appUrl(app));
  const sent = httpRequest({ host: "127.0.0.1", port, path, headers: { host: `${hostname}:${port}` } });
  sent.end();
  const [response] = await once(sent, "response");
  return buffer(response);
}

describe("static assets", () => {
  it("are served as they were pushed, and only what is new is written", async () => {
    const large = randomBytes(6_000_000);
    const small = randomBytes(5000);
    const repository = await makeRepository({
      "src/index.ts": APP,
      "public/index.html": "<h1>home</h1>",
      "public/large.bin": large,
      "public/ümläut/small.png": small,
    });
    const first = await push(repository, "site");
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.remote).toContain("assets    3 files, 3 new, 6.0 MB uploaded");
    expect((await get("site", "/")).text).toContain("<h1>home</h1>");
    expect((await download("site", "/large.bin")).equals(large)).toBe(true);
    expect((await download("site", "/via/large.bin")).equals(large)).toBe(true);
    expect((await download("site", `/${encodeURIComponent("ümläut")}/small.png`)).equals(small)).toBe(true);
    expect((await get("site", "/elsewhere")).text).toBe("app /elsewhere");

    const whole = await get("site", "/large.bin");
    const again = await get("site", "/large.bin", { "if-none-match": whole.headers.etag ?? "" });
    expect([again.status, again.text]).toEqual([304, ""]);
    const part = await get("site", "/large.bin", { range: "bytes=1000000-1000009" });
    expect([part.status, part.headers["content-range"]]).toEqual([206, "bytes 1000000-1000009/6000000"]);

    await commit(repository, { "public/more.txt": "more", "public/index.html": "<h1>new</h1>" }, "More");
    expect((await push(repository, "site")).remote).toContain("assets    4 files, 2 new, 16 B uploaded");
    await commit(repository, { "src/index.ts": `${APP}// the same\n` }, "Code only");
    expect((await push(repository, "site")).remote).toContain("assets    4 files, none new");
    await commit(repository, { "public/large.bin": undefined }, "Less");
    expect((await push(repository, "site")).remote).toContain("assets    3 files, none new");
    expect((await get("site", "/large.bin")).text).toBe("app /large.bin");

    await git(repository, "push", "--force", host.gitUrl("site.git"), "main~3:main");
    expect((await download("site", "/large.bin")).equals(large)).toBe(true);
    expect((await get("site", "/")).text).toContain("<h1>home</h1>");
    expect((await callApi(host, "DELETE", "/apps/site")).status).toBeLessThan(300);
    expect((await get("site", "/")).status).toBe(404);
  });

  it("change with the code, in one moment for every visitor", async () => {
    const repository = await makeRepository(versionFiles("one"));
    await push(repository, "atomic");
    await commit(repository, versionFiles("two"), "Two");
    const seen = new Set<string>();
    const over = new AbortController();
    const paths = ["/version.txt", "/code", "/both"];
    const visiting = Array.from({ length: 9 }, async (_, visitor) => {
      while (!over.signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- a visitor asks one thing after another
        const { status, text } = await get("atomic", paths[visitor % paths.length] ?? "");
        seen.add(`${status} ${text}`);
      }
    });
    // What a push says is live is what the next request gets.
    const forward = await push(repository, "atomic");
    expect([(await get("atomic", "/version.txt")).text, (await get("atomic", "/both")).text]).toEqual([
      "two",
      "two+two",
    ]);
    const back = await push(repository, "atomic", "main~1:main");
    expect([(await get("atomic", "/version.txt")).text, (await get("atomic", "/both")).text]).toEqual([
      "one",
      "one+one",
    ]);
    over.abort();
    await Promise.all(visiting);
    expect([forward.code, back.code]).toEqual([0, 0]);
    const each = ["one", "two"].flatMap((version) => [
      `200 ${version}`,
      `200 ${version}+${version}`,
      `200 ${version} /code`,
    ]);
    expect([...seen].toSorted()).toEqual(each.toSorted());
  });

  it("make an app without code", async () => {
    const repository = await makeRepository({
      "wrangler.jsonc": `{ "assets": { "directory": "dist", "not_found_handling": "single-page-application" }, "compatibility_date": "2026-11-02" }`,
      "dist/index.html": "<div id=app></div>",
      "dist/_headers": "/*\n  X-From: headers\n",
      "dist/_redirects": "/old /new 301\n",
    });
    const { remote, code } = await push(repository, "static-only");
    expect([code, remote]).toEqual([0, expect.stringContaining("assets only, no code")]);
    const page = await get("static-only", "/any/where");
    expect([page.status, page.headers["x-from"]]).toEqual([200, "headers"]);
    expect((await get("static-only", "/old")).headers.location).toBe("/new");
    expect((await request(`${host.appUrl("static-only")}any`, { method: "POST" })).status).toBe(405);
  });

  it("refuse what is too large or was never pushed, naming it, and change nothing", async () => {
    const repository = await makeRepository({ "src/index.ts": APP, "public/a.txt": "a" });
    await push(repository, "refusing");
    await commit(repository, { "public/big/video.mp4": Buffer.alloc(26 * 1024 * 1024 + 1) }, "Large");
    const large = await push(repository, "refusing");
    expect(large.code).toBe(1);
    expect(large.remote).toContain("public/big/video.mp4 has 26 MiB, and 25 MiB is the limit for one asset.");
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 9\n`;
    await commit(repository, { "public/big/video.mp4": undefined, "public/logo.png": pointer }, "Pointer");
    const lfs = await push(repository, "refusing");
    expect([lfs.code, lfs.remote]).toEqual([1, expect.stringContaining("public/logo.png is a Git LFS pointer")]);
    expect((await get("refusing", "/a.txt")).text).toBe("a");
  });
});
