// Requests to upload-pack, right and wrong, by hand: each client words them in its own way. `$name` stands for the id of an object
// of the history that the test makes, or for a time between its commits.
import { gzipSync } from "node:zlib";

export interface FetchCase {
  readonly name: string;
  readonly version: 0 | 1 | 2;
  /** Packets: lines without a newline, or "0000", "0001", "0002", or bytes as they are in a Uint8Array. */
  readonly packets: readonly (string | Uint8Array)[];
  readonly isGzipped?: boolean;
  /** Where the host means to do other than git. */
  readonly differs?: FetchDifference;
}

export interface FetchDifference {
  /** The host refuses what git answers, sends less of what the client has, or puts it another way. */
  readonly kind: "refused" | "fewer objects" | "other lines";
  readonly why: string;
}

const UNKNOWN = "1234567890123456789012345678901234567890";
const FULL = "multi_ack_detailed no-done side-band-64k thin-pack ofs-delta deepen-since deepen-not agent=git/2.39.5";

type Row = readonly [name: string, ...packets: (string | Uint8Array)[]];

const version2Fetches: readonly Row[] = [
  ["everything", "want $main", "done"],
  ["a branch", "ofs-delta", "want $aside", "done"],
  ["two branches", "want $main", "want $aside", "done"],
  ["the same want twice", "want $main", "want $main", "done"],
  ["a tag", "want $v1", "done"],
  ["a tag of a tag", "want $v2", "done"],
  ["a tag of a blob", "want $blob", "done"],
  ["a commit that is no tip", "want $old", "done"],
  ["a tree", "want $tree", "done"],
  ["a blob by its id", "want $file", "done"],
  ["an unknown object", `want ${UNKNOWN}`, "done"],
  ["what is there and what is not", "want $main", `want ${UNKNOWN}`, "done"],
  ["what no ref reaches", "want $lost", "done"],
  ["a blob that no ref reaches", "want $lostfile", "done"],
  ["an id in capital letters", "want $MAIN", "done"],
  ["no wants", "done"],
  ["nothing at all"],
  ["an abbreviated id", "want 12345", "done"],
  ["an id with something behind it", "want $main ofs-delta", "done"],
  ["an unknown argument", "want $main", "frobnicate", "done"],
  ["want-ref, which is not offered", "want-ref refs/heads/main", "done"],
  ["sideband-all, which is not offered", "sideband-all", "want $main", "done"],
  ["packfile-uris, which are not offered", "packfile-uris https", "want $main", "done"],
  ["a have", "thin-pack", "ofs-delta", "want $main", "have $old", "done"],
  ["a have that is wanted", "want $main", "have $main", "done"],
  ["a have of a later commit", "want $old", "have $main", "done"],
  ["an unknown have", "want $main", `have ${UNKNOWN}`, "done"],
  ["a have without done", "want $main", "have $old"],
  ["an unknown have without done", "want $main", `have ${UNKNOWN}`],
  ["several haves without done", "want $main", `have ${UNKNOWN}`, "have $old", "have $aside"],
  ["a have that leads nowhere, without done", "want $old", "have $aside"],
  ["a have of a tree", "want $main", "have $tree"],
  ["a have of a tag", "want $main", "have $v1", "done"],
  ["a have of a tag without done", "want $main", "have $v1"],
  ["a have of what no ref reaches", "want $main", "have $lost"],
  ["wait-for-done", "wait-for-done", "want $main", "have $old"],
  ["wait-for-done, and done", "wait-for-done", "want $main", "have $old", "done"],
  ["wait-for-done without wants", "wait-for-done", "have $old"],
  ["a have that is malformed", "want $main", "have x", "done"],
  ["include-tag", "include-tag", "want $main", "done"],
  ["include-tag with a have", "include-tag", "want $main", "have $old", "done"],
  ["depth 1", "deepen 1", "want $main", "done"],
  ["depth 1 of two", "deepen 1", "want $main", "want $aside", "done"],
  ["depth 2", "deepen 2", "want $main", "done"],
  ["depth 2 of a tag", "deepen 2", "want $v2", "done"],
  ["a depth over the history", "deepen 100", "want $main", "done"],
  ["infinite depth", "deepen 2147483647", "want $main", "shallow $main", "done"],
  ["depth 0", "deepen 0", "want $main", "done"],
  ["depth -1", "deepen -1", "want $main", "done"],
  ["a depth that is no number", "deepen x", "want $main", "done"],
  ["a depth of 99999999999", "deepen 99999999999", "want $main", "done"],
  ["a depth in hexadecimal", "deepen 0x2", "want $main", "done"],
  ["more depth", "deepen 3", "want $main", "shallow $main", "have $main", "done"],
  ["more depth, relatively", "deepen 1", "deepen-relative", "want $main", "shallow $main", "have $main", "done"],
  ["depth without done", "deepen 1", "want $main", "have $old"],
  ["since", "deepen-since $midtime", "want $main", "done"],
  ["since the end of time", "deepen-since 4102444800", "want $main", "done"],
  ["since 0", "deepen-since 0", "want $main", "done"],
  ["since what is no number", "deepen-since x", "want $main", "done"],
  ["not a branch", "deepen-not old", "want $main", "done"],
  ["not a ref by its full name", "deepen-not refs/heads/old", "want $main", "done"],
  ["not a tag", "deepen-not v1", "want $main", "done"],
  ["not an unknown ref", "deepen-not nowhere", "want $main", "done"],
  ["not what is wanted", "deepen-not main", "want $main", "done"],
  ["not HEAD", "deepen-not HEAD", "want $aside", "done"],
  ["not a ref by its id", "deepen-not $old", "want $main", "done"],
  ["since and not", "deepen-since $midtime", "deepen-not old", "want $main", "done"],
  ["depth and since", "deepen 1", "deepen-since $midtime", "want $main", "done"],
  ["depth and not", "deepen 1", "deepen-not old", "want $main", "done"],
  ["a shallow client", "want $main", "shallow $old", "have $old", "done"],
  ["a shallow client of an unknown commit", "want $main", `shallow ${UNKNOWN}`, "done"],
  ["a shallow line with a tree", "want $main", "shallow $tree", "done"],
  ["a shallow line that is malformed", "want $main", "shallow x", "done"],
  ["blob:none", "filter blob:none", "want $main", "done"],
  ["blob:none of a blob", "filter blob:none", "want $file", "done"],
  ["blob:none of a tree", "filter blob:none", "want $tree", "done"],
  ["blob:limit=10", "filter blob:limit=10", "want $main", "done"],
  ["blob:limit=1k", "filter blob:limit=1k", "want $main", "done"],
  ["blob:limit=0", "filter blob:limit=0", "want $main", "done"],
  ["tree:0", "filter tree:0", "want $main", "done"],
  ["tree:1", "filter tree:1", "want $main", "done"],
  ["tree:2", "filter tree:2", "want $main", "done"],
  ["tree:3 of a tree", "filter tree:3", "want $tree", "done"],
  ["object:type=commit", "filter object:type=commit", "want $main", "done"],
  ["object:type=blob", "filter object:type=blob", "want $main", "done"],
  ["object:type=tree", "filter object:type=tree", "want $main", "done"],
  ["object:type=tag", "filter object:type=tag", "want $v1", "done"],
  ["object:type=x", "filter object:type=x", "want $main", "done"],
  ["a combination", "filter combine:blob:none+tree:2", "want $main", "done"],
  ["an encoded combination", "filter combine:blob%3anone+tree%3a1", "want $main", "done"],
  ["a combination of nothing", "filter combine:", "want $main", "done"],
  ["sparse:oid", "filter sparse:oid=$file", "want $main", "done"],
  ["sparse:path", "filter sparse:path=a", "want $main", "done"],
  ["an unknown filter", "filter frobnicate", "want $main", "done"],
  ["an empty filter", "filter ", "want $main", "done"],
  ["two filters", "filter blob:none", "filter tree:1", "want $main", "done"],
  ["a filter and depth", "filter blob:none", "deepen 1", "want $main", "done"],
  ["a filter and a have", "filter blob:none", "thin-pack", "ofs-delta", "want $main", "have $old", "done"],
  ["an empty line", "want $main", new Uint8Array(Buffer.from("0004")), "done"],
];

