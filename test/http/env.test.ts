import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { readAppName } from "../../src/app/app-name.ts";
import { parseObjectId } from "../../src/git/object-id.ts";
import type { Narrator } from "../../src/push-answer.ts";
import { createHost } from "../../src/push-host.ts";
import { pushMade } from "../../src/push.ts";
import { call, codeOf } from "./api-client.ts";

const SECRET = "s3cret-value-of-the-owner";

/** Answers with its env, without what the host puts there, and with all that it finds of a process. */
function source(note = ""): string {
  return `import { DurableObject, env as moduleEnv } from "cloudflare:workers";
// ${note}
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    if (env.ONLY_TRIED !== undefined && env.SLIPWAY.deploy !== undefined) throw new Error("Live, with " + env.ONLY_TRIED);
    if (env.BROKEN !== undefined) throw new Error("Cannot use " + env.BROKEN);
  }
  fetch(request) {
    const { SLIPWAY, ...rest } = this.env;
    if (new URL(request.url).pathname === "/log") console.log("the key is " + this.env.KEY + ".");
    if (new URL(request.url).pathname === "/all") {
      const globals = Object.getOwnPropertyNames(globalThis).map((name) => [name, String(globalThis[name])]);
      return Response.json([moduleEnv, globalThis.process?.env, globals, SLIPWAY]);
    }
    return Response.json(rest);
  }
}
`;
}

interface Report {
  readonly deploy: number | null;
  readonly commit: string;
  readonly undo?: string;
  readonly lines: readonly string[];
}

async function send<T = Report>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await call(method, path, body === undefined ? {} : { body });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json<T>();
}

function commit(app: string, note: string, vars: Readonly<Record<string, unknown>> = {}): Promise<Report> {
  const files = { "src/index.ts": source(note), "wrangler.jsonc": JSON.stringify({ vars }) };
  return send("POST", `/apps/${app}/commits`, { message: note, files });
}

async function envOf(app: string, path = "/"): Promise<unknown> {
  const [name = app] = app.split("--").toReversed();
  return (await env.SUPERVISOR.getByName(name).fetch(`http://${app}.localhost${path}`)).json();
}

async function logOf(app: string, deploy: number): Promise<string> {
  return (await call("GET", `/apps/${app}/deploys/${deploy}/log`)).text();
}

/** As a git client pushes a commit that is stored already. */
async function pushCommit(app: string, commitId: string): Promise<string[]> {
  const newId = parseObjectId(commitId);
  const state = await env.SUPERVISOR.getByName(app).readRepository();
  const [main] = state?.refs ?? [];
  if (newId === undefined || main === undefined) throw new Error(`${app} has no ${commitId}.`);
  const said: string[] = [];
  const narrator: Narrator = {
    say: (line) => void said.push(line),
    detail: () => undefined,
    brief: () => undefined,
    note: () => undefined,
    time: (_stage, work) => work(),
  };
  const urls = {
    urlOf: (label: string) => `http://${label}.localhost/`,
    apiUrl: `http://localhost/api/v1/apps/${app}`,
  };
  const request = { app: readAppName(app), actor: "owner", ...urls, now: Date.now };
  const commands = [{ name: main.name, oldId: main.id, newId }];
  const update = { commands, shallowIds: [], capabilities: new Map(), pushOptions: [], isProbe: false };
  const { refs } = await pushMade(request, createHost(env), { update, pack: undefined }, narrator);
  expect(refs).toMatchObject([{ kind: "ok" }]);
  return said;
}

