// Filters of partial clones (gitprotocol-v2, list-objects-filter-options.c): blob:none, blob:limit, tree, object:type and their
// combination. sparse:oid is absent: it needs the paths of objects, which edge files do not have.
import type { ObjectKind } from "./object.ts";
import { parseObjectKind } from "./object.ts";

/**
 * What may be sent besides the objects that the client names itself. Any combination of filters comes to these three bounds,
 * because combined filters let through what each of them does.
 */
export interface ObjectFilter {
  /** Trees and blobs this deep below a commit, and deeper, are left out; a commit's own tree is at 0. */
  readonly treeDepth: number;
  /** Blobs of so many bytes and more are left out. */
  readonly blobBytes: number;
  readonly kinds: readonly ObjectKind[];
}

export const NO_FILTER: ObjectFilter = {
  treeDepth: Infinity,
  blobBytes: Infinity,
  kinds: ["commit", "tree", "blob", "tag"],
};

/** Nested combinations come to no more than this; git itself has no bound. */
const MAX_NESTING = 8;
const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** Must be percent-encoded within "combine:", as must white space and control characters (RESERVED_NON_WS). */
const RESERVED = "~`!@#$^&*()[]{}\\;'\",<>?";

/** The filter of a specification, or undefined for one that is malformed or not supported. */
export function parseObjectFilter(spec: string, nesting = 0): ObjectFilter | undefined {
  const [, name = "", value = ""] = /^(blob:none$|blob:limit=|tree:|object:type=|combine:)(.*)$/s.exec(spec) ?? [];
  switch (name) {
    case "blob:none":
      return { ...NO_FILTER, blobBytes: 0 };
    case "blob:limit=":
      return withNumber(value, (blobBytes) => ({ ...NO_FILTER, blobBytes }));
    case "tree:":
      return withNumber(value, (treeDepth) => ({ ...NO_FILTER, treeDepth }));
    case "object:type=": {
      const kind = parseObjectKind(value);
      return kind === undefined ? undefined : { ...NO_FILTER, kinds: [kind] };
    }
    case "combine:":
      return nesting < MAX_NESTING ? parseCombination(value, nesting + 1) : undefined;
    default:
      return undefined;
  }
}

function parseCombination(text: string, nesting: number): ObjectFilter | undefined {
  if (text === "") return undefined;
  let combined = NO_FILTER;
  for (const part of text.split("+").filter((spec) => spec !== "")) {
    const isEncoded = Array.from(part).every((character) => character > " " && !RESERVED.includes(character));
    const spec = isEncoded ? decodePercent(part) : undefined;
    const filter = spec === undefined ? undefined : parseObjectFilter(spec, nesting);
    if (filter === undefined) return undefined;
    combined = {
      treeDepth: Math.min(combined.treeDepth, filter.treeDepth),
      blobBytes: Math.min(combined.blobBytes, filter.blobBytes),
      kinds: combined.kinds.filter((kind) => filter.kinds.includes(kind)),
    };
  }
  return combined;
}

/** As git's url_percent_decode: what is not two hexadecimal digits stays. */
function decodePercent(text: string): string {
  return text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Git's numbers may end in k, m or g. */
function withNumber(text: string, make: (value: number) => ObjectFilter): ObjectFilter | undefined {
  const [, digits, unit = ""] = /^(\d{1,15})([kmg]?)$/i.exec(text) ?? [];
  return digits === undefined ? undefined : make(Number(digits) * (UNITS[unit.toLowerCase()] ?? 1));
}
