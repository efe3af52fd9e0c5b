import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { objectIdToBytes } from "../../src/git/object-id.ts";
import {
  type ObjectDatabase,
  findMissing,
  findObject,
  forEachKindAtHand,
  forEachObject,
  openObjectDatabase,
  readObject,
  readObjects,
} from "../../src/store/object-database.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { type PackStore, writePackFiles } from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import {
  type TinyEntry,
  type TinyObject,
  deltaOf,
  makeBlob,
  makeCommit,
  makeObject,
  makePack,
  makeTree,
} from "../git/tiny-repository.ts";
import { spyOn } from "../repo/bucket-spy.ts";

let store: PackStore;
let operations: string[];
let repositoryCount = 0;

beforeEach(() => {
  const spy = spyOn(env.BUCKET);
  operations = spy.operations;
  store = { bucket: spy.bucket, cache: new PackCache(), repositoryId: `object-database-${++repositoryCount}` };
});

/** A repository of packs that were stored one after the other, by another isolate. */
async function makeDatabase(...packs: readonly (readonly TinyEntry[])[]): Promise<ObjectDatabase> {
  const rows: PackRow[] = [];
  for (const entries of packs) {
    const { pack, idx, edges, packId, objectCount } = makePack(entries);
    await writePackFiles({ ...store, cache: new PackCache() }, packId, { pack, idx, edges });
    rows.push({ packId, objectCount, packBytes: pack.byteLength, createdAtMs: rows.length });
  }
  operations.length = 0;
  return openObjectDatabase(store, rows);
}

function idsOf(objects: readonly TinyObject[]): Uint8Array {
  return Buffer.concat(objects.map(({ id }) => objectIdToBytes(id)));
}

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

const blob = makeBlob("hello\n");
const tree = makeTree({ "hello.txt": blob });
const commit = makeCommit(tree, []);
const unknown = makeBlob("not stored");

describe("findObject", () => {
  test("looks into the newest pack first and reads no more indexes than it needs", async () => {
    const odb = await makeDatabase([blob], [tree], [commit]);
    expect((await findObject(odb, commit.id))?.pack).toBe(odb.packs[0]);
    expect(operations).toEqual(["get idx"]);
    expect((await findObject(odb, blob.id))?.pack).toBe(odb.packs[2]);
    expect(await findObject(odb, unknown.id)).toBeUndefined();
    expect(operations).toEqual(["get idx", "get idx", "get idx"]);
  });
});

describe("findMissing", () => {
  test("says which ids no pack has, by position", async () => {
    const odb = await makeDatabase([blob], [tree, commit]);
    expect(await findMissing(odb, idsOf([unknown, blob, makeBlob("neither"), commit]))).toEqual([0, 2]);
    expect(await findMissing(odb, new Uint8Array(0))).toEqual([]);
  });

  test("counts what a stored object names as stored", async () => {
    const odb = await makeDatabase([blob], [tree, commit]);
    expect(await findMissing(odb, idsOf([blob]))).toEqual([]);
    expect(operations).toEqual(["get idx", "get edges"]);
  });
});

describe("forEachKindAtHand", () => {
  test("tells the kinds of what is in packs that were read, and reads no other", async () => {
    const odb = await makeDatabase([blob], [tree], [commit]);
    await findMissing(odb, idsOf([tree]));
    const kinds: [number, string][] = [];
    operations.length = 0;
    forEachKindAtHand(odb, idsOf([blob, unknown, commit, tree]), (position, kind) => void kinds.push([position, kind]));
    expect(kinds).toEqual([[2, "commit"]]);
    expect(operations).toEqual([]);
  });
});

describe("readObject", () => {
  test("reads whole objects and deltas of every kind of base", async () => {
    const [a, b, c] = [makeBlob("a"), makeBlob("bb"), makeBlob("ccc")];
    const odb = await makeDatabase([commit, tree, blob, deltaOf(c, b, "id"), a, deltaOf(b, a, "offset")]);
    for (const { id, kind, bytes } of [commit, tree, blob, a, b, c, a, c]) {
      expect(await readObject(odb, id)).toEqual({ kind, bytes: Uint8Array.from(bytes) });
    }
    expect(operations).toEqual(["get idx", "get pack"]);
  });

  test("gives bytes out that the caller may change", async () => {
    const odb = await makeDatabase([blob]);
    (await readObject(odb, blob.id)).bytes.fill(0);
    expect((await readObject(odb, blob.id)).bytes).toEqual(Uint8Array.from(blob.bytes));
  });

  test("throws object-missing for what is not stored", async () => {
    const odb = await makeDatabase([blob]);
    await expect(readObject(odb, unknown.id)).rejects.toMatchObject({ code: "object-missing" });
    await expect(readObject(odb, unknown.id)).rejects.toBeInstanceOf(HostingError);
  });

  test("reads an empty object", async () => {
    const empty = makeBlob("");
    const odb = await makeDatabase([empty, deltaOf(blob, empty, "offset")]);
    expect((await readObject(odb, empty.id)).bytes.byteLength).toBe(0);
    expect((await readObject(odb, blob.id)).bytes).toEqual(Uint8Array.from(blob.bytes));
  });
});

describe("readObjects", () => {
  test("reads from several packs, each of them once", async () => {
    const odb = await makeDatabase([blob], [tree, commit]);
    const objects = await readObjects(odb, [blob.id, commit.id, tree.id, blob.id]);
    expect([...objects.keys()].toSorted()).toEqual([blob.id, commit.id, tree.id].toSorted());
    expect(operations.toSorted()).toEqual(["get idx", "get idx", "get pack", "get pack"]);
  });

  test("throws object-missing if any is not stored", async () => {
    const odb = await makeDatabase([blob]);
    await expect(readObjects(odb, [blob.id, unknown.id])).rejects.toMatchObject({ code: "object-missing" });
  });
});

describe("forEachObject", () => {
  test("reads a large pack in blocks, each of them once", async () => {
    const large = Array.from({ length: 30 }, () => makeObject("blob", noise(150_000)));
    const last = large.at(-1) ?? blob;
    const delta = makeBlob("delta");
    const odb = await makeDatabase([...large, deltaOf(delta, last, "offset")]);
    const seen: string[] = [];
    const ids = [delta, ...large].map(({ id }) => id);
    await forEachObject(odb, ids.toReversed(), (id, { bytes }) => {
      seen.push(id);
      const expected = [delta, ...large].find((object) => object.id === id);
      expect(Buffer.compare(bytes, expected?.bytes ?? new Uint8Array())).toBe(0);
    });
    expect(seen).toEqual([...large, delta].map(({ id }) => id));
    expect(operations.filter((operation) => operation === "get pack")).toHaveLength(9);
  });
});
