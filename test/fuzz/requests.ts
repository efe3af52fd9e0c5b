// Requests that a git client could send, as lines. Ids and names are drawn from few, so that they meet each other and what is stored.
import * as fc from "fast-check";
import { wire } from "../git/wire.ts";

const ID = fc.oneof(
  fc.constantFrom("0".repeat(40), "1".repeat(40), "ab".repeat(20), "AB".repeat(20)),
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex")),
);

/** Full ref names, and some that git refuses. */
const refName = fc.oneof(
  fc.constantFrom("refs/heads/main", "refs/heads/topic", "refs/heads/main/below", "refs/tags/v1", "refs/notes/commits"),
  fc.constantFrom(
    "HEAD",
    "refs/heads/a..b",
    "refs/heads/.lock",
    "refs/heads/a.lock",
    "refs/heads/@{",
    "refs//a",
    "\u{fffd}",
  ),
  fc.string({ unit: "binary", maxLength: 12 }).map((name) => `refs/heads/${name.replaceAll(/[\0\n]/g, "")}`),
);

const CAPABILITIES =
  `report-status report-status-v2 side-band-64k atomic quiet delete-refs push-options multi_ack multi_ack_detailed
  no-done thin-pack ofs-delta include-tag side-band filter shallow deepen-relative object-format=sha1 object-format=sha256 object-format
  agent=git/2.39.5 unknown=1 no-progress session-id=a __proto__=1 constructor`.split(/\s+/);

/** Lists of capabilities, known and unknown. */
const capabilities = fc.array(fc.constantFrom(...CAPABILITIES), { maxLength: 6 }).map((words) => words.join(" "));

/** The lines of a push up to its pack; `ids` are what they may name besides ids that nobody has. */
export function updateRequests(ids: readonly string[] = []): fc.Arbitrary<Uint8Array> {
  const id = ids.length === 0 ? ID : fc.oneof(ID, fc.constantFrom(...ids));
  const command = fc.tuple(id, id, refName).map(([oldId, newId, name]) => `${oldId} ${newId} ${name}`);
  return fc
    .record({
      shallow: fc.array(
        id.map((commit) => `shallow ${commit}`),
        { maxLength: 2 },
      ),
      commands: fc.array(command, { maxLength: 4 }),
      words: capabilities,
      options: fc.array(fc.constantFrom("store", "", "deploy", "a=b"), { maxLength: 2 }),
    })
    .map(({ shallow, commands, words, options }) => {
      const [first, ...rest] = commands;
      const lines = first === undefined ? [] : [`${first}\0${words}`, ...rest];
      const hasOptions = words.includes("push-options");
      return new Uint8Array(wire(...shallow, ...lines, "0000", ...(hasOptions ? [...options, "0000"] : [])));
    });
}

const FILTERS =
  `blob:none blob:limit=0 blob:limit=5 blob:limit=1k tree:0 tree:1 tree:3 object:type=tag combine:blob:none+tree:2
  combine: combine:combine:combine:tree:1 sparse:oid=main tree:-1 tree:1e3`.split(/\s+/);
const filterSpec = fc.constantFrom(...FILTERS);

/** Lines that say how much of the history is wanted. */
const extent = fc.oneof(
  ID.map((id) => `shallow ${id}`),
  fc.constantFrom("deepen 1", "deepen 2", "deepen 0", "deepen -1", "deepen 2147483647", "deepen 999999999999999"),
  fc.constantFrom(
    "deepen-since 1000",
    "deepen-since 99999999999999",
    "deepen-not refs/heads/topic",
    "deepen-not topic",
  ),
  fc.constantFrom("deepen-relative", "deepen-not HEAD", "deepen-not "),
  filterSpec.map((spec) => `filter ${spec}`),
);

/** A POST of a client of version 0 or 1. */
export function uploadRequests(ids: readonly string[] = []): fc.Arbitrary<Uint8Array> {
  const id =
    ids.length === 0 ? ID : fc.oneof({ weight: 1, arbitrary: ID }, { weight: 9, arbitrary: fc.constantFrom(...ids) });
  return fc
    .record({
      words: capabilities,
      wants: fc.array(id, { minLength: 1, maxLength: 3 }),
      extents: fc.oneof(fc.constant([]), fc.array(extent, { maxLength: 2 })),
      haves: fc.array(id, { maxLength: 4 }),
      ending: fc.constantFrom<readonly string[]>(["done"], ["0000"], ["0000", "done"], []),
    })
    .map(({ words, wants, extents, haves, ending }) => {
      const lines = wants.map((want, i) => `want ${want}${i === 0 ? ` ${words}` : ""}`);
      return new Uint8Array(wire(...lines, ...extents, "0000", ...haves.map((have) => `have ${have}`), ...ending));
    });
}

/** A command of version 2. */
export function commandRequests(ids: readonly string[] = []): fc.Arbitrary<Uint8Array> {
  const id =
    ids.length === 0 ? ID : fc.oneof({ weight: 1, arbitrary: ID }, { weight: 9, arbitrary: fc.constantFrom(...ids) });
  const fetchLine = fc.oneof(
    id.map((want) => `want ${want}`),
    id.map((have) => `have ${have}`),
    extent,
    fc.constantFrom("thin-pack", "ofs-delta", "no-progress", "include-tag", "done", "wait-for-done", "sideband-all"),
  );
  const refsLine = fc.constantFrom(
    "peel",
    "symrefs",
    "unborn",
    "ref-prefix refs/",
    "ref-prefix HEAD",
    "ref-prefix ",
    "x",
  );
  const head = fc.array(fc.constantFrom("agent=git/2.39.5", "object-format=sha1", "server-option=a", "x=1"), {
    maxLength: 2,
  });
  const fetch = fc.array(fetchLine, { minLength: 1, maxLength: 8 }).map((lines) => ["command=fetch", lines] as const);
  const lsRefs = fc.array(refsLine, { maxLength: 4 }).map((lines) => ["command=ls-refs", lines] as const);
  return fc
    .tuple(head, fc.oneof({ weight: 4, arbitrary: fetch }, { weight: 1, arbitrary: lsRefs }))
    .map(([words, [command, lines]]) => new Uint8Array(wire(command, ...words, "0001", ...lines, "0000")));
}
