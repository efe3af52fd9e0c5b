// A rate that is kept: so many in a minute, in one supervisor's memory. What was not used in the last minute may be used at once.

const MINUTE_MS = 60_000;

/** What is left of a minute's allowance, and as of when. */
export interface RateState {
  left: number;
  atMs: number;
}

/** Takes one. Returns undefined, or in how many seconds there will be one. */
export function takeFrom(state: RateState, perMinute: number, nowMs: number): number | undefined {
  const passedMs = Math.max(0, nowMs - state.atMs);
  state.left = Math.min(perMinute, state.left + (passedMs / MINUTE_MS) * perMinute);
  state.atMs = nowMs;
  if (state.left >= 1) {
    state.left -= 1;
    return undefined;
  }
  return perMinute === 0 ? MINUTE_MS / 1000 : Math.ceil(((1 - state.left) / perMinute) * (MINUTE_MS / 1000));
}
