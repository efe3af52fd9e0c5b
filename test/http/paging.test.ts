// Every list of the API, taken from its OpenAPI document: all of them page in the same way.
import { beforeAll, describe, expect, it } from "vitest";
import { supervisorOf } from "../app/deployment.ts";
import { call, codeOf } from "./api-client.ts";
import { isPart, readOperations, type Operation } from "./openapi.ts";

/** What has lists in its answer and is none: counts by day as far back as was asked for, and the last calls that memory has. */
const REPORTS = ["/apps/{app}/usage", "/apps/{app}/egress"];

const APP = "paged";
const ROOMS = "paged-rooms";

const SOURCE = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    for (const name of ["one", "two", "three"]) {
      ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS " + name + " (id INTEGER PRIMARY KEY)");
      ctx.storage.kv.put(name, 1);
    }
  }
  fetch() { console.log("asked"); return new Response("hello"); }
}
`;

const ROOMS_SOURCE = `import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  async fetch() { await this.ctx.storage.put("a", 1); return new Response("room"); }
}
export default { fetch: (request, env) => env.ROOM.getByName(new URL(request.url).pathname).fetch(request) };
`;

const ROOMS_CONFIG = JSON.stringify({
  name: ROOMS,
  main: "src/index.js",
  durable_objects: { bindings: [{ name: "ROOM", class_name: "Room" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Room"] }],
});

async function change(method: string, path: string, body?: unknown): Promise<void> {
  const response = await call(method, path, { body });
  expect(response.ok, await response.text()).toBe(true);
}

/** Three of everything that is listed, at least. */
beforeAll(async () => {
  const files = { "src/index.js": SOURCE, "a.txt": "a", "b.txt": "b", "c/d.txt": "d" };
  await change("POST", `/apps/${APP}/commits`, { files, message: "Begin" });
  await change("PATCH", `/apps/${APP}/env`, { A: { value: "1" }, B: { value: "2" }, C: { value: "3", secret: true } });
  for (const name of ["one", "two", "three"]) {
    // oxlint-disable no-await-in-loop -- one after the other, as their owner would
    await change("POST", `/apps/${APP}/commits`, { branch: name, files: { "a.txt": name }, message: `Try ${name}` });
    await change("POST", `/apps/${APP}/snapshots`);
    await change("POST", `/apps/${APP}/tokens`, { name, access: "read" });
    await (await supervisorOf(APP).fetch(`http://${APP}.localhost/${name}`)).text();
    // oxlint-enable no-await-in-loop
  }
  await change("POST", `/apps/${ROOMS}/commits`, {
    files: { "src/index.js": ROOMS_SOURCE, "wrangler.jsonc": ROOMS_CONFIG },
    message: "Open rooms",
  });
  for (const name of ["one", "two", "three"]) {
    // oxlint-disable-next-line no-await-in-loop -- few
    expect(await (await supervisorOf(ROOMS).fetch(`http://${ROOMS}.localhost/${name}`)).text()).toBe("room");
  }
  await change("POST", "/apps", { name: "paged-too" });
});

/** The fields of an answer that are lists. */
function listsOf({ responses }: Operation): readonly string[] {
  const { properties } = responses["200"]?.content?.["application/json"]?.schema ?? {};
  if (!isPart(properties)) return [];
  return Object.entries(properties).flatMap(([name, schema]) =>
    isPart(schema) && schema["type"] === "array" ? [name] : [],
  );
}

function addressOf({ path }: Operation): string {
  return path.replace("{app}", path.endsWith("/objects") ? ROOMS : APP).replace("{number}", "1");
}

async function readLists(): Promise<readonly Operation[]> {
  const operations = await readOperations();
  return operations.filter((each) => each.method === "GET" && listsOf(each).length > 0 && !REPORTS.includes(each.path));
}

interface Page {
  readonly entries: readonly unknown[];
  readonly next: string | undefined;
  /** Where the Link header leads, below /api/v1. */
  readonly link: string | undefined;
}

async function readPage(operation: Operation, address: string): Promise<Page> {
  const response = await call("GET", address);
  const { next, ...answer } = await response.json<Record<string, unknown[]> & { next?: string }>();
  expect(response.status, JSON.stringify(answer)).toBe(200);
  const [name = ""] = listsOf(operation);
  const listed = answer[name] ?? [];
  const link = /^<\/api\/v1(.+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
  // Lines of a log stand oldest first, and its pages go back from the newest.
  return { entries: name === "lines" ? listed.toReversed() : listed, next, link };
}

describe("a list of the API", () => {
  it("takes limit and cursor, wherever it is, and answers with next", async () => {
    const lists = await readLists();
    expect(lists.length).toBeGreaterThan(12);
    for (const { path, parameters = [], responses } of lists) {
      const names = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
      expect(names, path).toEqual(expect.arrayContaining(["limit", "cursor"]));
      const { properties, required } = responses["200"]?.content?.["application/json"]?.schema ?? {};
      expect(properties, path).toMatchObject({ next: { type: "string" } });
      expect(required, path).not.toContain("next");
    }
  });

  it("has the same entries a few at a time as all at once", async () => {
    for (const operation of await readLists()) {
      const { path } = operation;
      const address = addressOf(operation);
      // oxlint-disable no-await-in-loop -- list by list, page by page
      const all = await readPage(operation, `${address}?limit=1000`);
      expect(all.entries.length, path).toBeGreaterThan(2);
      const walked: unknown[] = [];
      for (let at: string | undefined = `${address}?limit=2`; at !== undefined && walked.length < 7;) {
        const page: Page = await readPage(operation, at);
        walked.push(...page.entries);
        expect(page.link === undefined, path).toBe(page.next === undefined);
        if (page.link !== undefined) {
          expect(page.entries, path).toHaveLength(2);
          expect(new URL(page.link, "http://localhost").searchParams.get("cursor"), path).toBe(page.next);
        }
        at = page.link;
      }
      // oxlint-enable no-await-in-loop
      expect(walked, path).toEqual(all.entries.slice(0, walked.length));
      if (walked.length < 7) expect(walked, path).toHaveLength(all.entries.length);
    }
  });

  it("keeps what else was asked for in the address of the next page", async () => {
    const response = await call("GET", `/apps/${APP}/kv?limit=1&prefix=t`);
    const next = `/api/v1/apps/${APP}/kv?limit=1&prefix=t&cursor=three`;
    expect(response.headers.get("link")).toBe(`<${next}>; rel="next"`);
  });

  it.each(["limit=0", "limit=1001", "limit=-1", "limit=1.5", "limit=many", "limit=", `cursor=${"~".repeat(5000)}`])(
    "refuses %.20s",
    async (query) => {
      for (const operation of await readLists()) {
        // oxlint-disable-next-line no-await-in-loop -- list by list
        const refused = await call("GET", `${addressOf(operation)}?${query}`);
        expect(refused.status, operation.path).toBe(400);
        // oxlint-disable-next-line no-await-in-loop -- as above
        expect(await codeOf(refused), operation.path).toBe("invalid-request");
      }
    },
  );

  it.each([
    ["an entry that is not there", `/apps/${APP}/snapshots?cursor=99999`],
    ["another list", `/apps/${APP}/deploys?cursor=main`],
    ["no number", `/audit?cursor=-1`],
    ["no name", "/apps?cursor=Not--valid"],
  ])("refuses a cursor of %s", async (_name, address) => {
    expect(await codeOf(await call("GET", address))).toBe("invalid-request");
  });
});
