// "Did you mean": the name that was most likely meant, by edit distance. Case counts for nothing, since a name that differs
// only in case works on the author's own disk often enough.

/** The name closest to `wanted`, or undefined where none is close. Equally close names: the first by code unit order. */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  const target = wanted.toLowerCase();
  let bound = Math.max(1, Math.floor(target.length / 3));
  let nearest: string | undefined;
  for (const name of names) {
    if (Math.abs(name.length - target.length) > bound) continue;
    const distance = editDistance(target, name.toLowerCase());
    if (distance > bound) continue;
    if (nearest !== undefined && distance === bound && nearest <= name) continue;
    nearest = name;
    bound = distance;
  }
  return nearest;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one text into another (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const substituted = (last[column - 1] ?? 0) + (isSame ? 0 : 1);
      let best = Math.min(substituted, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
