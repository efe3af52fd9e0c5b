// Pushes made by hand, right and wrong, and answers taken apart: what a git client would never send.
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { OBJECT_KIND_NUMBERS } from "../../src/git/object.ts";
import { encodeEntryHeader } from "../../src/git/pack-entry.ts";
import { encodePktLine } from "../../src/git/pkt-line.ts";
import type { TinyObject } from "../git/tiny-repository.ts";

export const ZERO = "0".repeat(40);

/** What git 2.39 asks for. */
export const CAPABILITIES = "report-status side-band-64k object-format=sha1 agent=git/2.39.5";

/** [old id, new id, name]. */
export type Command = readonly [string, string, string];

export interface PushParts {
  readonly commands: readonly Command[];
  readonly capabilities?: string;
  readonly shallowIds?: readonly string[];
  readonly pushOptions?: readonly string[];
  readonly pack?: Uint8Array;
}

/** The body of POST git-receive-pack. */
export function pushBody({
  commands,
  capabilities = CAPABILITIES,
  shallowIds = [],
  pushOptions,
  pack,
}: PushParts): Buffer {
  const lines = commands.map(([oldId, newId, name], at) =>
    encodePktLine(`${oldId} ${newId} ${name}${at === 0 ? `\0 ${capabilities}` : ""}`),
  );
  const options = pushOptions === undefined ? [] : [...pushOptions.map((option) => encodePktLine(option)), FLUSH];
  const shallows = shallowIds.map((id) => encodePktLine(`shallow ${id}`));
  return Buffer.concat([...shallows, ...lines, FLUSH, ...options, pack ?? Buffer.alloc(0)]);
}

export const FLUSH: Uint8Array = Buffer.from("0000");

/** An entry as its bytes: what a pack should not have. */
export type PackPart = TinyObject | Uint8Array;

/** A pack of the parts one after the other. The header's count and the trailer are the right ones unless given. */
export function packOf(
  parts: readonly PackPart[],
  wrong: { readonly count?: number; readonly checksum?: Uint8Array; readonly version?: number } = {},
): Buffer {
  const header = Buffer.from("PACK\0\0\0\0\0\0\0\0");
  header.writeUInt32BE(wrong.version ?? 2, 4);
  header.writeUInt32BE(wrong.count ?? parts.length, 8);
  const content = Buffer.concat([header, ...parts.map((part) => ("kind" in part ? entryOf(part) : part))]);
  return Buffer.concat([content, wrong.checksum ?? createHash("sha1").update(content).digest()]);
}

/** One whole object as it lies in a pack. */
export function entryOf({ kind, bytes }: TinyObject): Buffer {
  return Buffer.concat([encodeEntryHeader(OBJECT_KIND_NUMBERS[kind], bytes.byteLength), deflateSync(bytes)]);
}

/** An answer to a push, taken apart. */
export interface PushAnswer {
  /** What follows "unpack "; undefined: there is no report. */
  readonly unpack: string | undefined;
  /** "ok" or what follows "ng <ref> ", by ref name. */
  readonly refs: Readonly<Record<string, string>>;
  /** Lines of report-status-v2. */
  readonly options: readonly string[];
  /** What the pusher reads. */
  readonly progress: string;
  /** What did not fit the protocol. */
  readonly faults: readonly string[];
}

/** Reads the report, in a side-band or bare. */
export function readPushAnswer(text: string, hasSideBand: boolean): PushAnswer {
  const faults: string[] = [];
  let report = text;
  let progress = "";
  if (hasSideBand) {
    const bands = readPackets(text, faults);
    report = bands.flatMap((packet) => (packet?.startsWith("\u0001") ? [packet.slice(1)] : [])).join("");
    progress = bands.flatMap((packet) => (packet?.startsWith("\u0002") ? [packet.slice(1)] : [])).join("");
    for (const packet of bands) if (packet !== undefined && packet.charCodeAt(0) - 1 > 2) faults.push(`band ${packet}`);
    if (text !== "" && bands.at(-1) !== undefined) faults.push("no flush after the side-band");
  }
  const lines = readPackets(report, faults);
  if (report !== "" && lines.at(-1) !== undefined) faults.push("no flush after the report");
  const refs: Record<string, string> = {};
  const options: string[] = [];
  let unpack: string | undefined;
  for (const line of lines) {
    const [word, name = "", ...reason] = line?.trimEnd().split(" ") ?? [];
    if (word === "unpack") unpack = [name, ...reason].join(" ");
    else if (word === "ok") refs[name] = "ok";
    else if (word === "ng") refs[name] = reason.join(" ");
    else if (word === "option") options.push([name, ...reason].join(" "));
    else if (word !== undefined) faults.push(`line ${line}`);
  }
  return { unpack, refs, options, progress, faults };
}

/** Payloads; undefined is a flush. */
function readPackets(text: string, faults: string[] = []): (string | undefined)[] {
  const packets: (string | undefined)[] = [];
  for (let at = 0; at < text.length;) {
    const length = Number.parseInt(text.slice(at, at + 4), 16);
    if (length === 0) packets.push(undefined);
    else if (length >= 4 && at + length <= text.length) packets.push(text.slice(at + 4, at + length));
    else {
      faults.push(`packet ${JSON.stringify(text.slice(at, at + 20))}`);
      return packets;
    }
    at += Math.max(4, length);
  }
  return packets;
}

/** The refs of an advertisement in version 0: ids by name. */
export function readAdvertisedRefs(text: string): Record<string, string> {
  const lines = readPackets(text).flatMap((line) => (line === undefined || line.startsWith("#") ? [] : [line]));
  const refs = lines.map((line) => line.split("\0", 1)[0]?.trimEnd() ?? "");
  return Object.fromEntries(refs.map((ref) => [ref.slice(41), ref.slice(0, 40)] as const));
}
