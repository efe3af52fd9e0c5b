// What an app takes along to another host in an archive, and to another name in a fork. test/e2e/archive.test.ts reads archives by tar,
// git and sqlite3, and imports them as npm does.
import { runInDurableObject } from "cloudflare:test";
import { packTar, unpackTar } from "modern-tar";
import { beforeAll, describe, expect, it } from "vitest";
import { supervisorOf, visit, visitText } from "../app/deployment.ts";
import { call, codeOf } from "./api-client.ts";

const SOURCE = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.blockConcurrencyWhile(async () => {
      this.found = { note: ctx.storage.kv.get("note"), alarm: await ctx.storage.getAlarm() };
    });
  }
  async fetch(request) {
    const { kv } = this.ctx.storage;
    if (request.method === "POST") return Response.json(this.found);
    const { searchParams } = new URL(request.url);
    if (searchParams.has("alarm")) await this.ctx.storage.setAlarm(Number(searchParams.get("alarm")));
    if (searchParams.has("note")) kv.put("note", searchParams.get("note"));
    const { GREETING, KEY } = this.env;
    const alarm = await this.ctx.storage.getAlarm();
    return Response.json({ greeting: GREETING, key: KEY, note: kv.get("note"), rang: kv.get("rang"), alarm });
  }
  alarm() { this.ctx.storage.kv.put("rang", this.ctx.storage.kv.get("note")); }
}
`;

const EVER_LATER = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  async fetch(request) {
    const { kv } = this.ctx.storage;
    if (new URL(request.url).pathname === "/set") {
      const at = (kv.get("set") ?? ${Date.now()} + 3600000) + 1;
      kv.put("set", at);
      this.ctx.storage.setAlarm(at);
    }
    return Response.json({ set: kv.get("set"), alarm: await this.ctx.storage.getAlarm() });
  }
  alarm() {}
}
`;

const ROOMS = `import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  async fetch(request) {
    const at = new URL(request.url).searchParams.get("alarm");
    if (at !== null) await this.ctx.storage.setAlarm(Number(at));
    return Response.json(await this.ctx.storage.getAlarm());
  }
  alarm() {}
}
export default { fetch: (request, env) => env.ROOM.getByName(new URL(request.url).pathname).fetch(request) };
`;

