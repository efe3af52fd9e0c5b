// The files of a deploy's commit by the API, and by the tools that are made of it.
import { beforeAll, describe, expect, it } from "vitest";
import { readOutcome } from "../../src/http/agents/tool-result.ts";
import { call, codeOf } from "./api-client.ts";

const APP = "filed";
const SOURCE = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch() { return new Response("hello"); }
}
`;
const BYTES = Uint8Array.from({ length: 256 }, (_, at) => at);
const LIMIT_BYTES = 1024 * 1024;

async function commit(files: Record<string, unknown>): Promise<number> {
  const response = await call("POST", `/apps/${APP}/commits`, { body: { files, message: "Change files" } });
  const report = await response.json<{ deploy: number }>();
  expect(response.status, JSON.stringify(report)).toBe(200);
  return report.deploy;
}

function read(path: string, deploy = 1): Promise<Response> {
  return call("GET", `/apps/${APP}/deploys/${deploy}/file?path=${encodeURIComponent(path)}`);
}

beforeAll(async () => {
  await commit({
    "src/index.js": SOURCE,
    "bin/all.bytes": { base64: Buffer.from(BYTES).toString("base64") },
    "run.sh": { text: "#!/bin/sh\n", executable: true },
    "a b/ü?#%.txt": "odd",
    "empty.txt": "",
    "most.txt": "m".repeat(LIMIT_BYTES),
    "large.txt": "l".repeat(LIMIT_BYTES + 1),
  });
  await commit({ "src/index.js": `${SOURCE}// two\n`, "empty.txt": null });
});

describe("the files of a deploy", () => {
  it("are listed by path, with their sizes", async () => {
    const listed = await call("GET", `/apps/${APP}/deploys/1/files`);
    expect(await listed.json()).toMatchObject({
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      count: 7,
      files: [
        { path: "a b/ü?#%.txt", mode: "file", bytes: 3 },
        { path: "bin/all.bytes", mode: "file", bytes: 256 },
        { path: "empty.txt", mode: "file", bytes: 0 },
        { path: "large.txt", bytes: LIMIT_BYTES + 1 },
        { path: "most.txt", bytes: LIMIT_BYTES },
        { path: "run.sh", mode: "executable", bytes: 10 },
        { path: "src/index.js", mode: "file", bytes: SOURCE.length },
      ],
    });
    const { files } = await (await call("GET", `/apps/${APP}/deploys/2/files`)).json<{ files: { path: string }[] }>();
    expect(files.map(({ path }) => path)).not.toContain("empty.txt");
  });

  it("are read as they were then, as bytes that no browser shows", async () => {
    const now = await read("src/index.js", 2);
    expect(await now.text()).toBe(`${SOURCE}// two\n`);
    expect(await (await read("src/index.js")).text()).toBe(SOURCE);
    expect(await (await read("a b/ü?#%.txt")).text()).toBe("odd");
    expect(await (await read("empty.txt")).text()).toBe("");
    expect((await (await read("most.txt")).arrayBuffer()).byteLength).toBe(LIMIT_BYTES);
    const binary = await read("bin/all.bytes");
    expect(Object.fromEntries(binary.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment",
      "x-content-type-options": "nosniff",
    });
    expect(new Uint8Array(await binary.arrayBuffer())).toEqual(BYTES);
  });

  it.each([
    "no-such-file",
    "src",
    "src/",
    "./src/index.js",
    "/src/index.js",
    "src//index.js",
    "../src/index.js",
    "src/../src/index.js",
    "../../../../etc/passwd",
    "/etc/passwd",
    ".git/config",
    "src/index.js\0",
    String.raw`src\index.js`,
    "__proto__",
    "SRC/INDEX.JS",
  ])("have none at the path %j", async (path) => {
    expect(await codeOf(await read(path))).toBe("not-found");
  });

  it.each([
    ["no path", "/1/file", "invalid-request"],
    ["an empty path", "/1/file?path=", "invalid-request"],
    ["a path that is too long", `/1/file?path=${"a".repeat(4097)}`, "invalid-request"],
    ["a file that is for git", "/1/file?path=large.txt", "object-too-large"],
    ["no number", "/one/files", "invalid-request"],
    ["the deploy 0", "/0/files", "invalid-request"],
    ["a deploy to come", "/99/files", "not-found"],
    ["a file of a deploy to come", "/99/file?path=run.sh", "not-found"],
  ])("are refused for %s", async (_name, path, code) => {
    expect(await codeOf(await call("GET", `/apps/${APP}/deploys${path}`))).toBe(code);
  });

  it("are refused for an app that is not there", async () => {
    expect(await codeOf(await call("GET", "/apps/not-filed/deploys/1/files"))).toBe("not-found");
  });

  it("are not kept of a commit that did not build", async () => {
    const body = { files: { "src/index.js": "export class App {" }, message: "Break it" };
    const failed = await call("POST", `/apps/${APP}/commits`, { body });
    expect(failed.status).toBe(422);
    expect(await codeOf(await call("GET", `/apps/${APP}/deploys/3/files`))).toBe("not-found");
  });

  it("are gone from the history with their deploy", async () => {
    expect((await call("PATCH", `/apps/${APP}/retention`, { body: { keptDeploys: 1, keptSnapshots: 1 } })).status).toBe(
      200,
    );
    const deploy = await commit({ "more.txt": "more" });
    await expect
      .poll(async () => (await call("GET", `/apps/${APP}/deploys/1/files`)).status, { timeout: 10_000 })
      .toBe(404);
    expect(await codeOf(await read("run.sh"))).toBe("not-found");
    expect(await (await read("run.sh", deploy)).text()).toBe("#!/bin/sh\n");
  });
});

describe("a tool that reads a file", () => {
  it("answers text as text, and what is none as base64", async () => {
    expect(await readOutcome(await read("run.sh", 4))).toMatchObject({
      content: [{ type: "text", text: "#!/bin/sh\n" }],
      structuredContent: { text: "#!/bin/sh\n" },
    });
    expect(await readOutcome(await read("bin/all.bytes", 4))).toMatchObject({
      content: [{ type: "text", text: expect.stringContaining("256 bytes") }],
      structuredContent: { base64: Buffer.from(BYTES).toString("base64") },
    });
  });
});
