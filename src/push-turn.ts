// A push among others to the same ref: who is told of whom, and what becomes of the one that came too early.
import type { DeployingPush, PushTicket, Turn } from "./app/push-turns.ts";
import type { Narrator } from "./push-answer.ts";
import type { PushFailure } from "./push-failure.ts";
import { shortId, stageLine } from "./push-report.ts";

/** The Worker's hold on its place: letting it go ends the push for those that wait. */
export type Ticket = Rpc.Stub<PushTicket>;

/** Says whom the push waits for, and waits. The failure, if a newer push went live in its place. */
export async function takeTurn(
  ticket: Ticket,
  { narrator, now }: { readonly narrator: Narrator; readonly now: () => number },
): Promise<PushFailure | undefined> {
  try {
    let turn = await ticket.takeTurn();
    while (turn.kind === "behind") {
      const line = waitingLine(turn, now());
      narrator.say(line);
      narrator.brief(line);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      turn = await ticket.wait();
    }
    return turn.kind === "superseded" ? describeSuperseded(turn.by) : undefined;
  } catch (error) {
    // The supervisor was started anew and knows of no turns: the commit alone decides.
    console.warn("a push goes on without its turn", error);
    return undefined;
  }
}

/** Who, which commit, since when, and what happens to this push. */
function waitingLine({ other, isNewer }: Extract<Turn, { kind: "behind" }>, nowMs: number): string {
  const agoS = Math.max(0, Math.round((nowMs - other.startedMs) / 1000));
  const whom = `for the ${isNewer ? "newer push" : "push"} of ${shortId(other.commitId)} by ${other.actor}, begun ${agoS} s ago`;
  const then = isNewer ? "replaces this one" : "makes this one stale";
  return stageLine("waiting", `${whom}; if that goes live, it ${then}`);
}

function describeSuperseded({ actor, commitId }: DeployingPush): PushFailure {
  const code = "push-superseded";
  const reason = `${actor} pushed ${shortId(commitId)} to this branch after this push, and that went live.`;
  const fix = "Fetch and look; push again if this commit is still to go live.";
  return { stage: "wait", code, fix, lines: [reason, fix], reason: `${code}: ${reason}` };
}
