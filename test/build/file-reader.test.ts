import { describe, expect, it } from "vitest";
import { startFileReader } from "../../build/file-reader.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("startFileReader", () => {
  it("asks once for all files of a turn, and never for what it has", async () => {
    const asked: (readonly string[])[] = [];
    const reader = startFileReader(new Map([["a", bytes("a")]]), async (paths) => {
      asked.push(paths);
      return new Map(paths.map((path) => [path, bytes(path)]));
    });
    const read = await Promise.all(["a", "c", "b", "c"].map((path) => reader.read(path)));
    await reader.read("b");
    expect(read.map((each) => new TextDecoder().decode(each))).toEqual(["a", "c", "b", "c"]);
    expect(asked).toEqual([["b", "c"]]);
    expect(reader.isBroken).toBe(false);
  });

  it.each<[string, () => Promise<Map<string, Uint8Array> | undefined>]>([
    ["fails", () => Promise.reject(new Error("away"))],
    ["gives nothing", () => Promise.resolve(undefined)],
    ["gives too little", () => Promise.resolve(new Map())],
  ])("is broken where reading %s", async (_, readMore) => {
    const reader = startFileReader(new Map(), readMore);
    expect((await reader.read("a")).byteLength).toBe(0);
    expect(reader.isBroken).toBe(true);
  });
});
