// A small history in three packs, and its objects by number, for tests of walks.
import { type TinyObject, makeBlob, makeCommit, makeGraph, makeTag, makeTree, numbersOf } from "./tiny-repository.ts";

// c1 - c2 - c3 (main), and c1 - d (topic). Each of c2, c3 and d changes one file two levels down.
export const same = makeBlob("same");
export const one = makeBlob("one");
export const two = makeBlob("two");
export const three = makeBlob("three");
export const topic = makeBlob("topic");
export const dir1 = makeTree({ "file.txt": one });
export const dir2 = makeTree({ "file.txt": two });
export const dir3 = makeTree({ "file.txt": three });
const dird = makeTree({ "file.txt": topic });
export const r1 = makeTree({ a: same, dir: dir1 });
export const r2 = makeTree({ a: same, dir: dir2 });
export const r3 = makeTree({ a: same, dir: dir3 });
const rd = makeTree({ a: same, dir: dird });
export const c1 = makeCommit(r1, [], 1000);
export const c2 = makeCommit(r2, [c1], 2000);
export const c3 = makeCommit(r3, [c2], 3000);
export const d = makeCommit(rd, [c1], 2500);
export const tag = makeTag(c3, "v1");
export const outer = makeTag(tag, "outer");
export const lostBlob = makeBlob("lost");
export const lostTree = makeTree({ lost: lostBlob });
export const lost = makeCommit(lostTree, [], 10);
const objects = { same, one, two, three, topic, dir1, dir2, dir3, dird, r1, r2, r3, rd, c1, c2, c3, d, tag, outer };
export const names = new Map<string, string>(Object.entries(objects).map(([name, object]) => [object.id, name]));
const older = [same, one, two, dir1, dir2, r1, r2, c1, c2];
// The second pack repeats what is in the first, as a completed thin pack does.
const newer = [same, c2, three, topic, dir3, dird, r3, rd, c3, d, tag, outer];
const lostPack = [lost, lostTree, lostBlob];
export const graph = makeGraph([older, newer, lostPack]);
export const at = (object: TinyObject): number => numbersOf(graph, [object])[0] ?? -1;
export const all = (...wanted: TinyObject[]): number[] => numbersOf(graph, wanted);
