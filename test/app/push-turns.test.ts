import { describe, expect, it } from "vitest";
import { beginPush as beginInQueue, type PushUnderWay } from "../../src/app/push-turns.ts";
import { takeTurn } from "../../src/push-turn.ts";
import { command, MAIN, supervisorOf, testId } from "./deployment.ts";

/** A push by somebody; commits are told apart by number. */
function begin(app: string, actor: string, number: number, ref: string = MAIN) {
  return supervisorOf(app).beginPush({ ref, commitId: testId(number), actor, startedMs: number });
}

/** Whether a promise is settled by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), scheduler.wait(50).then(() => false)]);
}

const nothing = (): undefined => undefined;

/** Moves main, as the commit of a push does. */
async function moveMain(app: string, number: number): Promise<void> {
  const { repositoryId, refs } = await supervisorOf(app).openForPush();
  const oldId = refs.find(({ name }) => name === MAIN)?.id ?? testId(0);
  const commands = [command(MAIN, oldId, testId(number))];
  await supervisorOf(app).commit({ repositoryId, commands, atomic: false, checkedPackIds: [], nowMs: 1 });
}

const BY_ADA = { actor: "ada", commitId: testId(1) };
const BY_BOB = { actor: "bob", commitId: testId(2) };

describe("pushes to one ref", () => {
  it("that are alone wait for nobody", async () => {
    using alone = await begin("turn-alone", "ada", 1);
    expect(await alone.takeTurn()).toEqual({ kind: "mine" });
  });

  it("wait for the one that was built before, and are told of it", async () => {
    const first = await begin("turn-wait", "ada", 1);
    expect(await first.takeTurn()).toEqual({ kind: "mine" });
    using second = await begin("turn-wait", "bob", 2);
    expect(await second.takeTurn()).toMatchObject({ kind: "behind", other: BY_ADA, isNewer: false });
    const waiting = second.wait();
    expect(await isOver(waiting)).toBe(false);
    first[Symbol.dispose]();
    expect(await waiting).toEqual({ kind: "mine" });
  });

  it("give way to a newer one that goes live", async () => {
    using first = await begin("turn-newer", "ada", 1);
    const second = await begin("turn-newer", "bob", 2);
    expect(await first.takeTurn()).toMatchObject({ kind: "behind", other: BY_BOB, isNewer: true });
    const waiting = first.wait();
    expect(await second.takeTurn()).toEqual({ kind: "mine" });
    expect(await isOver(waiting)).toBe(false);
    await moveMain("turn-newer", 2);
    second[Symbol.dispose]();
    expect(await waiting).toMatchObject({ kind: "superseded", by: BY_BOB });
  });

  it("are told so however late they are built", async () => {
    using first = await begin("turn-late", "ada", 1);
    const second = await begin("turn-late", "bob", 2);
    await second.takeTurn();
    await moveMain("turn-late", 2);
    second[Symbol.dispose]();
    expect(await first.takeTurn()).toMatchObject({ kind: "superseded", by: BY_BOB });
  });

  it("go on where the newer one fails, in its build or later", async () => {
    using first = await begin("turn-fails", "ada", 1);
    const second = await begin("turn-fails", "bob", 2);
    await first.takeTurn();
    const waiting = first.wait();
    second[Symbol.dispose]();
    expect(await waiting).toEqual({ kind: "mine" });
  });

  it("go one after the other, the newest first, however many there are", async () => {
    const app = "turn-three";
    using first = await begin(app, "ada", 1);
    using second = await begin(app, "bob", 2);
    const third = await begin(app, "cyd", 3);
    const waiting = [first, second].map(async (ticket) => {
      let turn = await ticket.takeTurn();
      while (turn.kind === "behind") turn = await ticket.wait();
      return turn;
    });
    expect(await third.takeTurn()).toEqual({ kind: "mine" });
    third[Symbol.dispose]();
    expect(await waiting[1]).toEqual({ kind: "mine" });
    expect(await isOver(waiting[0] ?? Promise.resolve())).toBe(false);
    await moveMain(app, 2);
    second[Symbol.dispose]();
    expect(await waiting[0]).toMatchObject({ kind: "superseded", by: BY_BOB });
  });

  it("do not wait for pushes to other refs", async () => {
    using other = await begin("turn-other", "ada", 1, "refs/heads/other");
    await other.takeTurn();
    using main = await begin("turn-other", "bob", 2);
    expect(await main.takeTurn()).toEqual({ kind: "mine" });
  });

  it("wait for one that does not end for a minute at most", async () => {
    let nowMs = 0;
    const queue = { pushes: new Set<PushUnderWay>(), now: () => nowMs, tipOf: () => undefined };
    const push = { ref: MAIN, actor: "ada", startedMs: 0 };
    beginInQueue(queue, { ...push, commitId: testId(1) }).takeTurn();
    const behind = beginInQueue(queue, { ...push, commitId: testId(2) });
    expect(behind.takeTurn().kind).toBe("behind");
    const waiting = behind.wait();
    expect(await isOver(waiting)).toBe(false);
    // Woken before its time, it looks at the clock.
    nowMs = 60_000;
    expect(await behind.wait()).toEqual({ kind: "mine" });
  });

  it("go on where the supervisor does not answer any more: the commit decides", async () => {
    const ticket = await begin("turn-lost", "ada", 1);
    ticket[Symbol.dispose]();
    const narrator = {
      say: nothing,
      brief: nothing,
      detail: nothing,
      note: nothing,
      time: <T>(_: string, work: () => T) => work(),
    };
    expect(await takeTurn(ticket, { narrator, now: Date.now })).toBeUndefined();
  });
});