describe("a change of variables", () => {
  it("is only stored before the first deploy, which has it then", async () => {
    await call("POST", "/apps", { body: { name: "early", deploy: true } });
    expect(await send("PUT", "/apps/early/env/A", { value: "1" })).toEqual({ app: "early", deploy: null });
    await commit("early", "first");
    expect(await envOf("early")).toEqual({ A: "1" });
  });

  it("is a deploy of its own, that comes after the repository's vars, and can be undone", async () => {
    await commit("changed", "first", { A: "of the repository", B: { deep: 1 } });
    const set = await send("PATCH", "/apps/changed/env", {
      A: { value: "mine" },
      KEY: { value: SECRET, secret: true },
    });
    expect(set.deploy).toBe(2);
    expect(await envOf("changed")).toEqual({ A: "mine", B: { deep: 1 }, KEY: SECRET });
    expect(set.undo).toContain(`/apps/changed/rollback -H "authorization: Bearer $TOKEN" -d '{"deploy":1}'`);
    const list = await send<{ variables: unknown[] }>("GET", "/apps/changed/env");
    expect(list).toMatchObject({
      variables: [
        { name: "A", scope: "production", kind: "plain", value: "mine", setBy: "owner" },
        { name: "KEY", scope: "production", kind: "secret", value: null },
      ],
      live: { deploy: 2, changed: [] },
    });
    expect(await send("PUT", "/apps/changed/env/A", { value: "mine" })).toMatchObject({ deploy: null });
    expect(await send("PUT", "/apps/changed/env/KEY", { value: "another-secret" })).toMatchObject({ deploy: 3 });
    expect(await send("GET", "/apps/changed/env/KEY")).toMatchObject({ kind: "secret", value: null });

    await send("POST", "/apps/changed/rollback", { deploy: 1 });
    expect(await envOf("changed")).toEqual({ A: "of the repository", B: { deep: 1 } });
    // The same commit: what was undone is a change of variables, and it is not in the next deploy either.
    expect(await send("GET", "/apps/changed/env")).toMatchObject({ variables: [], live: { changed: [] } });
    const pushed = await commit("changed", "second", { A: "again" });
    expect(await envOf("changed")).toEqual({ A: "again" });
    expect(pushed.lines.join("\n")).not.toContain("variables");
  });

  it("says which vars of the repository it hides, and takes a deletion back to them", async () => {
    await commit("hiding", "first", { A: "of the repository" });
    await send("PUT", "/apps/hiding/env/A", { value: "mine" });
    const pushed = await commit("hiding", "second", { A: "of the repository" });
    expect(pushed.lines.join("\n")).toMatch(/^variables A: the owner's, in place of the repository's vars$/m);
    await send("DELETE", "/apps/hiding/env/A");
    expect(await envOf("hiding")).toEqual({ A: "of the repository" });
    expect(await codeOf(await call("DELETE", "/apps/hiding/env/A"))).toBe("not-found");
  });

  it("that the app does not start with changes nothing, and tells no secret", async () => {
    await commit("broken", "first");
    await send("PUT", "/apps/broken/env/A", { value: "1" });
    const response = await call("PATCH", "/apps/broken/env", {
      body: { A: { value: "2" }, BROKEN: { value: SECRET, secret: true } },
    });
    expect(response.status).toBe(422);
    const problem = await response.text();
    expect(problem).toContain("Cannot use ***");
    expect(problem + (await logOf("broken", 3))).not.toContain(SECRET);
    expect(await envOf("broken")).toEqual({ A: "1" });
    expect(await send("GET", "/apps/broken/env")).toMatchObject({ variables: [{ name: "A", value: "1" }] });
    const { deploys } = await send<{ deploys: unknown[] }>("GET", "/apps/broken/deploys");
    expect(deploys[0]).toMatchObject({ kind: "variables", state: "failed", failure: { code: "start-failed" } });
    expect(JSON.stringify(deploys)).not.toContain(SECRET);
  });

  it("that starts in the rehearsal only is undone, and is not the newest either", async () => {
    await commit("undone", "first");
    await send("PUT", "/apps/undone/env/A", { value: "1" });
    const response = await call("PUT", "/apps/undone/env/ONLY_TRIED", { body: { value: SECRET, secret: true } });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("cut over failed");
    expect(await envOf("undone")).toEqual({ A: "1" });
    expect(await send("GET", "/apps/undone/env")).toMatchObject({ variables: [{ name: "A" }], live: { changed: [] } });
    expect(await send("PUT", "/apps/undone/env/B", { value: "2" })).toMatchObject({ deploy: 4 });
    expect(await envOf("undone")).toEqual({ A: "1", B: "2" });
  });

  it("by two at once takes both in", async () => {
    await commit("raced-env", "first");
    await Promise.all([
      send("PUT", "/apps/raced-env/env/A", { value: "1" }),
      send("PUT", "/apps/raced-env/env/B", { value: "2" }),
    ]);
    expect(await envOf("raced-env")).toEqual({ A: "1", B: "2" });
  });
});

describe("going back", () => {
  it("brings a commit's variables back with it, and says which changed since", async () => {
    const first = await commit("back", "first");
    await send("PATCH", "/apps/back/env", { A: { value: "old" }, B: { value: "same" } });
    const second = await commit("back", "second");
    await send("PUT", "/apps/back/env/A", { value: "new" });
    expect((await pushCommit("back", first.commit)).join("\n")).toMatch(
      /^variables as in deploy 2 \(A changed since\)$/m,
    );
    expect(await envOf("back")).toEqual({ A: "old", B: "same" });
    expect(await send("GET", "/apps/back/env")).toMatchObject({ live: { changed: ["A"] } });
    // No change at all deploys the newest.
    expect(await send("PATCH", "/apps/back/env", {})).toMatchObject({ deploy: 6 });
    expect(await envOf("back")).toEqual({ A: "new", B: "same" });
    await send("POST", "/apps/back/rollback", { deploy: 3 });
    expect(await envOf("back")).toEqual({ A: "old", B: "same" });
    expect(await logOf("back", 7)).toMatch(/^variables as in deploy 3 \(A changed since\)$/m);
    expect((await commit("back", "third")).commit).not.toBe(second.commit);
    expect(await envOf("back")).toEqual({ A: "new", B: "same" });
  });
});

