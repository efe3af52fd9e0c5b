// Nothing is stored before everything that it names is (git does this with rev-list --objects --not --all): every object that an
// object of the pack names is in the pack or in the store. What is in the store needs no second look, for the same holds there.
import { HostingError } from "../errors.ts";
import { findNamer } from "../git/edge-file.ts";
import { type ObjectId, objectIdFromBytes } from "../git/object-id.ts";
import { type ObjectKind, OBJECT_KIND_NUMBERS } from "../git/object.ts";
import { type ObjectDatabase, findMissing, forEachKindAtHand } from "../store/object-database.ts";
import type { PackGraph } from "./pack-storing.ts";

/** What is known of the push besides its objects. */
export interface ConnectivityOptions {
  /** The commits whose parents a shallow client said not to have. */
  readonly shallowIds: readonly ObjectId[];
  /** The kind as which the pack's objects name the id at that byte. */
  readonly kindNamed: (ids: Uint8Array, at: number) => ObjectKind | undefined;
}

/**
 * Errors: HostingError "object-missing"; "object-invalid" where a stored object is named as of another kind; "ref-refused" where a
 * shallow client pushes history whose beginning is missing here too.
 */
export async function checkConnectivity(
  graph: PackGraph,
  odb: ObjectDatabase,
  { shallowIds, kindNamed }: ConnectivityOptions,
): Promise<void> {
  const { externals } = graph.columns;
  const [missing] = await findMissing(odb, externals);
  forEachKindAtHand(odb, externals, (position, kind) => {
    const named = kindNamed(externals, position * 20);
    if (named !== undefined && named !== kind) throw misnamed(objectIdFromBytes(externals, position * 20));
  });
  if (missing === undefined) return;
  const missingId = objectIdFromBytes(externals, missing * 20);
  const { namerId, kind } = namerOf(graph, missing);
  // Git's own words (update_shallow_ref in builtin/receive-pack.c), which clients know.
  if (kind === "commit" && shallowIds.includes(namerId)) {
    throw new HostingError("ref-refused", "shallow update not allowed");
  }
  throw new HostingError(
    "object-missing",
    `The object ${missingId}, which the ${kind} ${namerId} names, is neither in the pack nor stored here.`,
  );
}

/** An object that is named as of another kind than it is (check_object and mark_link in git's builtin/index-pack.c). */
export function misnamed(id: ObjectId): HostingError {
  return new HostingError(
    "object-invalid",
    `The object ${id} is not of the kind as which an object of the pack names it: object type mismatch.`,
  );
}

/** The first object that names an external. Looks at every edge, which only a push that is refused has to wait for. */
function namerOf({ ids, order, columns }: PackGraph, external: number): { namerId: ObjectId; kind: string } {
  const n = findNamer(columns, columns.kinds.length + external);
  if (n < 0) throw new Error(`No object names the external ${external}.`);
  return { namerId: objectIdFromBytes(ids, (order[n] ?? 0) * 20), kind: kindName(columns.kinds[n]) };
}

function kindName(number: number | undefined): string {
  return Object.entries(OBJECT_KIND_NUMBERS).find(([, kind]) => kind === number)?.[0] ?? "object";
}
