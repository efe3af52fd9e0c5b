// The ref advertisement of protocol versions 0 and 1, for both services (gitprotocol-pack, upload-pack.c write_v0_ref,
// receive-pack.c show_ref). Version 2's is in protocol-v2.ts and ls-refs.ts.
import { formatCapabilities } from "./capabilities.ts";
import { type ObjectId, ZERO_ID } from "./object-id.ts";
import { FLUSH_PKT, encodePktLine } from "./pkt-line.ts";

/** One ref; `peeledId` is what an annotated tag names in the end. */
export interface AdvertisedRef {
  readonly name: string;
  readonly id: ObjectId;
  readonly peeledId?: ObjectId;
}

/** A repository's refs. `head` is the ref that HEAD stands for, which need not exist yet. */
export interface AdvertisedRefs {
  readonly head: string | undefined;
  readonly refs: readonly AdvertisedRef[];
}

/** What a client of versions 0 and 1 reads where a repository has no refs, to learn the capabilities. */
const NO_REFS = "capabilities^{}";

/** The body of GET info/refs?service=git-upload-pack: HEAD first, annotated tags with what they name. */
export function advertiseForUpload(repository: AdvertisedRefs, version: 0 | 1): Uint8Array<ArrayBuffer> {
  const head = findHead(repository);
  const refs = sortRefs(repository.refs);
  const lines = (head === undefined ? refs : [{ ...head, name: "HEAD" }, ...refs]).flatMap((ref) =>
    ref.peeledId === undefined
      ? [`${ref.id} ${ref.name}`]
      : [`${ref.id} ${ref.name}`, `${ref.peeledId} ${ref.name}^{}`],
  );
  const symref = head === undefined ? {} : { symref: `HEAD:${head.name}` };
  return format({
    service: "git-upload-pack",
    version,
    lines,
    capabilities: formatCapabilities("git-upload-pack", symref),
  });
}

/** The body of GET info/refs?service=git-receive-pack: neither HEAD nor what tags name. */
export function advertiseForReceive(refs: readonly AdvertisedRef[], version: 0 | 1): Uint8Array<ArrayBuffer> {
  const lines = sortRefs(refs).map((ref) => `${ref.id} ${ref.name}`);
  return format({ service: "git-receive-pack", version, lines, capabilities: formatCapabilities("git-receive-pack") });
}

/** The ref that HEAD stands for, where it exists. */
export function findHead(repository: AdvertisedRefs): AdvertisedRef | undefined {
  return repository.refs.find((ref) => ref.name === repository.head);
}

/** In the order of their names, as git lists them. */
export function sortRefs(refs: readonly AdvertisedRef[]): AdvertisedRef[] {
  return refs.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}

interface Advertisement {
  readonly service: "git-upload-pack" | "git-receive-pack";
  readonly version: 0 | 1;
  readonly lines: readonly string[];
  readonly capabilities: string;
}

function format({ service, version, lines, capabilities }: Advertisement): Uint8Array<ArrayBuffer> {
  const [first = `${ZERO_ID} ${NO_REFS}`, ...others] = lines;
  return Buffer.concat([
    encodePktLine(`# service=${service}\n`),
    FLUSH_PKT,
    ...(version === 1 ? [encodePktLine("version 1\n")] : []),
    encodePktLine(`${first}\0${capabilities}\n`),
    ...others.map((line) => encodePktLine(`${line}\n`)),
    FLUSH_PKT,
  ]);
}