describe("previews", () => {
  it("have values of their own, else production's plain ones, and none of its secrets", async () => {
    await commit("shown", "first");
    await send("PATCH", "/apps/shown/env", {
      PLAIN: { value: "production's" },
      OTHER: { value: "everywhere" },
      KEY: { value: SECRET, secret: true },
    });
    expect(await send("PUT", "/apps/shown/env/PLAIN", { value: "a preview's", scope: "preview" })).toMatchObject({
      deploy: null,
    });
    await send("POST", "/apps/shown/commits", { branch: "topic", message: "A topic", files: { "note.txt": "x" } });
    expect(await envOf("topic--shown")).toEqual({ PLAIN: "a preview's", OTHER: "everywhere" });
    // An old deploy on show is no production either, and has the values of its own time.
    expect(await envOf("v2--shown")).toEqual({ PLAIN: "production's", OTHER: "everywhere" });
    expect(await envOf("shown")).toEqual({ PLAIN: "production's", OTHER: "everywhere", KEY: SECRET });
  });
});

describe("a secret", () => {
  it("is sealed where it is stored, and masked where the app says it", async () => {
    await commit("sealed", "first");
    await send("PUT", "/apps/sealed/env/KEY", { value: SECRET, secret: true });
    await envOf("sealed", "/log");
    await vi.waitFor(async () => {
      const log = await (await call("GET", "/apps/sealed/logs?kind=console")).text();
      expect(log).toContain("the key is ***.");
      expect(log).not.toContain(SECRET);
    });
    await runInDurableObject(env.SUPERVISOR.getByName("sealed"), (_instance, { storage }) => {
      const tables = storage.sql.exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      );
      for (const { name } of tables.toArray()) {
        for (const row of storage.sql.exec(`SELECT * FROM ${name}`).toArray()) {
          const values = Object.values(row).map((value) =>
            value instanceof ArrayBuffer ? Buffer.from(value) : String(value),
          );
          for (const value of values) expect(value.includes(SECRET), name).toBe(false);
        }
      }
    });
  });

  it("is one app's own, also where another has the same code", async () => {
    await commit("twin-a", "same");
    await commit("twin-b", "same");
    await send("PUT", "/apps/twin-a/env/KEY", { value: SECRET, secret: true });
    await send("PUT", "/apps/twin-b/env/KEY", { value: "of-the-other-app", secret: true });
    expect(await envOf("twin-a")).toEqual({ KEY: SECRET });
    expect(JSON.stringify(await envOf("twin-b", "/all"))).not.toContain(SECRET);
  });

  it("of the host is nowhere in an app", async () => {
    await commit("curious", "first");
    const seen = JSON.stringify(await envOf("curious", "/all"));
    expect(seen).toContain("curious");
    for (const name of ["ADMIN_TOKEN", "ENV_KEY"] as const) {
      expect(env[name]).toMatch(/^unit-test-/);
      expect(seen).not.toContain(name);
      expect(seen).not.toContain(env[name]);
    }
  });
});

describe("what cannot be set", () => {
  const value = "1";
  it.each([
    ["a name that begins with a digit", { "1A": { value } }],
    ["a name with a dash", { "A-B": { value } }],
    ["a name that is too long", { ["A".repeat(65)]: { value } }],
    ["the host's own name", { SLIPWAY: { value } }],
    ["a value that is too long", { A: { value: "é".repeat(2561) } }],
    ["a value that is no text", { A: { value: 1 } }],
    ["an unknown field", { A: { value, secrt: true } }],
    ["an unknown scope", { A: { value, scope: "staging" } }],
    ["too many", Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`A${at}`, { value }]))],
  ])("is %s", async (_name, body) => {
    await call("POST", "/apps", { body: { name: "strict", deploy: true } });
    expect(await codeOf(await call("PATCH", "/apps/strict/env", { body }))).toBe("invalid-request");
    expect(await send("GET", "/apps/strict/env")).toEqual({ variables: [], live: null });
  });

  it("is a name that the app has a binding of", async () => {
    const files = {
      "src/index.ts": source("assets"),
      "public/a.txt": "a",
      "wrangler.jsonc": JSON.stringify({ assets: { directory: "public", binding: "FILES" } }),
    };
    await send("POST", "/apps/bound/commits", { message: "first", files });
    expect(await codeOf(await call("PUT", "/apps/bound/env/FILES", { body: { value } }))).toBe("invalid-request");
  });

  it("is anything of an app that is not there", async () => {
    expect(await codeOf(await call("PUT", "/apps/absent/env/A", { body: { value } }))).toBe("not-found");
    expect(await codeOf(await call("GET", "/apps/absent/env"))).toBe("not-found");
  });
});
