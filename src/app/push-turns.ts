// The pushes that are about to deploy to one ref, in the memory of one supervisor instance: who goes first, and who is told of whom.
// One that is not built yet gives way to a newer one; one that is built goes first, and the next says whom it waits for. Nothing here guards a
// ref, the commit does. What is lost with the instance, or outlasts its Worker, costs a wait of a minute at most.
import { RpcTarget } from "cloudflare:workers";
import { within } from "./time-limit.ts";

/** A push as others are told of it. */
export interface DeployingPush {
  readonly ref: string;
  readonly commitId: string;
  /** Who pushes: the token's name. */
  readonly actor: string;
  readonly startedMs: number;
}

/** Whether a push goes on once it is built. */
export type Turn =
  /** `ahead`: a push that comes first, if there is one; `wait` on it. */
  | { readonly kind: "mine"; readonly ahead: DeployingPush | undefined }
  /** A newer push to the ref came before this one was built. */
  | { readonly kind: "superseded"; readonly by: DeployingPush };

/** A push between its checks and its end. */
export interface PushUnderWay extends DeployingPush {
  supersededBy: DeployingPush | undefined;
  /** Once built it is not superseded any more, and later ones wait for it. */
  isBuilt: boolean;
  /** Called when it is over. */
  readonly onEnd: (() => void)[];
}

/** Those under way, in the order in which they came, and the clock. */
interface PushQueue {
  readonly pushes: Set<PushUnderWay>;
  readonly now: () => number;
}

/** A push waits no longer than this for the one ahead of it, and then goes on: the commit refuses it if it comes too late. */
const WAIT_LIMIT_MS = 60_000;

/**
 * A push's place among those under way. Its end is the end of the Worker's stub of it, also where the Worker dies: the runtime
 * disposes of it then, so that nothing has to be renewed and nothing stays behind.
 */
export class PushTicket extends RpcTarget {
  readonly #queue: PushQueue;
  readonly #push: PushUnderWay;

  constructor(queue: PushQueue, push: PushUnderWay) {
    super();
    this.#queue = queue;
    this.#push = push;
  }

  /** To be called when the push is built. */
  takeTurn(): Turn {
    return takeTurn(this.#queue, this.#push);
  }

  /** Returns when no push is ahead of this one any more, or it has waited long enough. */
  async wait(): Promise<void> {
    await waitForTurn(this.#queue, this.#push);
  }

  [Symbol.dispose](): void {
    endPush(this.#queue, this.#push);
  }
}

/** Lists a push that is about to be built. Those to the same ref that are not built yet give way to it. */
export function beginPush(queue: PushQueue, { ref, commitId, actor, startedMs }: DeployingPush): PushTicket {
  const entry = { ref, commitId, actor, startedMs };
  for (const other of queue.pushes) {
    if (other.ref === ref && !other.isBuilt) other.supersededBy ??= entry;
  }
  const push: PushUnderWay = { ...entry, supersededBy: undefined, isBuilt: false, onEnd: [] };
  queue.pushes.add(push);
  return new PushTicket(queue, push);
}

function takeTurn(queue: PushQueue, push: PushUnderWay): Turn {
  if (push.supersededBy !== undefined) return { kind: "superseded", by: push.supersededBy };
  push.isBuilt = true;
  const ahead = findAhead(queue, push);
  if (ahead === undefined) return { kind: "mine", ahead: undefined };
  const { ref, commitId, actor, startedMs } = ahead;
  return { kind: "mine", ahead: { ref, commitId, actor, startedMs } };
}

/** A Set keeps the order in which they came. */
function findAhead(queue: PushQueue, push: PushUnderWay): PushUnderWay | undefined {
  for (const other of queue.pushes) {
    if (other === push) return undefined;
    if (other.ref === push.ref && other.isBuilt) return other;
  }
  return undefined;
}

async function waitForTurn(queue: PushQueue, push: PushUnderWay): Promise<void> {
  const untilMs = queue.now() + WAIT_LIMIT_MS;
  for (let ahead = findAhead(queue, push); ahead !== undefined; ahead = findAhead(queue, push)) {
    const { onEnd } = ahead;
    const end = new Promise<void>((resolve) => {
      onEnd.push(resolve);
    });
    // oxlint-disable-next-line no-await-in-loop -- one ahead after the other
    if ((await within(end, Math.max(0, untilMs - queue.now()))) === "late") return;
  }
}

function endPush(queue: PushQueue, push: PushUnderWay): void {
  queue.pushes.delete(push);
  for (const tell of push.onEnd) tell();
}
