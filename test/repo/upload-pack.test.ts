import { env } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { Inflater } from "../../src/git/inflater.ts";
import { encodePktLine } from "../../src/git/pkt-line.ts";
import { readEntryHeader } from "../../src/git/pack-entry.ts";
import { parseRefName } from "../../src/git/ref-name.ts";
import { ingestPack } from "../../src/repo/pack-ingest.ts";
import type { Repository } from "../../src/repo/repository.ts";
import {
  type ProtocolVersion,
  advertiseReceivePack,
  advertiseUploadPack,
  uploadPack,
} from "../../src/repo/upload-pack.ts";
import { openObjectDatabase, readObjects } from "../../src/store/object-database.ts";
import { PackCache } from "../../src/store/pack-cache.ts";
import { writePackFiles } from "../../src/store/pack-store.ts";
import type { PackRow } from "../../src/store/repository-state.ts";
import { STORED_SETTINGS } from "../store/stored-settings.ts";
import {
  type TinyEntry,
  type TinyObject,
  deltaOf,
  makeBlob,
  makeCommit,
  makeObject,
  makePack,
  makeTag,
  makeTree,
  streamOf,
  text,
} from "../git/tiny-repository.ts";

// v1 - v2 - v3 on main, v1 - topic. One file changes each time, and stays large enough for its deltas to matter.
const makeFile = (n: number): TinyObject => makeBlob(`${"a line of the file\n".repeat(20)}${n}\n`);
const [file1, file2, file3, file4] = [makeFile(1), makeFile(2), makeFile(3), makeFile(4)];
const files = [file1, file2, file3, file4];
const same = makeBlob("same\n");
const makeRoot = (file: TinyObject): TinyObject => makeTree({ file, same });
const [tree1, tree2, tree3, tree4] = [makeRoot(file1), makeRoot(file2), makeRoot(file3), makeRoot(file4)];
const c1 = makeCommit(tree1, [], 1000);
const c2 = makeCommit(tree2, [c1], 2000);
const c3 = makeCommit(tree3, [c2], 3000);
const topic = makeCommit(tree4, [c1], 4000);
const tag = makeTag(c2, "v2");
const lost = makeCommit(tree1, [], 1);
const history = [c3, c2, c1, topic, tag, tree3, tree2, tree1, tree4, same];
// file3 is whole; file2 and file1 are deltas of what came before, as git stores older versions. file4 names its base by id.
const deltas: readonly TinyEntry[] = [
  file3,
  deltaOf(file2, file3, "offset"),
  deltaOf(file1, file2, "offset"),
  deltaOf(file4, file1, "id"),
];

let count = 0;

async function makeRepository(
  packs: readonly (readonly TinyEntry[])[],
  refs: Readonly<Record<string, TinyObject>>,
  bucket: R2Bucket = env.BUCKET,
): Promise<Repository> {
  const store = { bucket, cache: new PackCache(), repositoryId: `upload-pack-${++count}` };
  const rows: PackRow[] = [];
  for (const entries of packs) {
    const { pack, idx, edges, packId, objectCount } = makePack(entries);
    await writePackFiles(store, packId, { pack, idx, edges });
    rows.push({ packId, objectCount, packBytes: pack.byteLength, createdAtMs: rows.length });
  }
  const state = {
    repositoryId: store.repositoryId,
    head: parseRefName("refs/heads/main"),
    refs: Object.entries(refs).map(([name, object]) => ({
      name: parseRefName(name)!,
      id: object.id,
      ...(object === tag ? { peeledId: c2.id } : {}),
    })),
    packs: rows,
    settings: STORED_SETTINGS,
  };
  return { state, store: { ...store, cache: new PackCache() } };
}

const REFS = { "refs/heads/main": c3, "refs/heads/topic": topic, "refs/tags/v2": tag };

function wire(lines: readonly string[]): Uint8Array {
  return Buffer.concat(lines.map((line) => (/^000[012]$/.test(line) ? text(line) : encodePktLine(`${line}\n`))));
}

