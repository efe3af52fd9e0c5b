// The pushes that are about to deploy to one ref, in the memory of one supervisor instance: who goes first, and who is told of whom.
// The newest goes first: one that is built waits for newer ones, which replace it where they go live, and goes on where they do not. Once it
// goes on, toward its rehearsal and commit, all others wait for its end. Nothing here guards a ref, the commit does. What is lost with
// the instance, or outlasts its Worker, costs a wait of a minute at most.
import { RpcTarget } from "cloudflare:workers";
import { within } from "../store/time-limit.ts";

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
  | { readonly kind: "mine" }
  /** Another comes first: `wait` for it. isNewer: it replaces this one if it goes live; else this one comes too late then. */
  | { readonly kind: "behind"; readonly other: DeployingPush; readonly isNewer: boolean }
  /** A newer push to the ref went live. */
  | { readonly kind: "superseded"; readonly by: DeployingPush };

/** A push between its checks and its end. */
export interface PushUnderWay extends DeployingPush {
  supersededBy: DeployingPush | undefined;
  /** It is built, and nobody came first: it is rehearsed and committed. One at a time for each ref. */
  isGoingOn: boolean;
  /** Called when it is over. */
  readonly onEnd: (() => void)[];
}

/** Those under way, in the order in which they came. */
interface PushQueue {
  readonly pushes: Set<PushUnderWay>;
  readonly now: () => number;
  /** Where a ref is now. */
  readonly tipOf: (ref: string) => string | undefined;
}

/** A push waits no longer than this for others, and then goes on: the commit refuses it if it comes too late. */
const WAIT_LIMIT_MS = 60_000;

/**
 * A push's place among those under way. Its end is the end of the Worker's stub of it, also where the Worker dies: the runtime
 * disposes of it then, so that nothing has to be renewed and nothing stays behind.
 */
export class PushTicket extends RpcTarget {
  readonly #queue: PushQueue;
  readonly #push: PushUnderWay;
  #waitsUntilMs: number | undefined;

  constructor(queue: PushQueue, push: PushUnderWay) {
    super();
    this.#queue = queue;
    this.#push = push;
  }

  /** To be called when the push is built. */
  takeTurn(): Turn {
    return takeTurn(this.#queue, this.#push);
  }

  /** Returns when the push that came first is over, or this one has waited long enough in all. */
  async wait(): Promise<Turn> {
    this.#waitsUntilMs ??= this.#queue.now() + WAIT_LIMIT_MS;
    return waitForTurn(this.#queue, this.#push, this.#waitsUntilMs);
  }

  [Symbol.dispose](): void {
    endPush(this.#queue, this.#push);
  }
}

/** Lists a push that is about to be built. */
export function beginPush(queue: PushQueue, { ref, commitId, actor, startedMs }: DeployingPush): PushTicket {
  const push: PushUnderWay = {
    ref,
    commitId,
    actor,
    startedMs,
    supersededBy: undefined,
    isGoingOn: false,
    onEnd: [],
  };
  queue.pushes.add(push);
  return new PushTicket(queue, push);
}

function takeTurn(queue: PushQueue, push: PushUnderWay): Turn {
  if (push.supersededBy !== undefined) return { kind: "superseded", by: push.supersededBy };
  const first = findFirstOf(queue, push);
  if (first !== undefined) return { kind: "behind", other: describe(first.other), isNewer: first.isNewer };
  push.isGoingOn = true;
  return { kind: "mine" };
}

/** Who comes before a push: the one that goes on already, else the newest. A Set keeps the order in which they came. */
function findFirstOf(
  queue: PushQueue,
  push: PushUnderWay,
): { readonly other: PushUnderWay; readonly isNewer: boolean } | undefined {
  const all = [...queue.pushes].filter(({ ref }) => ref === push.ref);
  const other = all.find(({ isGoingOn }) => isGoingOn) ?? all.at(-1);
  return other === undefined || other === push ? undefined : { other, isNewer: all.indexOf(other) > all.indexOf(push) };
}

function describe({ ref, commitId, actor, startedMs }: PushUnderWay): DeployingPush {
  return { ref, commitId, actor, startedMs };
}

async function waitForTurn(queue: PushQueue, push: PushUnderWay, untilMs: number): Promise<Turn> {
  const first = findFirstOf(queue, push);
  if (first === undefined) return takeTurn(queue, push);
  const { onEnd } = first.other;
  const end = new Promise<void>((resolve) => {
    onEnd.push(resolve);
  });
  if ((await within(end, Math.max(0, untilMs - queue.now()))) !== "late") return takeTurn(queue, push);
  push.isGoingOn = true;
  return { kind: "mine" };
}

/** Where it went live, those that came before it are for nothing. */
function endPush(queue: PushQueue, push: PushUnderWay): void {
  const isLive = queue.pushes.has(push) && queue.tipOf(push.ref) === push.commitId;
  for (const other of queue.pushes) {
    if (other === push) break;
    if (isLive && other.ref === push.ref) other.supersededBy ??= describe(push);
  }
  queue.pushes.delete(push);
  for (const tell of push.onEnd) tell();
}
