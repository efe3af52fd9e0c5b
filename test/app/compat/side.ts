// One of the two sides of the compatibility suite, as its visits see it.

/** An object, there or here. */
export interface Side {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Drops it from memory; its WebSockets hibernate. */
  evict(): Promise<void>;
  /** Only where there are cron triggers. */
  readonly runCron?: RunCron;
}

/** Calls scheduled() of a Worker for an expression and a time, and says what came of it. */
export type RunCron = (cron: string, atMs: number) => Promise<string>;

/** What a visitor does, and what comes of it. */
export type Visit = (side: Side) => Promise<unknown>;

export type Visits = Readonly<Record<string, Visit>>;

/** After so long without a word none is expected any more. */
export const SILENCE_MS = 1500;
export const POLL_MS = 10;

/** What a visitor gets: of the answer what differs by intent, or what the call threw. */
export async function answer(side: Side, path: string, init?: RequestInit): Promise<unknown> {
  try {
    const response = await side.fetch(path, { redirect: "manual", ...init });
    const { status, statusText } = response;
    const headers = [...response.headers].filter(([name]) => name !== "content-length");
    return { status, statusText, headers, text: await response.text() };
  } catch (error) {
    return String(error);
  }
}

/** What the object wrote down of the end of a socket or body, once it did. */
export async function ending(side: Side): Promise<unknown> {
  for (let waitedMs = 0; waitedMs < SILENCE_MS; waitedMs += POLL_MS) {
    // oxlint-disable-next-line no-await-in-loop -- a poll
    const end: unknown = await (await side.fetch("/end")).json();
    if (end !== null) return end;
    // oxlint-disable-next-line no-await-in-loop -- a poll
    await scheduler.wait(POLL_MS);
  }
  return "it was not told";
}
