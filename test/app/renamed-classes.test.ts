// Classes of named objects that a wrangler configuration renames, through the whole push: the objects stay where they are, and every version
// finds them by its own configuration.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call } from "../http/api-client.ts";
import { supervisorOf, visit } from "./deployment.ts";

/** A Worker whose objects of `className` keep what they are told. */
function source(className: string, more = ""): string {
  return `import { DurableObject } from "cloudflare:workers";
export class ${className} extends DurableObject {
  async say(text) {
    const told = (await this.ctx.storage.get("told")) ?? [];
    if (text !== "") await this.ctx.storage.put("told", [...told, text]);
    return [...told, text].filter(Boolean).join(" ");
  }
  async alarmIn(ms) { await this.ctx.storage.setAlarm(Date.now() + ms); }
  async alarm() { await this.say("rung"); }
}
${more}
export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    if (url.pathname === "/exports") return new Response(Object.keys(ctx.exports).toSorted().join(" "));
    const namespace = env[url.searchParams.get("binding") ?? "PLACE"];
    const id = url.searchParams.has("id") ? namespace.idFromString(url.searchParams.get("id")) : namespace.idFromName("one");
    if (url.pathname === "/unique") return new Response(namespace.newUniqueId().toString());
    if (url.pathname === "/alarm") await namespace.get(id).alarmIn(60_000);
    return new Response(await namespace.get(id).say(url.searchParams.get("say") ?? ""));
  },
};
`;
}

function wrangler(classes: Readonly<Record<string, string>>, migrations: readonly object[]): string {
  const bindings = Object.entries(classes).map(([name, class_name]) => ({ name, class_name }));
  return JSON.stringify({
    main: "src/index.ts",
    compatibility_date: "2026-01-01",
    durable_objects: { bindings },
    migrations: migrations.map((migration, at) => ({ tag: `v${at + 1}`, ...migration })),
  });
}

async function commit(app: string, code: string, config: string, branch = "main"): Promise<string> {
  const files = { "src/index.ts": code, "wrangler.jsonc": config };
  const response = await call("POST", `/apps/${app}/commits`, { body: { message: "A change", files, branch } });
  const report = await response.json<{ lines: readonly string[] }>();
  expect(response.status, JSON.stringify(report)).toBe(200);
  return report.lines.join("\n");
}

const ask = async (app: string, path: string): Promise<string> => (await visit(app, path)).text();

const NEW = { new_sqlite_classes: ["Room"] };
const RENAMED = { renamed_classes: [{ from: "Room", to: "Hall" }] };

describe("a class that was renamed", () => {
  it("has the objects that it had by its old name, in production and previews, before and after a rollback", async () => {
    const app = "renamed";
    await commit(app, source("Room"), wrangler({ PLACE: "Room" }, [NEW]));
    expect(await ask(app, "/?say=first")).toBe("first");
    const unique = await ask(app, "/unique");
    expect(await ask(app, `/?id=${unique}&say=unique`)).toBe("unique");
    await ask(app, "/alarm");
    const lines = await commit(app, source("Hall"), wrangler({ PLACE: "Hall" }, [NEW, RENAMED]));
    expect(lines).toContain("Worker with class Hall");
    expect(lines).toContain("copy of");
    expect(lines).not.toContain("renamed_classes");
    expect(await ask(app, "/?say=second")).toBe("first second");
    expect(await ask(app, `/?id=${unique}`)).toBe("unique");
    expect(await ask(app, "/exports")).toBe("Hall default");
    await runInDurableObject(supervisorOf(app), (_, { storage }) => {
      storage.sql.exec("UPDATE alarms SET due_ms = 1");
    });
    await runDurableObjectAlarm(supervisorOf(app));
    await expect.poll(() => ask(app, "/")).toBe("first second rung");

    const listed = await (await call("GET", `/apps/${app}/objects`)).json<{ objects: { class: string }[] }>();
    expect(listed).toMatchObject({ count: 2, classes: [{ class: "Hall", count: 2, live: true }] });
    expect(listed.objects.map((object) => object.class)).toEqual(["Hall", "Hall"]);
    const kv = await call("GET", `/apps/${app}/kv?object=Hall/one`);
    expect(await kv.text()).toContain("second");

    await commit(app, source("Hall", "// changed"), wrangler({ PLACE: "Hall" }, [NEW, RENAMED]), "topic");
    const preview = await supervisorOf(app).fetch(`http://topic--${app}.localhost/?say=preview`);
    expect(await preview.text()).toBe("first second rung preview");

    expect((await call("POST", `/apps/${app}/rollback`, { body: { deploy: 1 } })).status).toBe(200);
    expect(await ask(app, "/exports")).toBe("Room default");
    expect(await ask(app, "/?say=third")).toBe("first second rung third");
    await commit(app, source("Hall", "// again"), wrangler({ PLACE: "Hall" }, [NEW, RENAMED]));
    expect(await ask(app, "/")).toBe("first second rung third");
  });

  it("leaves its old name to another class, whose objects are new", async () => {
    const app = "renamed-reused";
    await commit(app, source("Room"), wrangler({ PLACE: "Room" }, [NEW]));
    await ask(app, "/?say=first");
    const both = { PLACE: "Hall", OTHER: "Room" };
    await commit(app, source("Hall", "export class Room extends Hall {}"), wrangler(both, [NEW, RENAMED, NEW]));
    expect(await ask(app, "/?binding=OTHER&say=other")).toBe("other");
    expect(await ask(app, "/")).toBe("first");
    const listed = await (await call("GET", `/apps/${app}/objects?class=Room`)).json<{ objects: object[] }>();
    expect(listed.objects).toHaveLength(1);
    const [object] =
      (await supervisorOf(app).listObjects({ facet: "app", className: "Room", limit: 5 }))?.objects ?? [];
    if (object === undefined) throw new Error("There is no object.");
    expect((await call("DELETE", `/apps/${app}/objects/Room/${object.objectId}`)).status).toBe(204);
    expect(await ask(app, "/?binding=OTHER")).toBe("");
    expect(await ask(app, "/")).toBe("first");
  });
});
