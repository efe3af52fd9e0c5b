// At most so many of one kind of work at once, in the order in which they came.

/** Runs work as soon as fewer than the limit run. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

export function makeLimiter(limit: number): Limiter {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < limit) running += 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
