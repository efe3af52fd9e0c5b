import * as fc from "fast-check";
import { expect } from "vitest";
import { formatCapabilities, parseCapabilities, splitCapability } from "../../src/git/capabilities.ts";
import { parseObjectFilter } from "../../src/git/object-filter.ts";
import {
  encodeEntryHeader,
  encodeOfsDeltaHeader,
  encodeRefDeltaHeader,
  readEntryHeader,
} from "../../src/git/pack-entry.ts";
import { type PktLine, PktLineReader, encodePktLine, encodeSideBand, pktText } from "../../src/git/pkt-line.ts";
import { readCommandRequest } from "../../src/git/protocol-v2.ts";
import { parseRefName } from "../../src/git/ref-name.ts";
import { readUpdateRequest } from "../../src/git/update-request.ts";
import { readUploadRequest } from "../../src/git/upload-request.ts";
import { wire } from "../git/wire.ts";
import { chunkSizes, nearly, streamOfChunks } from "./mutation.ts";
import { outcomeOfAsync } from "./outcome.ts";
import { holds } from "./property.ts";
import { commandRequests, updateRequests, uploadRequests } from "./requests.ts";

const payload = fc.oneof(
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65_000, max: 65_516 }).map((length) => new Uint8Array(length).fill(7)) },
);
const packet: fc.Arbitrary<PktLine> = fc.oneof(
  { weight: 6, arbitrary: payload.map((bytes) => ({ kind: "data" as const, payload: bytes })) },
  { weight: 1, arbitrary: fc.constantFrom({ kind: "flush" as const }, { kind: "delimiter" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "response-end" as const }) },
);

const MARKS = { flush: "0000", delimiter: "0001", "response-end": "0002" };

function encode(packets: readonly PktLine[]): Uint8Array {
  return Buffer.concat(
    packets.map((each) => (each.kind === "data" ? encodePktLine(each.payload) : Buffer.from(MARKS[each.kind]))),
  );
}

async function readAll(reader: PktLineReader): Promise<PktLine[]> {
  const packets: PktLine[] = [];
  for (let next = await reader.read(); next !== undefined; next = await reader.read()) {
    // Arrays of one class, whichever chunk they are views of.
    packets.push(next.kind === "data" ? { kind: "data", payload: new Uint8Array(next.payload) } : next);
  }
  return packets;
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

holds(
  "pkt-lines come out as they went in",
  30,
  fc.asyncProperty(
    fc.array(packet, { maxLength: 8 }),
    fc.nat(8),
    fc.uint8Array(),
    chunkSizes,
    async (packets, split, rest, sizes) => {
      const reader = new PktLineReader(streamOfChunks(encode(packets), sizes));
      const read = await readAll(reader);
      expect(read).toEqual(packets);
      const first = packets.slice(0, split);
      const halfway = new PktLineReader(streamOfChunks(Buffer.concat([encode(first), rest]), sizes));
      for (const _ of first) await halfway.read();
      expect(await bytesOf(halfway.rest())).toEqual(rest);
      const sideBand = first.flatMap((each) => (each.kind === "data" ? encodeSideBand(2, each.payload, 995) : []));
      const unpacked = await readAll(new PktLineReader(streamOfChunks(Buffer.concat(sideBand), sizes)));
      const contents = unpacked.map((each) => (each.kind === "data" ? each.payload.subarray(1) : Buffer.from("?")));
      const sent = first.map((each) => (each.kind === "data" ? each.payload : Buffer.from("")));
      expect(Buffer.concat(contents)).toEqual(Buffer.concat(sent));
    },
  ),
);

holds(
  "pkt-lines of any bytes",
  50,
  fc.asyncProperty(nearly(fc.array(packet, { maxLength: 5 }).map(encode)), chunkSizes, async (bytes, sizes) => {
    const outcomes = [sizes, [70_000], [1]].map((each) =>
      outcomeOfAsync(["protocol-error"], readAll(new PktLineReader(streamOfChunks(bytes, each)))),
    );
    const [first, second, third] = await Promise.all(outcomes);
    expect(first).toEqual(second);
    expect(first).toEqual(third);
    if (typeof first === "object") for (const each of first) if (each.kind === "data") pktText(each.payload);
  }),
);

const hexId = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const printable = fc.stringMatching(/^[a-z/@.-]{1,20}$/);

holds(
  "update requests come out as they went in",
  30,
  fc.asyncProperty(
    fc.array(fc.record({ oldId: hexId, newId: hexId, name: printable }), { minLength: 1, maxLength: 5 }),
    fc.array(hexId, { maxLength: 3 }),
    fc.array(printable, { maxLength: 3 }),
    fc.record({ pack: fc.uint8Array(), sizes: chunkSizes }),
    async (commands, shallowIds, pushOptions, { pack, sizes }) => {
      const lines = commands.map(({ oldId, newId, name }) => `${oldId} ${newId} ${name}`);
      lines[0] += "\0 report-status push-options agent=x";
      const head = wire(...shallowIds.map((id) => `shallow ${id}`), ...lines, "0000", ...pushOptions, "0000");
      const reader = new PktLineReader(streamOfChunks(Buffer.concat([head, pack]), sizes));
      const request = await readUpdateRequest(reader);
      expect(request).toMatchObject({ commands, shallowIds, pushOptions, isProbe: false });
      expect([...request.capabilities]).toEqual([
        ["report-status", true],
        ["push-options", true],
        ["agent", "x"],
      ]);
      expect(await bytesOf(reader.rest())).toEqual(pack);
    },
  ),
);

holds(
  "update requests of any bytes",
  50,
  fc.asyncProperty(nearly(updateRequests()), chunkSizes, async (bytes, sizes) => {
    const read = readUpdateRequest(new PktLineReader(streamOfChunks(bytes, sizes)), { maxLines: 6, maxBytes: 2000 });
    const outcome = await outcomeOfAsync(["protocol-error", "push-too-large"], read);
    if (typeof outcome === "string") return;
    expect(outcome.commands.length + outcome.shallowIds.length + outcome.pushOptions.length).toBeLessThanOrEqual(6);
    for (const { oldId, newId } of outcome.commands) expect(`${oldId}${newId}`).toMatch(/^[0-9a-f]{80}$/);
  }),
);

holds(
  "upload requests of any bytes",
  50,
  fc.asyncProperty(nearly(uploadRequests()), chunkSizes, async (bytes, sizes) => {
    const outcome = await outcomeOfAsync(
      ["protocol-error"],
      readUploadRequest(new PktLineReader(streamOfChunks(bytes, sizes))),
    );
    if (typeof outcome !== "object") return;
    expect(outcome.wanted.wantIds.size).toBeGreaterThan(0);
  }),
);

holds(
  "command requests of any bytes",
  50,
  fc.asyncProperty(nearly(commandRequests()), chunkSizes, async (bytes, sizes) => {
    await outcomeOfAsync(["protocol-error"], readCommandRequest(new PktLineReader(streamOfChunks(bytes, sizes))));
  }),
);

const word = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom("__proto__", "tree:9", "blob:limit=1g"),
);

