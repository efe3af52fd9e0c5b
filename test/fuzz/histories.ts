// Small repositories at random: blobs, trees that share them, commits with any number of parents, tags of anything.
import * as fc from "fast-check";
import { type TinyObject, makeBlob, makeCommit, makeTag, makeTree } from "../git/tiny-repository.ts";

/** How a history is made; numbers choose among what there is so far. */
interface Recipe {
  readonly blobs: readonly string[];
  readonly trees: readonly { readonly names: readonly string[]; readonly picks: readonly number[] }[];
  readonly commits: readonly { readonly tree: number; readonly parents: readonly number[] }[];
  readonly tags: readonly number[];
}

/** Objects in an order in which each comes after all that it names. */
export interface History {
  readonly objects: readonly TinyObject[];
  readonly commits: readonly TinyObject[];
}

const pick = fc.nat(1000);
const content = fc.oneof(
  fc.string({ maxLength: 30 }),
  // Versions of one text, so that deltas have something to copy.
  fc.tuple(fc.nat(60), fc.string({ maxLength: 5 })).map(([at, change]) => {
    const lines = "the same line as ever\n".repeat(60);
    return lines.slice(0, at * 22) + change + lines.slice(at * 22);
  }),
);
const recipe: fc.Arbitrary<Recipe> = fc.record({
  blobs: fc.array(content, { minLength: 1, maxLength: 5 }),
  trees: fc.array(
    fc.record({
      names: fc.uniqueArray(fc.constantFrom("a", "b", "c.txt", "lib", "src"), { maxLength: 4 }),
      picks: fc.array(pick, { minLength: 4, maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  commits: fc.array(fc.record({ tree: pick, parents: fc.array(pick, { maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 7,
  }),
  tags: fc.array(pick, { maxLength: 3 }),
});

export const histories: fc.Arbitrary<History> = recipe.map(makeHistory);

/** All that the objects reach, themselves included. Parents of `shallows` count as absent. */
export function closureOf(
  history: History,
  from: readonly TinyObject[],
  shallows: readonly TinyObject[] = [],
): Set<string> {
  const byId = new Map<string, TinyObject>(history.objects.map((object) => [object.id, object]));
  const reached = new Set<string>();
  const visit = (id: string): void => {
    const object = byId.get(id);
    if (object === undefined || reached.has(id)) return;
    reached.add(id);
    const isShallow = shallows.some((shallow) => shallow.id === id);
    namedBy(object, isShallow).forEach(visit);
  };
  for (const { id } of from) visit(id);
  return reached;
}

function makeHistory({ blobs, trees, commits, tags }: Recipe): History {
  const objects: TinyObject[] = [];
  const add = (object: TinyObject): TinyObject => {
    const known = objects.find(({ id }) => id === object.id);
    if (known === undefined) objects.push(object);
    return known ?? object;
  };
  const files = blobs.map((text) => add(makeBlob(text)));
  const folders: TinyObject[] = [];
  for (const { names, picks } of trees) {
    const choices = [...files, ...folders];
    const entries = names.map((name, i) => [name, choose(choices, picks[i] ?? 0)] as const);
    // Git sorts a tree as if a slash ended its name; none of these names is the beginning of another.
    folders.push(add(makeTree(Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))))));
  }
  const made: TinyObject[] = [];
  for (const [n, { tree, parents }] of commits.entries()) {
    const chosen = made.length === 0 ? [] : parents.map((parent) => choose(made, parent));
    made.push(add(makeCommit(choose(folders, tree), [...new Set(chosen)], 1000 + ((n * 37) % 11))));
  }
  for (const [n, target] of tags.entries()) add(makeTag(choose(objects, target), `v${n}`));
  return { objects, commits: [...new Set(made)] };
}

/** The ids in an object, read without any of what is tested. */
export function namedBy({ kind, bytes }: TinyObject, isShallow = false): string[] {
  if (kind === "blob") return [];
  const text = Buffer.from(bytes).toString("latin1");
  if (kind !== "tree") {
    const pattern = isShallow ? /^(?:tree|object) ([0-9a-f]{40})$/gm : /^(?:tree|parent|object) ([0-9a-f]{40})$/gm;
    return [...text.matchAll(pattern)].map(([, id = ""]) => id);
  }
  return [...text.matchAll(/[0-7]+ [^\0]+\0([^]{20})/g)].map(([, id = ""]) =>
    Buffer.from(id, "latin1").toString("hex"),
  );
}

function choose<Item>(items: readonly Item[], number: number): Item {
  const item = items[number % items.length];
  if (item === undefined) throw new Error("There is nothing to choose from.");
  return item;
}