async function post(repository: Repository, version: ProtocolVersion, lines: readonly string[]): Promise<Buffer> {
  return readAll(await uploadPack(repository, version, streamOf(wire(lines))));
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Answer {
  /** Lines without their newline, and "0000" and "0001". */
  readonly lines: readonly string[];
  readonly pack: Uint8Array;
  readonly progress: string;
}

/** Splits an answer; what begins with PACK is the rest of one without a side-band. */
function parse(answer: Buffer, isSideBand = true): Answer {
  const lines: string[] = [];
  const pack: Uint8Array[] = [];
  let progress = "";
  for (let at = 0; at < answer.byteLength;) {
    if (answer.toString("latin1", at, at + 4) === "PACK") return { lines, pack: answer.subarray(at), progress };
    const length = Number.parseInt(answer.toString("latin1", at, at + 4), 16);
    const payload = answer.subarray(at + 4, at + Math.max(4, length));
    const channel = isSideBand ? payload[0] : undefined;
    if (length < 4) lines.push(`000${length}`);
    else if (channel === 1) pack.push(payload.subarray(1));
    else if (channel === 2) progress += payload.toString("utf8", 1);
    else lines.push(payload.toString("utf8").replace(/\n$/, ""));
    at += Math.max(4, length);
  }
  return { lines, pack: Buffer.concat(pack), progress };
}

/** Takes the pack in where the client has the given objects, and returns the ids of all objects sent. */
async function receive(pack: Uint8Array, had: readonly TinyObject[] = []): Promise<string[]> {
  const client = await makeRepository(had.length === 0 ? [] : [had], {});
  const outcome = await ingestPack(new Blob([pack]).stream(), client.store, { packs: client.state.packs, nowMs: 0 });
  if (outcome.kind === "refused") throw new Error(outcome.reason);
  if (outcome.pack === undefined) return [];
  const odb = openObjectDatabase(client.store, [outcome.pack]);
  const index = await odb.packs[0]!.index();
  const ids = Array.from({ length: index.count }, (_, n) => index.idAt(n));
  await readObjects(odb, ids);
  expect(outcome.objectCount).toBeLessThanOrEqual(ids.length);
  return ids.toSorted();
}

function idsOf(...objects: readonly TinyObject[]): string[] {
  return objects.map(({ id }) => id as string).toSorted();
}

/** How each entry of a pack is stored. */
function kindsOf(pack: Uint8Array): string[] {
  const kinds: string[] = [];
  const inflater = new Inflater();
  for (let at = 12; at < pack.byteLength - 20;) {
    const header = readEntryHeader(pack, at);
    if (!header) throw new Error(`No entry begins at byte ${at}.`);
    kinds.push(header.kind);
    inflater.reset();
    inflater.step(pack.subarray(header.end), new Uint8Array(header.sizeBytes + 1));
    at = header.end + inflater.usedBytes;
  }
  inflater.close();
  return kinds;
}

function fetchLines(wants: readonly TinyObject[], more: readonly string[] = ["ofs-delta", "done"]): string[] {
  return ["command=fetch", "0001", ...wants.map(({ id }) => `want ${id}`), ...more, "0000"];
}

describe("uploadPack, version 2", () => {
  test("sends a stored pack as it is where that is what is asked for", async () => {
    const entries = [...deltas, ...history];
    const repository = await makeRepository([entries], REFS);
    const { lines, pack, progress } = parse(await post(repository, 2, fetchLines([c3, topic, tag])));
    expect(lines).toEqual(["packfile", "0000"]);
    expect(pack).toEqual(Buffer.from(makePack(entries).pack));
    expect(progress).toBe("Enumerating objects: 14, done.\n");
  });

  test("is silent with no-progress", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    expect(parse(await post(repository, 2, fetchLines([c3], ["no-progress", "done"]))).progress).toBe("");
  });

  test("keeps deltas whose bases are sent, at their new distances", async () => {
    const repository = await makeRepository([[lost, makeBlob("in between"), ...deltas, ...history]], REFS);
    const { pack } = parse(await post(repository, 2, fetchLines([c3])));
    expect(await receive(pack)).toEqual(idsOf(c1, c2, c3, tree1, tree2, tree3, same, file1, file2, file3));
    expect(kindsOf(pack).filter((kind) => kind === "ofs-delta").length).toBe(2);
  });

  test("names bases by their ids where the client knows no offsets", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const { pack } = parse(await post(repository, 2, fetchLines([c3, topic, tag], ["done"])));
    expect(await receive(pack)).toEqual(idsOf(...files, ...history));
    expect(kindsOf(pack).filter((kind) => kind === "ref-delta").length).toBe(3);
    expect(kindsOf(pack)).not.toContain("ofs-delta");
  });

  test("sends an object whole where its base is not sent", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const { pack } = parse(await post(repository, 2, fetchLines([c2], ["ofs-delta", "deepen 1", "done"])));
    const kinds = kindsOf(pack);
    expect(kinds.toSorted()).toEqual(["blob", "blob", "commit", "tree"]);
  });

  test("sends an object whole whose base would come after it", async () => {
    const repository = await makeRepository(
      [[deltaOf(file2, file3, "id"), lost, file3, file1, file4, ...history]],
      REFS,
    );
    const { pack } = parse(await post(repository, 2, fetchLines([c3])));
    expect(kindsOf(pack)).not.toContain("ref-delta");
    expect(await receive(pack)).toEqual(idsOf(c1, c2, c3, tree1, tree2, tree3, same, file1, file2, file3));
  });

  test("sends a delta without its base only to a client that has it and takes thin packs", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const haves = [`have ${c1.id}`, "ofs-delta", "done"];
    const had = [c1, tree1, file1, same];
    const thin = parse(await post(repository, 2, fetchLines([topic], ["thin-pack", ...haves]))).pack;
    expect(kindsOf(thin).toSorted()).toEqual(["commit", "ref-delta", "tree"]);
    expect(await receive(thin, had)).toEqual(idsOf(topic, tree4, file4, file1));
    const whole = parse(await post(repository, 2, fetchLines([topic], haves))).pack;
    expect(kindsOf(whole).toSorted()).toEqual(["blob", "commit", "tree"]);
    expect(await receive(whole, had)).toEqual(idsOf(topic, tree4, file4));
    const filtered = parse(
      await post(repository, 2, fetchLines([topic], ["thin-pack", "filter blob:limit=1m", ...haves])),
    );
    expect(kindsOf(filtered.pack)).not.toContain("ref-delta");
  });

  test("sends what several packs hold once", async () => {
    // As pushes leave them: the second completes a thin pack with a base that the first has.
    const first = [c1, tree1, file1, same];
    const second = [c2, tree2, deltaOf(file2, file1, "id"), c3, tree3, deltaOf(file3, file2, "offset"), tag, file1];
    const third = [topic, tree4, deltaOf(file4, file1, "id"), file1];
    const repository = await makeRepository([first, second, third], REFS);
    const { pack } = parse(await post(repository, 2, fetchLines([c3, topic, tag])));
    expect(await receive(pack)).toEqual(idsOf(...files, ...history));
  });

  test("answers haves, and is ready when they are enough", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const unknown = "1".repeat(40);
    const ask = (...more: string[]) => post(repository, 2, fetchLines([c3, topic], more));
    expect(parse(await ask(`have ${unknown}`)).lines).toEqual(["acknowledgments", "NAK", "0000"]);
    expect(parse(await ask(`have ${c2.id}`)).lines).toEqual([
      "acknowledgments",
      `ACK ${c2.id}`,
      "ready",
      "0001",
      "packfile",
      "0000",
    ]);
    expect(parse(await ask(`have ${topic.id}`)).lines).toEqual(["acknowledgments", `ACK ${topic.id}`, "0000"]);
    expect(parse(await ask(`have ${c2.id}`, "wait-for-done")).lines).toEqual([
      "acknowledgments",
      `ACK ${c2.id}`,
      "0000",
    ]);
    expect(parse(await ask(`have ${c2.id}`, "done")).lines).toEqual(["packfile", "0000"]);
  });

  test("negotiates without wants where the client waits for done", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const answer = await post(repository, 2, fetchLines([], [`have ${c1.id}`, "wait-for-done"]));
    expect(parse(answer).lines).toEqual(["acknowledgments", `ACK ${c1.id}`, "0000"]);
    expect((await post(repository, 2, fetchLines([]))).byteLength).toBe(0);
  });

  const shallow = [
    [[c3], ["deepen 1"], [`shallow ${c3.id}`]],
    [[c3], ["deepen 2", `shallow ${c3.id}`], [`shallow ${c2.id}`, `unshallow ${c3.id}`]],
    [[c3], ["deepen 1", "deepen-relative", `shallow ${c3.id}`], [`shallow ${c2.id}`, `unshallow ${c3.id}`]],
    [[c3], ["deepen 2147483647", `shallow ${c3.id}`], [`unshallow ${c3.id}`]],
    [[c3], ["deepen-since 2500"], [`shallow ${c3.id}`]],
    [[c3], ["deepen-not v2"], [`shallow ${c3.id}`]],
    [[c3], [`shallow ${c3.id}`], []],
    [[c3], [`shallow ${"1".repeat(40)}`, "deepen 9"], []],
  ] as const;
  test.each(shallow)("updates shallow commits %#", async (wants, more, expected) => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const { lines } = parse(await post(repository, 2, fetchLines(wants, [...more, "done"])));
    expect(lines).toEqual(["shallow-info", ...expected, "0001", "packfile", "0000"]);
  });

  const refused = [
    [
      ["want 1234567890123456789012345678901234567890"],
      "ERR upload-pack: not our ref 1234567890123456789012345678901234567890",
    ],
    [[`want ${lost.id}`], `ERR upload-pack: not our ref ${lost.id}`],
    [[`want ${c3.id}`, "deepen-not nowhere"], "ERR upload-pack: deepen-not is not a ref: nowhere"],
    [[`want ${c3.id}`, "deepen-since 9999"], "ERR upload-pack: no commits selected for shallow requests"],
    [[`want ${c3.id}`, "filter sparse:oid=main"], "ERR upload-pack: filter 'sparse:oid=main' not supported"],
    [[`want ${c3.id}`, `shallow ${tree1.id}`], "ERR upload-pack: a shallow line names an object that is not a commit"],
  ] as const;
  test.each(refused)("refuses %j in the answer", async (more, line) => {
    const repository = await makeRepository([[...deltas, ...history, lost]], REFS);
    expect(parse(await post(repository, 2, fetchLines([], [...more, "done"]))).lines).toEqual([line]);
  });

  test("lists refs", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const answer = await post(repository, 2, ["command=ls-refs", "0001", "peel", "ref-prefix refs/tags/", "0000"]);
    expect(parse(answer).lines).toEqual([`${tag.id} refs/tags/v2 peeled:${c2.id}`, "0000"]);
  });

  test("follows tags where it is asked to", async () => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const sent = async (...more: string[]) =>
      receive(parse(await post(repository, 2, fetchLines([c3], [...more, "done"]))).pack);
    expect(await sent("include-tag")).toContain(tag.id);
    expect(await sent()).not.toContain(tag.id);
  });

  test("rejects what is not a request before the answer starts", async () => {
    const repository = await makeRepository([], {});
    await expect(post(repository, 2, ["command=fetch", "0001", "want x", "0000"])).rejects.toBeInstanceOf(HostingError);
    await expect(post(repository, 0, [`want ${c3.id}`])).rejects.toBeInstanceOf(HostingError);
  });
});

