// Makes objects and packs of them in memory, with their index and edge file, for tests of what reads packs.
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";
import { EdgeCollector } from "../../src/git/edge-collector.ts";
import { EdgeFile, writeEdgeFile } from "../../src/git/edge-file.ts";
import { MultiPackIndex } from "../../src/git/multi-pack-index.ts";
import { ObjectGraph } from "../../src/git/object-graph.ts";
import { ObjectIdTable } from "../../src/git/object-id-table.ts";
import { type ObjectId, objectIdToBytes } from "../../src/git/object-id.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS, hashObject } from "../../src/git/object.ts";
import { encodeEntryHeader, encodeOfsDeltaHeader, encodeRefDeltaHeader } from "../../src/git/pack-entry.ts";
import { PackIndex, sortIds, writePackIndex } from "../../src/git/pack-index.ts";
import { encodePackHeader } from "../../src/git/pack-write.ts";

export interface TinyObject {
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
  readonly id: ObjectId;
}

export interface TinyPack {
  readonly pack: Uint8Array;
  readonly idx: Uint8Array;
  readonly edges: Uint8Array;
  readonly packId: string;
  readonly objectCount: number;
}

/** An object, or one to be stored as a delta that copies nothing and inserts everything. */
export type TinyEntry =
  | TinyObject
  | { readonly object: TinyObject; readonly base: ObjectId; readonly by: "offset" | "id" };

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

export function makeObject(kind: ObjectKind, bytes: Uint8Array): TinyObject {
  return { kind, bytes, id: hashObject(kind, bytes) };
}

export function makeBlob(content: string): TinyObject {
  return makeObject("blob", text(content));
}

/** Entries by name; git's order is the caller's to keep. */
export function makeTree(entries: Readonly<Record<string, TinyObject>>): TinyObject {
  const parts = Object.entries(entries).flatMap(([name, object]) => [
    text(`${object.kind === "tree" ? "40000" : "100644"} ${name}\0`),
    objectIdToBytes(object.id),
  ]);
  return makeObject("tree", Buffer.concat(parts));
}

export function makeCommit(tree: TinyObject, parents: readonly TinyObject[], timeS = 1_700_000_000): TinyObject {
  const lines = [
    `tree ${tree.id}`,
    ...parents.map((parent) => `parent ${parent.id}`),
    `author A <a@example.com> ${timeS} +0000`,
    `committer A <a@example.com> ${timeS} +0000`,
  ];
  return makeObject("commit", text(`${lines.join("\n")}\n\nsubject\n`));
}

export function makeTag(target: TinyObject, name: string): TinyObject {
  const lines = [
    `object ${target.id}`,
    `type ${target.kind}`,
    `tag ${name}`,
    "tagger A <a@example.com> 1700000000 +0000",
  ];
  return makeObject("tag", text(`${lines.join("\n")}\n\nmessage\n`));
}

/** A pack of the entries in that order. */
export function makePack(entries: readonly TinyEntry[]): TinyPack {
  const table = new ObjectIdTable();
  const edges = new EdgeCollector(table);
  const ids = new Uint8Array(entries.length * 20);
  const crcs: number[] = [];
  const offsets: number[] = [];
  const parts = [encodePackHeader(entries.length)];
  let end = 12;
  entries.forEach((entry, i) => {
    const object = "object" in entry ? entry.object : entry;
    const stored = encodeEntry(entry, (base) => {
      const position = entries.findIndex((other) => ("object" in other ? other.object : other).id === base);
      return end - (offsets[position] ?? 0);
    });
    ids.set(objectIdToBytes(object.id), i * 20);
    offsets.push(end);
    crcs.push(crc32(stored));
    parts.push(stored);
    end += stored.byteLength;
    const number = table.add(objectIdToBytes(object.id));
    edges.add({ number, kind: object.kind, sizeBytes: object.bytes.byteLength }, object.bytes);
  });
  const content = Buffer.concat(parts);
  const checksum = createHash("sha1").update(content).digest();
  const order = sortIds(ids, entries.length);
  const numbers = Array.from(order, (i) => table.find(ids, i * 20));
  return {
    pack: Buffer.concat([content, checksum]),
    idx: writePackIndex({ count: entries.length, ids, crcs, offsets }, checksum, order),
    edges: writeEdgeFile(edges.columns(numbers)),
    packId: checksum.toString("hex"),
    objectCount: entries.length,
  };
}

export function makeGraph(packs: readonly (readonly TinyEntry[])[]): ObjectGraph {
  const made = packs.map((entries) => makePack(entries));
  const objects = new MultiPackIndex(made.map(({ idx }) => new PackIndex(idx)));
  return new ObjectGraph(
    objects,
    made.map(({ edges }) => new EdgeFile(edges)),
  );
}

/** The numbers of objects in a graph. */
export function numbersOf(graph: ObjectGraph, objects: readonly TinyObject[]): number[] {
  return objects.map((object) => graph.objects.find(objectIdToBytes(object.id)));
}

/** Bytes in the given chunk sizes, to cross packet borders. */
export function streamOf(bytes: Uint8Array, chunkBytes = 7): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunkBytes));
      at += chunkBytes;
    },
  });
}

function encodeEntry(entry: TinyEntry, distanceTo: (base: ObjectId) => number): Uint8Array {
  if (!("object" in entry)) {
    return Buffer.concat([
      encodeEntryHeader(OBJECT_KIND_NUMBERS[entry.kind], entry.bytes.byteLength),
      deflateSync(entry.bytes),
    ]);
  }
  const { object, base, by } = entry;
  const delta = insertDelta(object.bytes, baseSizes.get(base) ?? 0);
  const header =
    by === "offset"
      ? encodeOfsDeltaHeader(delta.byteLength, distanceTo(base))
      : encodeRefDeltaHeader(delta.byteLength, objectIdToBytes(base));
  return Buffer.concat([header, deflateSync(delta)]);
}

/** The sizes of bases, which a delta states: what deltaOf was given. */
const baseSizes = new Map<ObjectId, number>();

/** The object as a delta against the base. */
export function deltaOf(object: TinyObject, base: TinyObject, by: "offset" | "id"): TinyEntry {
  baseSizes.set(base.id, base.bytes.byteLength);
  return { object, base: base.id, by };
}

function insertDelta(result: Uint8Array, baseBytes: number): Uint8Array {
  const parts = [encodeSize(baseBytes), encodeSize(result.byteLength)];
  for (let at = 0; at < result.byteLength; at += 127) {
    const inserted = result.subarray(at, at + 127);
    parts.push(Uint8Array.of(inserted.byteLength), inserted);
  }
  return Buffer.concat(parts);
}

function encodeSize(size: number): Uint8Array {
  const bytes: number[] = [];
  let rest = size;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
