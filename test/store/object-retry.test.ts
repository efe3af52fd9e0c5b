import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readObject, retry } from "../../src/store/object-retry.ts";

/** The real bucket, of which the first operations go wrong as the faults say. */
function faulty(...faults: readonly ("error" | "short" | "hangs" | "lands after its error")[]) {
  const left = [...faults];
  let asked = 0;
  const bucket = new Proxy(env.BUCKET, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]) => {
        asked += 1;
        const fault = left.shift();
        if (fault === "error") throw new Error("R2 does not answer.");
        if (fault === "hangs") return new Promise(() => undefined);
        const result: unknown = await Reflect.apply(member, target, given);
        if (fault === "lands after its error") throw new Error("R2 lost its answer.");
        return fault === "short" ? cutShort(result) : result;
      };
    },
  });
  return { bucket, asked: () => asked };
}

function cutShort(object: unknown): unknown {
  if (typeof object !== "object" || object === null || !("size" in object)) throw new Error("That is no object.");
  return { size: object.size, arrayBuffer: async () => new ArrayBuffer(1) };
}

const BYTES = new TextEncoder().encode("0123456789");

describe("readObject", () => {
  it.each([
    ["whole", undefined, "0123456789"],
    ["a range", { offset: 2, length: 3 }, "234"],
    ["a range that goes past the end", { offset: 8, length: 10 }, "89"],
  ] as const)("reads %s after an error and a body that ended early", async (_, range, expected) => {
    await env.BUCKET.put("retry/read", BYTES);
    const { bucket, asked } = faulty("error", "short");
    expect(new TextDecoder().decode(await readObject(bucket, "retry/read", range))).toBe(expected);
    expect(asked()).toBe(3);
  });

  it("throws what R2 says the third time, and does not ask again", async () => {
    const { bucket, asked } = faulty("error", "short", "error");
    await env.BUCKET.put("retry/fails", BYTES);
    await expect(readObject(bucket, "retry/fails")).rejects.toThrow("R2 does not answer.");
    expect(asked()).toBe(3);
  });

  it("takes a missing object for an answer", async () => {
    const { bucket, asked } = faulty();
    expect(await readObject(bucket, "retry/missing")).toBeUndefined();
    expect(asked()).toBe(1);
  });
});

describe("retry", () => {
  it("does not wait for ever for an answer", async () => {
    const { bucket } = faulty("hangs");
    await retry(() => bucket.put("retry/hangs", BYTES), 50);
    expect(await readObject(env.BUCKET, "retry/hangs")).toEqual(BYTES);
  });

  it("repeats a write that landed after its error, to the same end", async () => {
    const { bucket, asked } = faulty("lands after its error");
    await retry(() => bucket.put("retry/late", BYTES));
    expect(asked()).toBe(2);
    expect(await readObject(env.BUCKET, "retry/late")).toEqual(BYTES);
  });
});
