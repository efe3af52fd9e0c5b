// What git prints where a build fails: a broken repository for each row of what a build can say, all to one app that stays live.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commit, git, makeRepository, tryGit, type Files } from "./git.ts";
import { request, startHost, type Host } from "./host.ts";

const APP = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  fetch() {
    return new Response("still here");
  }
}
`;

/** The files that break it; undefined takes one away. Then what git says of the ref, and what stands between headline and what is live. */
const CASES: readonly (readonly [row: string, files: Files, reason: string, lines: readonly string[]])[] = [
  [
    "no entry file",
    { "src/index.ts": undefined, "lib/main.ts": APP },
    "entry-not-found No entry file found.",
    ["No entry file found. [entry-not-found]", "src/index.ts", "lib/main.ts"],
  ],
  [
    "a syntax error",
    { "src/index.ts": `${APP}const = 1;\n` },
    `syntax-error src/index.ts:7:7 Expected identifier but found "=".`,
    [`src/index.ts:7:7: Expected identifier but found "=". [syntax-error]`, "  7 | const = 1;", "    |       ^"],
  ],
  [
    "a class that is not exported",
    { "src/index.ts": APP.replace("class App", "class Ap") },
    "export-missing: No export can receive requests.",
    ["It exports: Ap (a class that extends DurableObject).", "Did you mean Ap? Rename it to App"],
  ],
  [
    "a package that is not listed",
    {
      "src/index.ts": `import { z } from "zodd";\nconsole.log(z);\n${APP}`,
      "package.json": `{ "dependencies": { "zod": "4" } }`,
    },
    `dependency-not-found src/index.ts:1:19 Cannot find package "zodd"`,
    [`  1 | import { z } from "zodd";`, "    |                   ^^^^^^", `Did you mean "zod"?`],
  ],
  [
    "a module that the runtime lacks",
    { "src/index.ts": `import "node:fss";\n${APP}` },
    `dependency-not-found src/index.ts:1:8 The runtime has no module "node:fss".`,
    [`  1 | import "node:fss";`, `Did you mean "node:fs"?`],
  ],
  [
    "a lockfile that says something else",
    {
      "src/index.ts": `import "zod";\n${APP}`,
      "package.json": `{ "dependencies": { "zod": "^4" } }`,
      "yarn.lock": `# yarn lockfile v1\n\nzod@^3:\n  version "3.0.0"\n`,
    },
    "lockfile-drift package.json:1:",
    [
      "package.json asks for zod ^4, and yarn.lock does not have it.",
      "yarn install, then commit package.json and yarn.lock.",
    ],
  ],
  [
    "a build command that is no esbuild",
    { "wrangler.jsonc": `{ "main": "src/index.ts", "build": { "command": "vite build" } }` },
    "config-unsupported wrangler.jsonc:1:",
    ["vite build"],
  ],
  [
    "a Git LFS pointer",
    { "src/index.ts": "version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 12345\n" },
    "lfs-pointer src/index.ts is a Git LFS pointer: its content is not in the push.",
    [`git lfs untrack "src/index.ts"`],
  ],
];

let host: Host;
let repository: string;
let liveId: string;

beforeAll(async () => {
  host = await startHost();
  repository = await makeRepository({ "src/index.ts": APP });
  await git(repository, "push", "--quiet", host.gitUrl("broken.git"), "main");
  liveId = (await git(repository, "rev-parse", "HEAD")).slice(0, 7);
});
afterAll(() => host.stop());

describe("a push that does not build", () => {
  it.each(CASES)("says so of %s", async (_row, files, reason, lines) => {
    await git(repository, "reset", "--quiet", "--hard", liveId);
    await commit(repository, files, "Break it");
    const { code, stderr } = await tryGit(repository, ["push", host.gitUrl("broken.git"), "main"]);
    expect(code).toBe(1);
    const printed = stderr.replaceAll(/^remote: ?(.*?)\s*$/gm, "$1");
    expect(/^ ! \[remote rejected\] main -> main \((.*)\)$/m.exec(printed)?.[1]).toContain(reason);
    const from = printed.indexOf("error: build failed (");
    const to = printed.indexOf(`Still live: deploy 1 (${liveId}) at ${host.appUrl("broken").replace(/\/$/, "")}`);
    expect(from).toBeGreaterThan(0);
    expect(to).toBeGreaterThan(from);
    for (const line of lines) expect(printed.slice(from, to)).toContain(line);
    expect((await request(host.appUrl("broken"))).text).toBe("still here");
  });
});
