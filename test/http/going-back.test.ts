// Going back and taking away through the API: what each call answers, and what is so after it. How it is done is for test/app.
import { beforeAll, expect, it } from "vitest";
import { appSource, supervisorOf, visit, visitText } from "../app/deployment.ts";
import { call, codeOf } from "./api-client.ts";

const APP = "going-back";
const ROOMS = "going-back-rooms";

const SOURCE = (version: string): string =>
  appSource(`    const { kv } = this.ctx.storage;
    if (request.method === "POST") kv.put("note", await request.text());
    return new Response("${version} " + (kv.get("note") ?? "nothing"));`);

const ROOMS_SOURCE = `import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  async fetch() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return new Response(String(count));
  }
}
export default { fetch: (request, env) => env.ROOM.getByName("lobby").fetch(request) };
`;

const ROOMS_CONFIG = JSON.stringify({
  name: ROOMS,
  main: "src/index.js",
  durable_objects: { bindings: [{ name: "ROOM", class_name: "Room" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Room"] }],
});

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await call(method, path, { body });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return JSON.parse(text === "" ? "null" : text);
}

function commit(files: Record<string, string>, branch = "main"): Promise<unknown> {
  return ask("POST", `/apps/${APP}/commits`, { branch, files, message: "Change it" });
}

async function previewText(): Promise<string> {
  return (await supervisorOf(APP).fetch(`http://try--${APP}.localhost/`)).text();
}

beforeAll(async () => {
  await commit({ "src/index.js": SOURCE("one") });
  await visit(APP, "/", { method: "POST", body: "first" });
  await commit({ "src/index.js": SOURCE("two") });
  await visit(APP, "/", { method: "POST", body: "second" });
});

it("shows a deploy, goes back to it with its data, and forth again", async () => {
  expect(await ask("GET", `/apps/${APP}/deploys/1`)).toMatchObject({ number: 1, state: "started", failure: null });
  expect(await ask("POST", `/apps/${APP}/rollback`, { deploy: 1 })).toMatchObject({ deploy: 3 });
  expect(await visitText(APP)).toBe("one second");
  expect(await ask("POST", `/apps/${APP}/rollback`, { deploy: 1, data: true })).toMatchObject({ deploy: 4 });
  expect(await visitText(APP)).toBe("one first");
  expect(await ask("POST", `/apps/${APP}/rollback`, { deploy: 2, data: true })).toMatchObject({ deploy: 5 });
  expect(await visitText(APP)).toBe("two second");
  expect(await ask("POST", `/apps/${APP}/redeploy`)).toMatchObject({ deploy: 6 });
  expect(await ask("GET", `/apps/${APP}`)).toMatchObject({ live: { number: 6 } });
});

it("takes, restores and removes a snapshot", async () => {
  const { id } = await ask<{ id: number }>("POST", `/apps/${APP}/snapshots`);
  await visit(APP, "/", { method: "POST", body: "third" });
  await ask("POST", `/apps/${APP}/snapshots/${id}/restore`);
  expect(await visitText(APP)).toBe("two second");
  await ask("DELETE", `/apps/${APP}/snapshots/${id}`);
  expect(await codeOf(await call("DELETE", `/apps/${APP}/snapshots/${id}`))).toBe("not-found");
  expect(await codeOf(await call("POST", `/apps/${APP}/snapshots/${id}/restore`))).toBe("not-found");
});

it("gives a preview other data, removes it and brings it back", async () => {
  await commit({ "a.txt": "a" }, "try");
  expect(await previewText()).toBe("two second");
  expect(await ask("POST", `/apps/${APP}/previews`, { branch: "try", data: "empty" })).toMatchObject({
    state: "alive",
  });
  expect(await previewText()).toBe("two nothing");
  await ask("DELETE", `/apps/${APP}/previews/try`);
  expect(await codeOf(await call("DELETE", `/apps/${APP}/previews/try`))).toBe("preview-not-found");
  expect(await ask("POST", `/apps/${APP}/previews`, { branch: "try" })).toMatchObject({ slug: "try", state: "alive" });
  expect(await previewText()).toBe("two second");
  const unknown = await call("POST", `/apps/${APP}/previews`, { body: { branch: "nowhere" } });
  expect(await codeOf(unknown)).toBe("preview-not-found");
});

it("removes an object with its data", async () => {
  const files = { "src/index.js": ROOMS_SOURCE, "wrangler.jsonc": ROOMS_CONFIG };
  await ask("POST", `/apps/${ROOMS}/commits`, { files, message: "Open a room" });
  expect([await visitText(ROOMS), await visitText(ROOMS)]).toEqual(["1", "2"]);
  const { objects } = await ask<{ objects: { id: string }[] }>("GET", `/apps/${ROOMS}/objects`);
  expect(objects).toHaveLength(1);
  const path = `/apps/${ROOMS}/objects/Room/${objects[0]?.id}`;
  await ask("DELETE", path);
  expect(await codeOf(await call("DELETE", path))).toBe("not-found");
  expect(await visitText(ROOMS)).toBe("1");
});

it.each([
  ["a deploy to come", "/rollback", { deploy: 99 }, "not-found"],
  ["no deploy", "/rollback", {}, "invalid-request"],
  ["a snapshot to come", "/snapshots/99/restore", undefined, "not-found"],
])("does not go back to %s", async (_name, path, body, code) => {
  expect(await codeOf(await call("POST", `/apps/${APP}${path}`, { body }))).toBe(code);
});

it("has nothing to go back to where nothing was deployed", async () => {
  await ask("POST", "/apps", { name: "going-nowhere" });
  expect(await codeOf(await call("POST", "/apps/going-nowhere/redeploy"))).toBe("app-not-deployed");
  expect(await codeOf(await call("POST", "/apps/going-nowhere/snapshots"))).toBe("app-not-deployed");
  expect(await codeOf(await call("POST", "/apps/nowhere-at-all/redeploy"))).toBe("not-found");
});
