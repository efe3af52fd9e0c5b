import { describe, expect, test } from "vitest";
import { inSideBand, progressLine } from "../../src/repo/side-band-stream.ts";

async function* chunks(...items: readonly (Uint8Array | Error | number)[]): AsyncGenerator<Uint8Array> {
  for (const item of items) {
    if (item instanceof Error) throw item;
    if (typeof item === "number") await scheduler.wait(item);
    else yield item;
  }
}

async function collect(stream: AsyncGenerator<Uint8Array>): Promise<{ text: string; error: unknown }> {
  let text = "";
  try {
    for await (const chunk of stream) text += Buffer.from(chunk).toString("latin1");
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

describe("inSideBand", () => {
  test.each([
    [[], "0000"],
    [["abc"], "0008\u0001abc0000"],
    [["abc", "de"], "0008\u0001abc0007\u0001de0000"],
    [["abcdefghijk"], "000a\u0001abcde000a\u0001fghij0006\u0001k0000"],
  ] as const)("frames %j", async (items, expected) => {
    const pack = chunks(...items.map((item) => Buffer.from(item)));
    expect(await collect(inSideBand(pack, 10))).toEqual({ text: expected, error: undefined });
  });

  test("sends empty packets while there is nothing", async () => {
    const { text } = await collect(inSideBand(chunks(120, Buffer.from("abc")), 1000, 50));
    expect(text.replaceAll("\u0001", "|")).toMatch(/^(0005\|){2,}0008\|abc0000$/);
  });

  test("tells the client that the pack broke off, and throws", async () => {
    const failure = new Error("R2 is out of reach.");
    const { text, error } = await collect(inSideBand(chunks(Buffer.from("abc"), failure), 1000));
    expect(text.split("\u0003")).toEqual(["0008\u0001abc0047", expect.stringMatching(/^aborting due to/)]);
    expect(text).not.toContain("R2");
    expect(error).toBe(failure);
  });

  test("ends the pack when nobody reads on", async () => {
    let isEnded = false;
    async function* pack(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from("abc");
        yield Buffer.from("def");
      } finally {
        isEnded = true;
      }
    }
    const stream = inSideBand(pack(), 1000);
    await stream.next();
    await stream.return(undefined);
    expect(isEnded).toBe(true);
  });
});

describe("progressLine", () => {
  test("is a line on channel 2", () => {
    expect(Buffer.from(progressLine("half")).toString()).toBe("000a\u0002half\n");
  });
});