const ROOMS_CONFIG = JSON.stringify({
  name: "rooms",
  main: "src/index.js",
  durable_objects: { bindings: [{ name: "ROOM", class_name: "Room" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Room"] }],
  triggers: { crons: ["0 0 1 1 *"] },
});

const HOUR_MS = 3_600_000;
const LATER_MS = Date.now() + 48 * HOUR_MS;
const SECRET = "a secret that no archive has";

const SETTINGS = {
  denyNonFastForwards: true,
  typecheck: "warn",
  maxPreviews: 3,
  previewIdleHours: 5,
  previewAlarms: true,
  previewCrons: true,
};
const RETENTION = { keptDeploys: 7, keptSnapshots: 6, keptSnapshotBytes: 5000, rehearsedBytes: 4000 };
const EGRESS = { allow: ["*.example.com"], previewAllow: ["preview.example.com:8443"] };
const QUOTAS = { objects: 12, requestsPerMinute: 3456 };
const VARIABLES = {
  GREETING: { value: "hello" },
  KEY: { value: SECRET, secret: true },
  HINT: { value: "for previews", scope: "preview" },
};

async function change(method: string, path: string, body?: unknown): Promise<void> {
  const response = await call(method, path, { body });
  expect(response.ok, await response.text()).toBe(true);
}

async function read(path: string): Promise<Record<string, unknown>> {
  const response = await call("GET", path);
  expect(response.status).toBe(200);
  return response.json();
}

/** How an app is set, as its owner sees it. */
async function readSetup(app: string) {
  const { variables } = await read(`/apps/${app}/env`);
  return {
    app: await read(`/apps/${app}`),
    retention: await read(`/apps/${app}/retention`),
    egress: await read(`/apps/${app}/egress`),
    quotas: await read(`/apps/${app}/quotas`),
    variables,
  };
}

const SET = { app: SETTINGS, retention: RETENTION, egress: EGRESS };
const PLAIN = [
  { name: "GREETING", scope: "production", kind: "plain", value: "hello" },
  { name: "HINT", scope: "preview", kind: "plain", value: "for previews" },
];

beforeAll(async () => {
  await change("POST", "/apps/moving/commits", { files: { "src/index.js": SOURCE }, message: "Begin" });
  await change("PATCH", "/apps/moving", SETTINGS);
  await change("PATCH", "/apps/moving/retention", RETENTION);
  await change("PUT", "/apps/moving/egress", EGRESS);
  await change("PATCH", "/apps/moving/quotas", QUOTAS);
  await change("PATCH", "/apps/moving/env", VARIABLES);
  await visit("moving", `/?note=kept&alarm=${LATER_MS}`);
  await change("POST", "/apps/moving/commits", { branch: "try", files: { "a.txt": "a" }, message: "Try" });
  await change("POST", "/apps/moving-rooms/commits", {
    files: { "src/index.js": ROOMS, "wrangler.jsonc": ROOMS_CONFIG },
    message: "Begin",
  });
  await visit("moving-rooms", `/lobby?alarm=${LATER_MS}`);
  await visit("moving-rooms", "/hall");
  await change("POST", "/apps/moving-rooms/commits", { branch: "feature/x", files: { "a.txt": "a" }, message: "Try" });
  await visitPreview("moving-rooms", `/attic?alarm=${LATER_MS}`);
});

/** The preview of the branch feature/x. */
async function visitPreview(app: string, path: string): Promise<unknown> {
  return (await supervisorOf(app).fetch(`http://feature-x--${app}.localhost${path}`)).json();
}

/** The cron triggers of an app, with their environments. */
function cronsOf(app: string): Promise<unknown> {
  return runInDurableObject(supervisorOf(app), (_, { storage }) =>
    storage.sql.exec("SELECT facet, cron FROM crons").toArray(),
  );
}

async function exportApp(app: string): Promise<Uint8Array> {
  const response = await call("GET", `/apps/${app}/export`);
  expect(response.status).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

async function importApp(app: string, archive: Uint8Array, token?: string): Promise<Response> {
  const headers = { "content-type": "application/x-tar" };
  return call("POST", `/apps/${app}/import`, { body: archive, headers, token });
}

async function importWithPreviews(app: string, archive: Uint8Array): Promise<Response> {
  const headers = { "content-type": "application/x-tar" };
  return call("POST", `/apps/${app}/import?previews=1`, { body: archive, headers });
}

/** The archive with JSON entries changed, or without those for which there is nothing. */
async function rewrite(
  archive: Uint8Array,
  entries: Readonly<Record<string, (value: Record<string, unknown>) => unknown>>,
): Promise<Uint8Array> {
  const parts = await unpackTar(archive);
  return packTar(
    parts.flatMap(({ header, data = new Uint8Array() }) => {
      const edit = entries[header.name];
      if (edit === undefined) return [{ header, body: data }];
      const value = edit(JSON.parse(new TextDecoder().decode(data)));
      const body = new TextEncoder().encode(JSON.stringify(value));
      return value === undefined ? [] : [{ header: { ...header, size: body.byteLength }, body }];
    }),
  );
}

describe("an archive", () => {
  it("brings how an app is set, its plain variables and its alarms", async () => {
    const archive = await exportApp("moving");
    expect(new TextDecoder("latin1").decode(archive)).not.toContain(SECRET);
    const imported = await importApp("moved", archive);
    expect(imported.status).toBe(201);
    expect(await imported.json()).toMatchObject({
      databaseCount: 1,
      alarmCount: 1,
      missingSecrets: ["KEY"],
      missingQuotas: [],
    });
    expect(await readSetup("moved")).toMatchObject({ ...SET, quotas: QUOTAS, variables: PLAIN });
    expect(await (await visit("moved")).json()).toEqual({ greeting: "hello", note: "kept", alarm: LATER_MS });
  });

  it("brings only the caps that were set for the app, and those only where the caller may set them", async () => {
    const made = await call("POST", "/tokens", { body: { name: "mover", app: "moved-by-admin", access: "admin" } });
    const { token } = await made.json<{ token: string }>();
    const archive = await exportApp("moving");
    const { missingQuotas } = await (await importApp("moved-by-admin", archive, token)).json<Record<string, unknown>>();
    expect(missingQuotas).toEqual(expect.arrayContaining(["objects", "requestsPerMinute"]));
    expect(await read("/apps/moved-by-admin/quotas")).toEqual(await read("/apps/moving-rooms/quotas"));
    expect(await readSetup("moved-by-admin")).toMatchObject(SET);
    await change("PATCH", "/apps/moved/quotas", { objects: null, requestsPerMinute: null });
    expect(await read("/apps/moved/quotas")).toEqual(await read("/apps/moving-rooms/quotas"));
  });

  it("that is refused leaves the tokens that were made for the app to come", async () => {
    const made = await call("POST", "/tokens", { body: { name: "tries", app: "moved-at-last", access: "admin" } });
    const { id, token } = await made.json<{ id: string; token: string }>();
    const archive = await exportApp("moving");
    const faulty = await rewrite(archive, { "alarms.json": () => ({ production: ["never"] }) });
    expect(await codeOf(await importApp("moved-at-last", faulty, token))).toBe("archive-invalid");
    expect(await read("/apps/moved-at-last/tokens")).toMatchObject({ tokens: [{ id }] });
    expect((await importApp("moved-at-last", archive, token)).status).toBe(201);
  });

  it("brings the alarms of named objects", async () => {
    const imported = await importApp("moved-rooms", await exportApp("moving-rooms"));
    expect(await imported.json()).toMatchObject({ databaseCount: 3, alarmCount: 1 });
    const alarms = await Promise.all(
      ["/lobby", "/hall"].map(async (path) => (await visit("moved-rooms", path)).json()),
    );
    expect(alarms).toEqual([LATER_MS, null]);
  });

  it("brings previews with their data and alarms if they are asked for", async () => {
    const archive = await exportApp("moving-rooms");
    // The preview has what it was forked from, and one object of its own.
    expect(await (await importWithPreviews("moved-previews", archive)).json()).toMatchObject({
      refCount: 2,
      previewCount: 1,
      databaseCount: 7,
      alarmCount: 2,
    });
    const { previews } = await read("/apps/moved-previews/previews");
    expect(previews).toMatchObject([{ branch: "feature/x", slug: "feature-x", state: "alive" }]);
    expect(await visitPreview("moved-previews", "/attic")).toBe(LATER_MS);
    expect(await (await visit("moved-previews", "/attic")).json()).toBeNull();
    expect(await (await visit("moved-previews", "/lobby")).json()).toBe(LATER_MS);
    expect((await importApp("moved-production", archive)).status).toBe(201);
    expect(await read("/apps/moved-production/previews")).toEqual({ previews: [] });
    expect(await read("/apps/moved-production")).toMatchObject({ refCount: 2 });
    const older = await rewrite(archive, { "config.json": (config) => ({ ...config, previews: undefined }) });
    expect(await (await importWithPreviews("moved-older", older)).json()).toMatchObject({ previewCount: 0 });
  });

  it("leaves cron triggers as the code has them, whether data comes along or not", async () => {
    const crons = [{ facet: "app", cron: "0 0 1 1 *" }];
    expect(await cronsOf("moving-rooms")).toEqual(crons);
    expect((await importApp("moved-crons", await exportApp("moving-rooms"))).status).toBe(201);
    expect(await cronsOf("moved-crons")).toEqual(crons);
    for (const data of [true, false]) {
      const name = `forked-crons-${data}`;
      // oxlint-disable-next-line no-await-in-loop -- two
      expect((await call("POST", "/apps/moving-rooms/fork", { body: { name, data } })).status).toBe(201);
      // oxlint-disable-next-line no-await-in-loop -- two
      expect(await cronsOf(name)).toEqual(crons);
    }
  });

  it("rings an alarm at once whose time passed on the way", async () => {
    const archive = await rewrite(await exportApp("moving"), {
      "alarms.json": ({ production }) => {
        const at = new Date(Date.now() - HOUR_MS).toISOString();
        return { production: Array.isArray(production) ? production.map((alarm) => ({ ...alarm, at })) : [] };
      },
    });
    expect((await importApp("moved-late", archive)).status).toBe(201);
    await expect.poll(() => visitText("moved-late"), { timeout: 20_000 }).toContain('"rang":"kept"');
  });

  it("of an app that does not deploy any more brings what is live, and that it does not", async () => {
    await change("PATCH", "/apps/moving-rooms", { deploy: false });
    expect((await importApp("moved-still", await exportApp("moving-rooms"))).status).toBe(201);
    await change("PATCH", "/apps/moving-rooms", { deploy: true });
    expect(await read("/apps/moved-still")).toMatchObject({ deploy: false, live: { number: 1 } });
    expect(await (await visit("moved-still", "/lobby")).json()).toBe(LATER_MS);
  });

  it("of an app of which nothing is live brings what is stored, and that it deploys", async () => {
    await change("POST", "/apps", { name: "never-live", deploy: false });
    await change("POST", "/apps/never-live/commits", { files: { "a.txt": "a" }, message: "Begin" });
    await change("PATCH", "/apps/never-live", { deploy: true });
    expect((await importApp("moved-never-live", await exportApp("never-live"))).status).toBe(201);
    expect(await read("/apps/moved-never-live")).toMatchObject({
      deploy: true,
      live: null,
      refCount: 1,
      productionBranch: "main",
    });
  });

  it("that was written before it had alarms, caps and retention is imported as it was", async () => {
    const archive = await rewrite(await exportApp("moving"), {
      "alarms.json": () => undefined,
      "config.json": (config) => ({ ...config, retention: undefined, ownQuotas: undefined }),
    });
    expect((await importApp("moved-old", archive)).status).toBe(201);
    const { app, egress, retention, quotas, variables } = await readSetup("moved-old");
    expect({ app, egress, variables }).toMatchObject({ app: SETTINGS, egress: EGRESS, variables: PLAIN });
    expect({ retention, quotas }).toEqual({
      retention: await read("/apps/moving-rooms/retention"),
      quotas: await read("/apps/moving-rooms/quotas"),
    });
    expect(await (await visit("moved-old")).json()).toEqual({ greeting: "hello", note: "kept", alarm: null });
  });

  it.each([
    ["a cap of another kind", "config.json", { ownQuotas: { objects: -1 } }],
    ["a retention of another kind", "config.json", { retention: { keptDeploys: "many" } }],
    ["an alarm at no time", "alarms.json", { production: [{ className: null, objectId: null, at: "soon" }] }],
    ["an alarm of no object", "alarms.json", { production: [{ className: "App", objectId: "1", at: "2030-01-01" }] }],
    ["an alarm that is none", "alarms.json", { production: ["2030-01-01"] }],
  ])("with %s is refused, and no app is left", async (_name, entry, edit) => {
    const archive = await rewrite(await exportApp("moving"), { [entry]: (value) => ({ ...value, ...edit }) });
    expect(await codeOf(await importApp("moved-badly", archive))).toBe("archive-invalid");
    expect((await call("GET", "/apps/moved-badly")).status).toBe(404);
  });
});

async function fork(name: string, body: Record<string, unknown> = {}, token?: string): Promise<Response> {
  return call("POST", "/apps/moving/fork", { body: { name, ...body }, token });
}

describe("a fork", () => {
  it("is set as its source, with plain variables and caps, and without secrets, data and alarms", async () => {
    const forked = await fork("forked-set");
    expect(forked.status).toBe(201);
    expect(await forked.json()).toMatchObject({ ok: true, alarmCount: 0, missingSecrets: ["KEY"] });
    expect(await readSetup("forked-set")).toMatchObject({ ...SET, quotas: QUOTAS, variables: PLAIN });
    expect(await (await visit("forked-set")).json()).toEqual({ greeting: "hello", alarm: null });
  });

  it("has data, the alarms that go with it, and secrets if they are asked for", async () => {
    const forked = await fork("forked-whole", { data: true, secrets: true });
    expect(await forked.json()).toMatchObject({ ok: true, alarmCount: 1, missingSecrets: [] });
    expect(await (await visit("forked-whole")).json()).toEqual({
      greeting: "hello",
      key: SECRET,
      note: "kept",
      alarm: LATER_MS,
    });
    const { variables } = await read("/apps/forked-whole/env");
    expect(variables).toMatchObject([PLAIN[0], PLAIN[1], { name: "KEY", kind: "secret", value: null }]);
    expect(await (await visit("moving")).json()).toMatchObject({ key: SECRET, alarm: LATER_MS });
  });

  it("of an app that does not deploy any more is live, and does not deploy any more", async () => {
    await change("PATCH", "/apps/moving", { deploy: false });
    expect((await fork("forked-still")).status).toBe(201);
    await change("PATCH", "/apps/moving", { deploy: true });
    expect(await read("/apps/forked-still")).toMatchObject({ deploy: false, live: { number: 1 } });
  });

  it("of a repository that deploys nothing deploys nothing", async () => {
    await change("POST", "/apps", { name: "stored-only", deploy: false });
    await change("POST", "/apps/stored-only/commits", { files: { "a.txt": "a" }, message: "Begin" });
    const forked = await call("POST", "/apps/stored-only/fork", { body: { name: "forked-stored" } });
    expect(forked.status).toBe(201);
    expect(await read("/apps/forked-stored")).toMatchObject({ deploy: false, live: null, refCount: 1 });
  });

  it("is all there or not at all", async () => {
    expect(await codeOf(await fork("moving"))).toBe("app-exists");
    expect(await codeOf(await fork("Not--valid"))).toBe("invalid-app-name");
    const nowhere = await call("POST", "/apps/nowhere-to-fork/fork", { body: { name: "forked-nothing" } });
    expect(await codeOf(nowhere)).toBe("not-found");
    await change("POST", "/apps", { name: "still-empty" });
    const empty = await call("POST", "/apps/still-empty/fork", { body: { name: "forked-nothing" } });
    expect(await codeOf(empty)).toBe("invalid-request");
    const needy = SOURCE.replace(
      "super(ctx, env);",
      `super(ctx, env);
    if (env.KEY === undefined) throw new Error("There is no KEY.");`,
    );
    await change("POST", "/apps", { name: "needy" });
    await change("PUT", "/apps/needy/env/KEY", { value: SECRET, secret: true });
    await change("POST", "/apps/needy/commits", { files: { "src/index.js": needy }, message: "Need a key" });
    const without = await call("POST", "/apps/needy/fork", { body: { name: "forked-nothing" } });
    expect(await codeOf(without)).toBe("start-failed");
    expect((await call("GET", "/apps/forked-nothing")).status).toBe(404);
    const withSecrets = await call("POST", "/apps/needy/fork", { body: { name: "forked-needy", secrets: true } });
    expect(withSecrets.status).toBe(201);
  });

  it("is not for a token of the source alone", async () => {
    const made = await call("POST", "/apps/moving/tokens", { body: { name: "own", access: "admin" } });
    const { token } = await made.json<{ token: string }>();
    expect(await codeOf(await fork("forked-by-admin", {}, token))).toBe("auth-forbidden");
  });

  it("starts only once its data and alarms are there", async () => {
    expect((await fork("forked-started", { data: true })).status).toBe(201);
    const found = await visit("forked-started", "/", { method: "POST" });
    expect(await found.json()).toEqual({ note: "kept", alarm: LATER_MS });
    expect((await importApp("moved-started", await exportApp("moving"))).status).toBe(201);
    const imported = await visit("moved-started", "/", { method: "POST" });
    expect(await imported.json()).toEqual({ note: "kept", alarm: LATER_MS });
  });

  it("has the alarms of named objects", async () => {
    const forked = await call("POST", "/apps/moving-rooms/fork", { body: { name: "forked-rooms", data: true } });
    expect(await forked.json()).toMatchObject({ alarmCount: 1 });
    expect(await (await visit("forked-rooms", "/lobby")).json()).toBe(LATER_MS);
    expect(await (await visit("forked-rooms", "/hall")).json()).toBeNull();
  });

  it("has the alarm that its data says, whatever the source does meanwhile", async () => {
    await change("POST", "/apps/ever-later/commits", { files: { "src/index.js": EVER_LATER }, message: "Begin" });
    await visit("ever-later", "/set");
    const done = new AbortController();
    const setOn = async (): Promise<void> => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      while (!done.signal.aborted) await visit("ever-later", "/set");
    };
    const setting = setOn();
    const forks: unknown[] = [];
    for (const name of ["forked-later-1", "forked-later-2", "forked-later-3"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      forks.push((await call("POST", "/apps/ever-later/fork", { body: { name, data: true } })).status);
    }
    done.abort();
    await setting;
    expect(forks).toEqual([201, 201, 201]);
    for (const name of ["forked-later-1", "forked-later-2", "forked-later-3"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { set, alarm } = await (await visit(name)).json<{ set: number; alarm: number }>();
      expect(alarm).toBe(set);
    }
  });

  it("rings an alarm that is overdue at once, on all of its data", async () => {
    await change("POST", "/apps/overdue/commits", { files: { "src/index.js": SOURCE }, message: "Begin" });
    await visit("overdue", `/?note=kept&alarm=${LATER_MS}`);
    // As where it rings in the source just now.
    await runInDurableObject(supervisorOf("overdue"), (_, { storage }) => {
      storage.sql.exec("UPDATE alarms SET at_ms = 1000");
    });
    expect((await call("POST", "/apps/overdue/fork", { body: { name: "forked-late", data: true } })).status).toBe(201);
    await expect.poll(() => visitText("forked-late"), { timeout: 20_000 }).toContain('"rang":"kept"');
  });

  it("goes where whoever fills it lets go of it before its data is whole", async () => {
    expect((await fork("forked-half")).status).toBe(201);
    {
      using filling = await supervisorOf("forked-half").beginFilling("app");
      expect(filling).toBeDefined();
    }
    await expect.poll(async () => (await call("GET", "/apps/forked-half")).status, { timeout: 10_000 }).toBe(404);
  });
});