holds(
  "words of requests",
  100,
  fc.property(
    word,
    fc.array(fc.constantFrom("combine:", "+", "%2b", "tree:1", "blob:none", "%", "~")),
    (any, parts) => {
      const filter = parseObjectFilter(parts.join("")) ?? parseObjectFilter(any);
      if (filter !== undefined) expect(Math.min(filter.treeDepth, filter.blobBytes)).toBeGreaterThanOrEqual(0);
      const { name, value } = splitCapability(any);
      expect(value === true ? name : `${name}=${value}`).toBe(any);
      for (const [known] of parseCapabilities("git-upload-pack", any)) expect(any).toContain(known);
      expect(parseCapabilities("git-receive-pack", formatCapabilities("git-receive-pack")).size).toBeGreaterThan(5);
      const refName = parseRefName(`refs/${any}`);
      if (refName === undefined) return;
      expect(refName).not.toMatch(/[ ~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.$|\/$|\.lock(\/|$)/);
      expect(Array.from(refName).every((character) => character > " " && character !== "\u007f")).toBe(true);
    },
  ),
);

const entrySize = fc.oneof(fc.nat(), fc.maxSafeNat());

holds(
  "entry headers",
  100,
  fc.property(
    fc.integer({ min: 1, max: 4 }),
    entrySize,
    entrySize,
    fc.uint8Array({ maxLength: 40 }),
    (type, size, distance, any) => {
      const whole = encodeEntryHeader(type, size);
      expect(readEntryHeader(whole, 0)).toMatchObject({ sizeBytes: size, end: whole.byteLength });
      const near = distance % 2 ** 45;
      const ofs = encodeOfsDeltaHeader(size, near);
      expect(readEntryHeader(ofs, 0)).toEqual({
        kind: "ofs-delta",
        sizeBytes: size,
        distance: near,
        end: ofs.byteLength,
      });
      const ref = encodeRefDeltaHeader(size, new Uint8Array(20));
      expect(readEntryHeader(ref, 0)).toMatchObject({ kind: "ref-delta", sizeBytes: size, end: ref.byteLength });
      for (let cut = 0; cut < ofs.byteLength; cut++) expect(readEntryHeader(ofs.subarray(0, cut), 0)).toBeUndefined();
      const header = readEntryHeader(any, 0);
      if (header !== undefined) expect(header.end).toBeLessThanOrEqual(any.byteLength);
    },
  ),
);
