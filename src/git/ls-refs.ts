// The command ls-refs of protocol version 2 (gitprotocol-v2, ls-refs.c).
import { HostingError } from "../errors.ts";
import { FLUSH_PKT, type PktLineReader, encodePktLine, pktText } from "./pkt-line.ts";
import { type AdvertisedRef, type AdvertisedRefs, findHead, sortRefs } from "./ref-advertisement.ts";

/** From so many prefixes on, git ignores them all (TOO_MANY_PREFIXES). */
const TOO_MANY_PREFIXES = 65536;
const MAX_PREFIX_CHARACTERS = 4 * 1024 * 1024;
/** What HEAD stands for before anything was pushed: the name that a first push then makes the production branch. */
const DEFAULT_BRANCH = "refs/heads/main";

export interface LsRefsRequest {
  readonly hasPeel: boolean;
  readonly hasSymrefs: boolean;
  readonly hasUnborn: boolean;
  /** Refs that begin with one of these; all refs if there is none. */
  readonly prefixes: ReadonlySet<string>;
}

/** Reads the arguments up to the flush; no reader, no arguments. Errors: HostingError "protocol-error". */
export async function readLsRefsRequest(reader: PktLineReader | undefined): Promise<LsRefsRequest> {
  const flags = new Set<string>();
  const prefixes = new Set<string>();
  let prefixCount = 0;
  let characters = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = reader === undefined ? ({ kind: "flush" } as const) : await reader.read();
    if (packet?.kind === "flush") break;
    if (packet?.kind !== "data") throw invalid("do not end with a flush packet");
    const line = pktText(packet.payload);
    if (line.startsWith("ref-prefix ")) {
      prefixCount += 1;
      characters += line.length;
      if (characters > MAX_PREFIX_CHARACTERS) throw invalid("are too long");
      if (prefixCount < TOO_MANY_PREFIXES) prefixes.add(line.slice("ref-prefix ".length));
    } else if (line === "peel" || line === "symrefs" || line === "unborn") {
      flags.add(line);
    } else {
      throw invalid(`have the unexpected line ${JSON.stringify(line.slice(0, 200))}`);
    }
  }
  return {
    hasPeel: flags.has("peel"),
    hasSymrefs: flags.has("symrefs"),
    hasUnborn: flags.has("unborn"),
    prefixes: prefixCount < TOO_MANY_PREFIXES ? prefixes : new Set(),
  };
}

/** The answer: HEAD first, then the refs in order. */
export function writeLsRefs(repository: AdvertisedRefs, request: LsRefsRequest): Uint8Array<ArrayBuffer> {
  const head = findHead(repository);
  const symref = request.hasSymrefs ? ` symref-target:${repository.head ?? DEFAULT_BRANCH}` : "";
  const matches = prefixMatcher(request.prefixes);
  const lines: string[] = [];
  if (matches("HEAD")) {
    if (head !== undefined) lines.push(`${formatRef({ ...head, name: "HEAD" }, symref, request)}\n`);
    else if (request.hasUnborn && request.hasSymrefs) lines.push(`unborn HEAD${symref}\n`);
  }
  for (const ref of sortRefs(repository.refs)) {
    if (matches(ref.name)) lines.push(`${formatRef(ref, "", request)}\n`);
  }
  return Buffer.concat([...lines.map((line) => encodePktLine(line)), FLUSH_PKT]);
}

function formatRef(ref: AdvertisedRef, symref: string, request: LsRefsRequest): string {
  const peeled = request.hasPeel && ref.peeledId !== undefined ? ` peeled:${ref.peeledId}` : "";
  return `${ref.id} ${ref.name}${symref}${peeled}`;
}

/** One look-up for each length of prefix, so that 65,535 prefixes cost no more than a few. */
function prefixMatcher(prefixes: ReadonlySet<string>): (name: string) => boolean {
  if (prefixes.size === 0) return () => true;
  const lengths = [...new Set([...prefixes].map((prefix) => prefix.length))];
  return (name) => lengths.some((length) => length <= name.length && prefixes.has(name.slice(0, length)));
}

function invalid(what: string): HostingError {
  return new HostingError("protocol-error", `The arguments of ls-refs ${what}.`);
}