const refused = (why: string): FetchDifference => ({ kind: "refused", why });
const HAD: FetchDifference = { kind: "fewer objects", why: "the client has the trees of the commits that it has" };

/** By the names of requests in version 2. */
const DIFFERENCES: Readonly<Record<string, FetchDifference>> = {
  "what no ref reaches": refused("what a forced push dropped is nobody's to read"),
  "a blob that no ref reaches": refused("what a forced push dropped is nobody's to read"),
  "an id with something behind it": refused("git looks at the first 40 characters"),
  "packfile-uris, which are not offered": refused("git reads it all the same"),
  "a depth in hexadecimal": refused("no client writes it"),
  "sparse:oid": refused("not offered to any purpose: it needs the names in all trees"),
  "the size of what is no id": refused("git says so in the answer's middle and goes on"),
  "the size of what no ref reaches": { kind: "other lines", why: "it is unknown here" },
  "infinite depth": HAD,
  "more depth": HAD,
  "more depth, relatively": HAD,
  "depth without done": HAD,
};

const version2: readonly FetchCase[] = [
  ...version2Fetches.map(([name, ...packets]) => command(name, "fetch", packets)),
  command("the refs", "ls-refs", []),
  command("the refs with all there is", "ls-refs", ["peel", "symrefs", "unborn"]),
  command("the refs below a prefix", "ls-refs", ["ref-prefix refs/tags/", "peel"]),
  command("the refs below two prefixes", "ls-refs", ["ref-prefix HEAD", "ref-prefix refs/heads/", "symrefs"]),
  command("the refs of part of a name", "ls-refs", ["ref-prefix refs/heads/ma"]),
  command("the refs of no name", "ls-refs", ["ref-prefix refs/nothing/"]),
  command("the refs of an empty prefix", "ls-refs", ["ref-prefix "]),
  command("the refs with an unknown argument", "ls-refs", ["frobnicate"]),
  command("an unknown command", "frobnicate", []),
  command("the sizes of objects", "object-info", ["size", "oid $main", "oid $file", `oid ${UNKNOWN}`]),
  command("the sizes of nothing", "object-info", ["size"]),
  command("the size of what is no id", "object-info", ["size", "oid x"]),
  command("the size of what no ref reaches", "object-info", ["size", "oid $lost"]),
  { name: "no command", version: 2, packets: ["agent=x", "0000"] },
  { name: "a command of no arguments", version: 2, packets: ["command=ls-refs", "0000"] },
  { name: "a command without the end", version: 2, packets: ["command=ls-refs", "0001"] },
  { name: "two commands", version: 2, packets: ["command=ls-refs", "command=fetch", "0001", "0000"] },
  { name: "an unknown capability", version: 2, packets: ["command=ls-refs", "frobnicate", "0001", "0000"] },
  { name: "SHA-256", version: 2, packets: ["command=ls-refs", "object-format=sha256", "0001", "0000"] },
  { name: "SHA-1", version: 2, packets: ["command=ls-refs", "object-format=sha1", "0001", "0000"] },
  {
    name: "capabilities first",
    version: 2,
    packets: ["agent=x", "object-format=sha1", "command=ls-refs", "0001", "0000"],
  },
  {
    name: "a server option, which is not read",
    version: 2,
    packets: ["command=ls-refs", "server-option=x", "0001", "0000"],
  },
  {
    name: "two requests",
    version: 2,
    packets: ["command=ls-refs", "0001", "0000", "command=ls-refs", "0001", "peel", "0000"],
  },
  { name: "an empty body", version: 2, packets: [] },
  { name: "a flush", version: 2, packets: ["0000"] },
  { name: "garbage", version: 2, packets: [new Uint8Array(Buffer.from("zzzz"))] },
  { name: "a length that is too short", version: 2, packets: [new Uint8Array(Buffer.from("0003"))] },
  { name: "a packet cut off", version: 2, packets: [new Uint8Array(Buffer.from("0032want"))] },
  {
    name: "a compressed request",
    version: 2,
    packets: ["command=fetch", "0001", "want $main", "done", "0000"],
    isGzipped: true,
  },
];