describe("uploadPack, versions 0 and 1", () => {
  const ask = async (capabilities: string, ...more: string[]): Promise<Answer> => {
    const repository = await makeRepository([[...deltas, ...history]], REFS);
    const isSideBand = capabilities.includes("side-band");
    return parse(await post(repository, 0, [`want ${c3.id} ${capabilities}`, ...more]), isSideBand);
  };
  const all = [c1, c2, c3, tree1, tree2, tree3, same, file1, file2, file3];

  test("sends a pack with and without side-band", async () => {
    const plain = await ask("ofs-delta", "0000", "done");
    expect(plain.lines).toEqual(["NAK"]);
    expect(await receive(plain.pack)).toEqual(idsOf(...all));
    const banded = await ask("ofs-delta side-band-64k", "0000", "done");
    expect(banded.lines).toEqual(["NAK", "0000"]);
    expect(banded.progress).toBe("Enumerating objects: 10, done.\n");
    expect(Buffer.from(banded.pack)).toEqual(Buffer.from(plain.pack));
    expect((await ask("ofs-delta side-band no-progress", "0000", "done")).progress).toBe("");
  });

  const unknown = "1".repeat(40);
  const negotiations = [
    ["", ["0000", `have ${unknown}`, "0000"], ["NAK"]],
    ["", ["0000", `have ${c1.id}`, "0000"], [`ACK ${c1.id}`]],
    ["", ["0000", `have ${c1.id}`, `have ${unknown}`, "done"], [`ACK ${c1.id}`]],
    ["multi_ack", ["0000", `have ${c1.id}`, "0000"], [`ACK ${c1.id} continue`, "NAK"]],
    [
      "multi_ack",
      ["0000", `have ${c1.id}`, `have ${unknown}`, "done"],
      [`ACK ${c1.id} continue`, `ACK ${unknown} continue`, `ACK ${c1.id}`],
    ],
    ["multi_ack_detailed", ["0000", `have ${unknown}`, "0000"], ["NAK"]],
    ["multi_ack_detailed", ["0000", `have ${c1.id}`, "0000"], [`ACK ${c1.id} common`, `ACK ${c1.id} ready`, "NAK"]],
    [
      "multi_ack_detailed",
      ["0000", `have ${c1.id}`, `have ${unknown}`, "0000"],
      [`ACK ${c1.id} common`, `ACK ${unknown} ready`, "NAK"],
    ],
    [
      "multi_ack_detailed no-done",
      ["0000", `have ${c1.id}`, "0000"],
      [`ACK ${c1.id} common`, `ACK ${c1.id} ready`, "NAK", `ACK ${c1.id}`],
    ],
    ["multi_ack_detailed", ["0000", `have ${c1.id}`, "done"], [`ACK ${c1.id} common`, `ACK ${c1.id}`]],
    ["multi_ack_detailed", ["0000", "done"], ["NAK"]],
  ] as const;
  test.each(negotiations)("acknowledges with %j: %j", async (capabilities, more, expected) => {
    expect((await ask(capabilities, ...more)).lines).toEqual(expected);
  });

  test("sends shallow lines before anything else", async () => {
    expect((await ask("shallow", "deepen 1", "0000")).lines).toEqual([`shallow ${c3.id}`, "0000"]);
    expect((await ask("shallow", "deepen 1", "0000", "done")).lines).toEqual([`shallow ${c3.id}`, "0000", "NAK"]);
    expect((await ask("shallow", `shallow ${c3.id}`, "0000", `have ${c3.id}`, "done")).lines).toEqual([`ACK ${c3.id}`]);
  });

  test("refuses what no ref reaches, in words", async () => {
    const repository = await makeRepository([[...deltas, ...history, lost]], REFS);
    const answer = await post(repository, 1, [`want ${lost.id}`, "0000", "done"]);
    expect(parse(answer, false).lines).toEqual([`ERR upload-pack: not our ref ${lost.id}`]);
  });

  test("has nothing to say to a client without wants", async () => {
    const repository = await makeRepository([], {});
    expect((await post(repository, 0, ["0000"])).byteLength).toBe(0);
  });
});

