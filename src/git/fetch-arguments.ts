// The lines by which a client says what it wants and how much of it. Versions 0, 1 and 2 share them (upload-pack.c, process_shallow,
// process_deepen and the rest). Only their form is checked here: whether an object or a ref exists is not known yet.
import { HostingError } from "../errors.ts";
import { ObjectIdTable } from "./object-id-table.ts";
import { objectIdToBytes, parseObjectId } from "./object-id.ts";

/** Ids in one request: every blob of the largest repository that fits in an isolate, which a partial clone may ask for. */
const MAX_IDS = 300_000;
const MAX_EXCLUDED_REFS = 1000;
/** What git's client sends for --unshallow (INFINITE_DEPTH). */
export const INFINITE_DEPTH = 0x7fff_ffff;

/** How far the history that is asked for goes. */
export type Deepening =
  | { readonly kind: "depth"; readonly depth: number; readonly isRelative: boolean }
  | {
      readonly kind: "rev-list";
      /** Only commits of this second or later. */
      readonly sinceS: number | undefined;
      /** Only commits that these refs, as the client spells them, do not reach. */
      readonly excludedRefs: readonly string[];
    };

/** What a client wants. The tables are never longer than a bound, and in the order of the request. */
export interface FetchArguments {
  readonly wantIds: ObjectIdTable;
  /** The commits that the client has without their parents. */
  readonly shallowIds: ObjectIdTable;
  readonly deepening: Deepening | undefined;
  readonly filterSpec: string | undefined;
}

/** Takes the lines one by one. */
export class FetchArgumentsReader {
  readonly wantIds = new ObjectIdTable();
  readonly #shallowIds = new ObjectIdTable();
  #depth = 0;
  #isRelative = false;
  #sinceS: number | undefined;
  readonly #excludedRefs: string[] = [];
  #filterSpec: string | undefined;

  /** Whether it is one of these lines. Errors: HostingError "protocol-error" for one that is malformed. */
  take(line: string): boolean {
    const space = line.indexOf(" ");
    const value = line.slice(space + 1);
    switch (space < 0 ? line : line.slice(0, space)) {
      case "want":
        addId(this.wantIds, value, line);
        return true;
      case "shallow":
        addId(this.#shallowIds, value, line);
        return true;
      case "deepen":
        this.#depth = readPositive(value, line);
        return true;
      case "deepen-since":
        this.#sinceS = readWhole(value, line);
        return true;
      case "deepen-not":
        if (this.#excludedRefs.push(value) > MAX_EXCLUDED_REFS) throw tooMany("deepen-not lines");
        return true;
      case "deepen-relative":
        this.#isRelative = true;
        return true;
      case "filter":
        if (this.#filterSpec !== undefined) throw unexpected(line);
        this.#filterSpec = value;
        return true;
      default:
        return false;
    }
  }

  /** Version 0 has this one as a capability. */
  deepenRelatively(): void {
    this.#isRelative = true;
  }

  /** Errors: HostingError "protocol-error" for a depth together with another way of deepening. */
  finish(): FetchArguments {
    return {
      wantIds: this.wantIds,
      shallowIds: this.#shallowIds,
      deepening: this.#deepening(),
      filterSpec: this.#filterSpec,
    };
  }

  #deepening(): Deepening | undefined {
    const isByRevList = this.#sinceS !== undefined || this.#excludedRefs.length > 0;
    if (this.#depth > 0 && isByRevList) {
      throw new HostingError(
        "protocol-error",
        "A fetch deepens by a depth, or by deepen-since and deepen-not, not by both.",
      );
    }
    if (this.#depth > 0) return { kind: "depth", depth: this.#depth, isRelative: this.#isRelative };
    if (!isByRevList) return undefined;
    return { kind: "rev-list", sinceS: this.#sinceS, excludedRefs: this.#excludedRefs };
  }
}

/** Adds the id of a line to a table. Errors: HostingError "protocol-error" for another text, and for one id too many. */
export function addId(table: ObjectIdTable, text: string, line: string): void {
  const id = parseObjectId(text.toLowerCase());
  if (id === undefined) throw unexpected(line);
  if (table.size >= MAX_IDS) throw tooMany("object ids");
  table.add(objectIdToBytes(id));
}

/** The error for a line that git's protocol does not have in this place. */
export function unexpected(line: string): HostingError {
  return new HostingError(
    "protocol-error",
    `Unexpected line in a fetch request: ${JSON.stringify(line.slice(0, 200))}.`,
  );
}

function readPositive(text: string, line: string): number {
  const value = readWhole(text, line);
  if (value === 0) throw unexpected(line);
  return value;
}

/** A whole number as git's client writes it, at most one that a double holds. */
function readWhole(text: string, line: string): number {
  if (!/^\d{1,15}$/.test(text)) throw unexpected(line);
  return Number(text);
}

function tooMany(what: string): HostingError {
  return new HostingError("protocol-error", `The fetch request has too many ${what}.`);
}
