import { describe, expect, it } from "vitest";
import { supervisorOf, testId } from "./deployment.ts";

/** A push by somebody; commits are told apart by number. */
function begin(app: string, actor: string, number: number, ref = "refs/heads/main") {
  return supervisorOf(app).beginPush({ ref, commitId: testId(number), actor, startedMs: number });
}

/** Whether a promise is settled by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), scheduler.wait(50).then(() => false)]);
}

describe("pushes to one ref", () => {
  it("that are alone wait for nobody", async () => {
    using alone = await begin("turn-alone", "ada", 1);
    expect(await alone.takeTurn()).toEqual({ kind: "mine", ahead: undefined });
    expect(await isOver(alone.wait())).toBe(true);
  });

  it("wait for the one that was built before, and are told of it", async () => {
    const first = await begin("turn-wait", "ada", 1);
    await first.takeTurn();
    using second = await begin("turn-wait", "bob", 2);
    expect(await second.takeTurn()).toMatchObject({ kind: "mine", ahead: { actor: "ada", commitId: testId(1) } });
    const waiting = second.wait();
    expect(await isOver(waiting)).toBe(false);
    first[Symbol.dispose]();
    expect(await isOver(waiting)).toBe(true);
  });

  it("take the place of one that is not built yet", async () => {
    using first = await begin("turn-newer", "ada", 1);
    using second = await begin("turn-newer", "bob", 2);
    expect(await first.takeTurn()).toMatchObject({ kind: "superseded", by: { actor: "bob", commitId: testId(2) } });
    expect(await second.takeTurn()).toEqual({ kind: "mine", ahead: undefined });
  });

  it("go one after the other however many there are", async () => {
    const tickets = [];
    for (const number of [1, 2, 3]) {
      const ticket = await begin("turn-three", `number ${number}`, number);
      await ticket.takeTurn();
      tickets.push(ticket);
    }
    const [first, second, third] = tickets;
    const waiting = third?.wait() ?? Promise.reject(new Error("There is no third."));
    first?.[Symbol.dispose]();
    expect(await isOver(waiting)).toBe(false);
    second?.[Symbol.dispose]();
    expect(await isOver(waiting)).toBe(true);
    third?.[Symbol.dispose]();
  });

  it("do not wait for pushes to other refs", async () => {
    using other = await begin("turn-other", "ada", 1, "refs/heads/other");
    await other.takeTurn();
    using main = await begin("turn-other", "bob", 2);
    expect(await main.takeTurn()).toEqual({ kind: "mine", ahead: undefined });
    expect(await isOver(main.wait())).toBe(true);
  });
});
