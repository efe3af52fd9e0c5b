import { env } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { readCommit, readTree } from "../../src/git/object.ts";
import { openTemplateRepository } from "../../src/repo/template-repository.ts";
import { openObjectDatabase, readObject } from "../../src/store/object-database.ts";
import { PackCache } from "../../src/store/pack-cache.ts";

const templates = {
  tiny: { "README.md": "# tiny\n", "src/index.ts": "export {};\n", "src/deep/er.ts": "", "src.txt": "beside src/\n" },
  other: { "README.md": "# other\n" },
};

/** How often each of the bucket's methods is called. */
function counting(bucket: R2Bucket): { bucket: R2Bucket; calls: Record<string, number> } {
  const calls: Record<string, number> = {};
  const proxy = new Proxy(bucket, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...parameters: unknown[]): unknown => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        return Reflect.apply(value, target, parameters);
      };
    },
  });
  return { bucket: proxy, calls };
}

describe("openTemplateRepository", () => {
  test("is undefined for an unknown name", async () => {
    const host = { bucket: env.BUCKET, cache: new PackCache() };
    expect(await openTemplateRepository("nothing", host, templates)).toBeUndefined();
    expect(await openTemplateRepository("toString", host, templates)).toBeUndefined();
  });

  test("has one commit on main, with the files and a fixed author", async () => {
    const repository = await openTemplateRepository("tiny", { bucket: env.BUCKET, cache: new PackCache() }, templates);
    if (!repository) throw new Error("There is no template.");
    const { state, store } = repository;
    expect(state.head).toBe("refs/heads/main");
    expect(state.refs).toEqual([{ name: "refs/heads/main", id: "5a78f8f924a025ab224f6879261be0d2096ca737" }]);
    const odb = openObjectDatabase(store, state.packs);
    const commit = readCommit((await readObject(odb, state.refs[0]!.id)).bytes);
    expect(commit).toMatchObject({
      parentIds: [],
      author: { name: "Slipway", email: "templates@slipway.invalid", timeS: 1_767_225_600, timezone: "+0000" },
      message: "Start from the template tiny\n",
    });
    const root = readTree((await readObject(odb, commit.treeId)).bytes);
    expect(root.map(({ name }) => name)).toEqual(["README.md", "src.txt", "src"]);
    expect(state.packs[0]?.objectCount).toBe(8);
  });

  test("asks R2 once for each isolate, and writes once in all", async () => {
    const { bucket, calls } = counting(env.BUCKET);
    const cache = new PackCache();
    const first = await openTemplateRepository("other", { bucket, cache }, templates);
    expect(calls).toEqual({ head: 3, put: 3 });
    expect((await openTemplateRepository("other", { bucket, cache }, templates))?.state).toEqual(first?.state);
    expect(calls).toEqual({ head: 3, put: 3 });
    const elsewhere = await openTemplateRepository("other", { bucket, cache: new PackCache() }, templates);
    expect(elsewhere?.state).toEqual(first?.state);
    expect(calls).toEqual({ head: 6, put: 3 });
  });

  test("makes another commit of other content", async () => {
    const host = { bucket: env.BUCKET, cache: new PackCache() };
    const one = await openTemplateRepository("other", host, templates);
    const two = await openTemplateRepository("other", host, { other: { "README.md": "# changed\n" } });
    expect(one?.state.refs[0]?.id).not.toBe(two?.state.refs[0]?.id);
    expect(one?.state.packs[0]?.packId).not.toBe(two?.state.packs[0]?.packId);
  });
});
