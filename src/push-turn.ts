// A push among others to the same ref: who is told of whom, and what becomes of the one that came too early.
import type { DeployingPush, PushTicket } from "./app/push-turns.ts";
import type { Narrator } from "./push-answer.ts";
import type { PushFailure } from "./push-failure.ts";
import { shortId, stageLine } from "./push-report.ts";

/** The Worker's hold on its place: letting it go ends the push for those that wait. */
export type Ticket = Rpc.Stub<PushTicket>;

/** Says whom the push waits for, and waits. The failure, if a newer push has its place. */
export async function takeTurn(
  ticket: Ticket,
  { narrator, now }: { readonly narrator: Narrator; readonly now: () => number },
): Promise<PushFailure | undefined> {
  const turn = await ticket.takeTurn();
  if (turn.kind === "superseded") return describeSuperseded(turn.by);
  if (turn.ahead === undefined) return undefined;
  narrator.say(waitingLine(turn.ahead, now()));
  await ticket.wait();
  return undefined;
}

/** Who, which commit, since when, and what happens to this push. */
function waitingLine({ actor, commitId, startedMs }: DeployingPush, nowMs: number): string {
  const agoS = Math.max(0, Math.round((nowMs - startedMs) / 1000));
  const whom = `for the push of ${shortId(commitId)} by ${actor}, begun ${agoS} s ago`;
  return stageLine("waiting", `${whom}; if that goes live, this one is refused as stale`);
}

function describeSuperseded({ actor, commitId }: DeployingPush): PushFailure {
  const code = "push-superseded";
  const reason = `${actor} pushed ${shortId(commitId)} to this branch before this push was built, and that goes on instead.`;
  const fix = "Fetch and look; push again if this commit is still to go live.";
  return { stage: "wait", code, fix, lines: [reason, fix], reason: `${code}: ${reason}` };
}
