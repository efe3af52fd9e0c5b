// Text of a pusher, an app or a token that is markup, or moves a terminal's cursor: wherever the host shows it, it is text.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { commit, git, makeRepository, tryGit } from "./git.ts";
import { callApi, request, startHost, signIn, type Answer, type Host } from "./host.ts";

/** What a page shows as an element or an attribute where it does not escape it. */
const MARKUP = `<img src=x onerror=alert(1)>"'&`;
/** Clears the screen, rings the bell, begins a sequence as one character, deletes. */
const CONTROLS = "\u001b[2J\u0007\u009b31m\u007f";
const NASTY = `${MARKUP}${CONTROLS}`;
/** What git takes as a branch. */
const BRANCH = `x/<b>"'&;$(id)`;

const app = (version: string): string => `import { DurableObject } from "cloudflare:workers";
const NASTY = ${JSON.stringify(NASTY)};
export class Room extends DurableObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS "' + NASTY.replaceAll('"', '""') + '" ("<i>" TEXT)');
    ctx.storage.sql.exec('INSERT INTO "' + NASTY.replaceAll('"', '""') + '" VALUES (?)', NASTY);
    ctx.storage.kv.put(NASTY, NASTY);
  }
  say(): void {
    console.log(NASTY, "${version}");
    throw new Error(NASTY);
  }
}
export default {
  async fetch(request: Request, env: { ROOM: DurableObjectNamespace<Room> }): Promise<Response> {
    await env.ROOM.getByName(NASTY).say();
    return new Response();
  },
};
`;

const CONFIG = JSON.stringify({
  main: "src/index.ts",
  compatibility_date: "2026-01-01",
  vars: { [NASTY]: NASTY },
  [`unknown ${NASTY}`]: 1,
  durable_objects: { bindings: [{ name: "ROOM", class_name: "Room" }] },
});

let host: Host;
let repository: string;
/** What every push printed, without its line ends. */
const printed: string[] = [];

async function push(refspec: string, gitHost = host.gitUrl("hostile.git"), options: string[] = []): Promise<number> {
  const { code, stderr } = await tryGit(repository, ["push", ...options, gitHost, refspec]);
  printed.push(stderr);
  return code;
}

beforeAll(async () => {
  host = await startHost();
  const made = await callApi(host, "POST", "/tokens", { name: NASTY, access: "host" });
  const { token } = JSON.parse(made.text);
  repository = await makeRepository({ "wrangler.jsonc": CONFIG, "src/index.ts": app("one") });
  await commit(repository, { [`public/${MARKUP.replaceAll("/", "")}.txt`]: "an asset" }, NASTY);
  const asNasty = token === undefined ? undefined : host.gitUrl("hostile.git").replace(host.token, token);
  expect(await push("main", asNasty), printed.join("")).toBe(0);
  await git(repository, "switch", "--quiet", "--create", BRANCH);
  await commit(repository, { "src/index.ts": app("two") }, `${NASTY} on a branch`);
  expect(await push(BRANCH), printed.join("")).toBe(0);
  await git(repository, "switch", "--quiet", "main");
  // A build and a start that fail name the file and what was thrown.
  await commit(
    repository,
    {
      [`src/${NASTY.replaceAll("/", "")}.ts`]: `const oops = ; // ${NASTY}`,
      "src/index.ts": `import ${JSON.stringify(`./${NASTY.replaceAll("/", "")}.ts`)};\n${app("three")}`,
    },
    NASTY,
  );
  expect(await push("main")).toBe(1);
  await commit(repository, { "src/index.ts": `throw new Error(${JSON.stringify(NASTY)});` }, NASTY);
  expect(await push("main", undefined, ["-o", "json"])).toBe(1);
  await request(host.appUrl("hostile"));
  await vi.waitFor(
    async () => expect((await callApi(host, "GET", "/apps/hostile/logs")).text).toContain("img src=x"),
    10_000,
  );
});
afterAll(() => host.stop());

/** Control characters but the ends of lines and tabs. */
function controlsIn(text: string): string[] {
  // oxlint-disable-next-line no-control-regex -- what is looked for
  return [...text.matchAll(/.{0,40}[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g)].map(([found]) =>
    JSON.stringify(found),
  );
}

describe("a push report", () => {
  it("has no control character of the pushed text", () => {
    expect(printed).toHaveLength(4);
    expect(printed.flatMap(controlsIn)).toEqual([]);
  });

  it("has none where it is read later either", async () => {
    for (const deploy of [1, 2, 3, 4]) {
      // oxlint-disable-next-line no-await-in-loop -- few
      const { text } = await callApi(host, "GET", `/apps/hostile/deploys/${deploy}/log`);
      expect(text).toContain("deploying");
      expect(controlsIn(text)).toEqual([]);
    }
  });
});

describe("the log as it grows", () => {
  it.each(["application/x-ndjson", "text/event-stream"])("has no control character: %s", async (accept) => {
    const stopping = new AbortController();
    const { body } = await fetch(`${host.url}/api/v1/apps/hostile/logs?follow=1&text=img`, {
      headers: { authorization: `Bearer ${host.token}`, accept },
      signal: stopping.signal,
    });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("onerror")) {
      // oxlint-disable-next-line no-await-in-loop -- as it comes
      text += (await reader?.read())?.value ?? "onerror never came";
    }
    stopping.abort();
    expect(text).toContain("img src=x");
    expect(controlsIn(text)).toEqual([]);
  });
});

/** Every page of the dashboard that a link leads to, with its address. */
async function crawl(): Promise<Map<string, Answer>> {
  const cookie = await signIn(host);
  const pages = new Map<string, Answer>();
  const waiting = ["/", "/apps/hostile"];
  for (let path = waiting.pop(); path !== undefined && pages.size < 150; path = waiting.pop()) {
    if (pages.has(path)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one leads to the next
    const page = await request(`${host.url}${path}`, { headers: { cookie, accept: "text/html" } });
    pages.set(path, page);
    if (page.headers["content-type"]?.includes("html") !== true) continue;
    for (const [, href = ""] of page.text.matchAll(/href="(\/[^"#]*)/g)) waiting.push(href.replaceAll("&amp;", "&"));
  }
  return pages;
}

describe("the dashboard", () => {
  it("shows it as text on every page", async () => {
    const pages = await crawl();
    const html = [...pages].filter(([, { headers }]) => headers["content-type"]?.includes("html") === true);
    expect(html.length).toBeGreaterThan(15);
    const wrong = html.filter(([, { text }]) => /<img src=x|<b>"|<i>/.test(text) || text.includes(`"'&`));
    expect(wrong.map(([path]) => path)).toEqual([]);
    expect(html.filter(([, { text }]) => text.includes("&lt;img src=x")).length).toBeGreaterThan(5);
    expect(html.filter(([, { status }]) => status !== 200).map(([path, { status }]) => [path, status])).toEqual([]);
  });
});

describe("pages for programs", () => {
  it.each(["/llms.txt", "/AGENTS.md", "/metrics"])("%s has none of it", async (path) => {
    const { status, text } = await request(`${host.url}${path}`, {
      headers: { authorization: `Bearer ${host.token}` },
    });
    expect(status).toBe(200);
    expect(text).not.toContain("img src=x");
    expect(controlsIn(text)).toEqual([]);
  });

  it("are JSON that no browser takes for a page", async () => {
    for (const path of ["", "/deploys", "/logs", "/previews", "/env", "/objects"]) {
      // oxlint-disable-next-line no-await-in-loop -- few
      const { status, headers } = await callApi(host, "GET", `/apps/hostile${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(headers["content-type"]).toContain("application/json");
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
  });
});