function command(name: string, word: string, args: readonly (string | Uint8Array)[]): FetchCase {
  return {
    name,
    version: 2,
    packets: [`command=${word}`, "agent=git/2.39.5", "object-format=sha1", "0001", ...args, "0000"],
  };
}

const version0Cases: readonly Row[] = [
  ["everything", `want $main ${FULL}`, "0000", "done"],
  ["everything without capabilities", "want $main", "0000", "done"],
  ["a capability that was never offered", "want $main frobnicate", "0000", "done"],
  ["a small side-band", "want $main side-band", "0000", "done"],
  ["both side-bands", "want $main side-band side-band-64k", "0000", "done"],
  ["no-progress", `want $main ${FULL} no-progress`, "0000", "done"],
  ["a flush after done", `want $main ${FULL}`, "0000", "done", "0000"],
  ["two wants", `want $main ${FULL}`, "want $aside", "0000", "done"],
  ["a tag", `want $v2 ${FULL}`, "0000", "done"],
  ["include-tag", `want $main ${FULL} include-tag`, "0000", "done"],
  ["an unknown object", `want ${UNKNOWN} ${FULL}`, "0000", "done"],
  ["what no ref reaches", `want $lost ${FULL}`, "0000", "done"],
  ["a commit that is no tip", `want $old ${FULL}`, "0000", "done"],
  ["what is no id", "want x", "0000", "done"],
  ["no wants but haves", "0000", "have $old", "done"],
  ["only a flush", "0000"],
  ["only wants", `want $main ${FULL}`, "0000"],
  ["wants without a flush", `want $main ${FULL}`],
  ["an unknown line", `want $main ${FULL}`, "frobnicate", "0000", "done"],
  ["an unknown line among the haves", `want $main ${FULL}`, "0000", "frobnicate", "done"],
  ["an empty body"],
  ["garbage", new Uint8Array(Buffer.from("zzzz"))],
  ["a packet cut off", new Uint8Array(Buffer.from("0032want"))],
  ["a have, single acknowledgment", "want $main ofs-delta", "0000", "have $old", "0000"],
  ["an unknown have, single acknowledgment", "want $main", "0000", `have ${UNKNOWN}`, "0000"],
  ["several haves, single acknowledgment", "want $main", "0000", `have ${UNKNOWN}`, "have $old", "have $aside", "0000"],
  ["haves and done, single acknowledgment", "want $main", "0000", "have $old", "have $aside", "done"],
  ["a have, multi_ack", "want $main multi_ack", "0000", "have $old", "0000"],
  ["several haves, multi_ack", "want $main multi_ack", "0000", `have ${UNKNOWN}`, "have $old", "have $aside", "0000"],
  ["unknown after known, multi_ack", "want $main multi_ack", "0000", "have $old", `have ${UNKNOWN}`, "0000"],
  ["haves and done, multi_ack", "want $main multi_ack side-band-64k", "0000", "have $old", `have ${UNKNOWN}`, "done"],
  ["a have, in detail", "want $main multi_ack_detailed", "0000", "have $old", "0000"],
  ["a have that leads nowhere, in detail", "want $old multi_ack_detailed", "0000", "have $aside", "0000"],
  [
    "several haves, in detail",
    "want $main multi_ack_detailed",
    "0000",
    `have ${UNKNOWN}`,
    "have $old",
    "have $aside",
    "0000",
  ],
  ["unknown after known, in detail", "want $main multi_ack_detailed", "0000", "have $old", `have ${UNKNOWN}`, "0000"],
  ["unknown haves only, in detail", "want $main multi_ack_detailed", "0000", `have ${UNKNOWN}`, "0000"],
  ["haves and done, in detail", "want $main multi_ack_detailed thin-pack ofs-delta", "0000", "have $old", "done"],
  ["unknown haves and done, in detail", "want $main multi_ack_detailed", "0000", `have ${UNKNOWN}`, "done"],
  ["no-done", `want $main ${FULL}`, "0000", "have $old", "0000"],
  ["no-done with a have that leads nowhere", `want $old ${FULL}`, "0000", "have $aside", "0000"],
  [
    "two rounds in one request",
    "want $main multi_ack_detailed",
    "0000",
    `have ${UNKNOWN}`,
    "0000",
    "have $old",
    "done",
  ],
  ["two rounds, single acknowledgment", "want $main", "0000", `have ${UNKNOWN}`, "0000", "have $old", "done"],
  ["flushes before done", "want $main multi_ack", "0000", "have $old", "0000", "0000", "done"],
  [
    "two rounds that both end in a flush",
    "want $main multi_ack_detailed",
    "0000",
    "have $old",
    "0000",
    "have $aside",
    "0000",
  ],
  ["a have of a tag", "want $main multi_ack_detailed", "0000", "have $v1", "done"],
  ["a have of a tree", "want $main multi_ack_detailed", "0000", "have $tree", "done"],
  ["a have that is malformed", "want $main", "0000", "have x", "done"],
  ["depth 1", `want $main ${FULL} shallow`, "deepen 1", "0000", "done"],
  ["depth 1, and no more", `want $main ${FULL} shallow`, "deepen 1", "0000"],
  ["depth 1 without the capability", "want $main", "deepen 1", "0000", "done"],
  ["depth 0", `want $main ${FULL} shallow`, "deepen 0", "0000", "done"],
  ["depth -1", `want $main ${FULL} shallow`, "deepen -1", "0000", "done"],
  ["infinite depth", `want $main ${FULL} shallow`, "shallow $main", "deepen 2147483647", "0000", "have $main", "done"],
  [
    "more depth, relatively",
    `want $main ${FULL} deepen-relative`,
    "shallow $main",
    "deepen 1",
    "0000",
    "have $main",
    "done",
  ],
  ["since", `want $main ${FULL}`, "deepen-since $midtime", "0000", "done"],
  ["not", `want $main ${FULL}`, "deepen-not old", "0000", "done"],
  ["depth and not", `want $main ${FULL}`, "deepen-not old", "deepen 1", "0000", "done"],
  ["a shallow client", `want $main ${FULL} shallow`, "shallow $old", "0000", "have $old", "done"],
  ["a filter", `want $main ${FULL} filter`, "filter blob:none", "0000", "done"],
  ["a filter without the capability", `want $main ${FULL}`, "filter blob:none", "0000", "done"],
  ["a filter without a side-band", "want $main filter", "filter tree:1", "0000", "done"],
  ["an unknown filter", `want $main ${FULL} filter`, "filter frobnicate", "0000", "done"],
  ["SHA-256", "want $main object-format=sha256", "0000", "done"],
];

export const fetchCases: readonly FetchCase[] = [
  ...version2.map((aCase) => ({ ...aCase, ...(DIFFERENCES[aCase.name] && { differs: DIFFERENCES[aCase.name] }) })),
  ...version0Cases.map(([name, ...packets]): FetchCase => ({ name, version: 0, packets })),
  { name: "everything", version: 1, packets: [`want $main ${FULL}`, "0000", "done"] },
];

/** The body of POST git-upload-pack. */
export function fetchBody(
  { packets, isGzipped = false }: FetchCase,
  ids: Readonly<Record<string, string>>,
): Uint8Array {
  const fill = (line: string): string => line.replaceAll(/\$(\w+)/g, (_, name: string) => ids[name] ?? `?${name}`);
  const encode = (packet: string | Uint8Array): Uint8Array => {
    if (typeof packet !== "string") return packet;
    if (/^000[0-2]$/.test(packet)) return Buffer.from(packet);
    const line = `${fill(packet)}\n`;
    return Buffer.from((line.length + 4).toString(16).padStart(4, "0") + line);
  };
  const body = Buffer.concat(packets.map(encode));
  return isGzipped ? gzipSync(body) : body;
}