function random(bytes: number): Uint8Array {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65536) crypto.getRandomValues(content.subarray(at, at + 65536));
  return content;
}

describe("uploadPack of large objects", () => {
  test("reads no more than a few windows ahead of its reader", async () => {
    let reads = 0;
    const bucket = new Proxy(env.BUCKET, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...parameters: unknown[]): unknown => {
          if (name === "get") reads += 1;
          return Reflect.apply(value, target, parameters);
        };
      },
    });
    const blobs = Array.from({ length: 12 }, () => makeObject("blob", random(1_000_000)));
    const tree = makeTree(Object.fromEntries(blobs.map((blob, i) => [`f${String(i).padStart(2, "0")}`, blob])));
    const commit = makeCommit(tree, []);
    const repository = await makeRepository([[...blobs, tree, commit]], { "refs/heads/main": commit }, bucket);
    const body = wire(fetchLines([commit]));
    const reader = (await uploadPack(repository, 2, streamOf(body, 4096))).getReader();
    expect(reads).toBe(2);
    let received = 0;
    while (received < 500_000) received += (await reader.read()).value?.byteLength ?? 0;
    await scheduler.wait(50);
    expect(reads).toBeLessThanOrEqual(2 + 3);
    await reader.cancel();
    await scheduler.wait(50);
    expect(reads).toBeLessThanOrEqual(2 + 3);
  });

  test("sends a large blob whole whose base is not sent", async () => {
    const base = makeObject("blob", random(1_500_000));
    const blob = makeObject("blob", random(3_000_000));
    const [oldTree, tree] = [makeTree({ f: base }), makeTree({ f: blob })];
    const old = makeCommit(oldTree, []);
    const commit = makeCommit(tree, [old]);
    const entries = [base, deltaOf(blob, base, "offset"), oldTree, tree, old, commit];
    const repository = await makeRepository([entries], { "refs/heads/main": commit });
    const { pack } = parse(await post(repository, 2, fetchLines([commit], ["deepen 1", "done"])));
    expect(await receive(pack, [old, oldTree, base])).toEqual(idsOf(commit, tree, blob));
  });
});

describe("advertiseUploadPack", () => {
  test.each([
    [0, "# service=git-upload-pack"],
    [1, "# service=git-upload-pack"],
    [2, "version 2"],
  ] as const)("speaks version %i", async (version, first) => {
    const repository = await makeRepository([], {});
    expect(parse(Buffer.from(advertiseUploadPack(repository, version)), false).lines[0]).toBe(first);
  });
});

describe("advertiseReceivePack", () => {
  test("takes a repository that is not there for one without refs, and version 2 for version 0", () => {
    const lines = parse(Buffer.from(advertiseReceivePack(undefined, 2)), false).lines;
    expect(lines.slice(0, 2)).toEqual(["# service=git-receive-pack", "0000"]);
    expect(lines[2]).toContain("capabilities^{}");
  });
});
