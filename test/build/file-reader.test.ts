import { describe, expect, it } from "vitest";
import { FileReader } from "../../build/file-reader.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("FileReader", () => {
  it("asks once for all files of a turn, and never for what it has", async () => {
    const asked: (readonly string[])[] = [];
    const reader = new FileReader(new Map([["a", bytes("a")]]), async (paths) => {
      asked.push(paths);
      return new Map(paths.map((path) => [path, bytes(path)]));
    });
    const read = await Promise.all(["a", "c", "b", "c"].map((path) => reader.read(path, 1)));
    await reader.read("b", 1);
    expect(read.map((each) => new TextDecoder().decode(each))).toEqual(["a", "c", "b", "c"]);
    expect(asked).toEqual([["b", "c"]]);
    expect(reader.isBroken).toBe(false);
  });

  it("reads in several rounds what is too much for one", async () => {
    const asked: (readonly string[])[] = [];
    const reader = new FileReader(new Map(), async (paths) => {
      asked.push(paths);
      return new Map(paths.map((path) => [path, bytes(path)]));
    });
    const mib = 1024 * 1024;
    const sizes: [string, number][] = [
      ["a", 40 * mib],
      ["b", 8 * mib],
      ["c", 8 * mib],
      ["d", 1],
    ];
    await Promise.all(sizes.map(([path, sizeBytes]) => reader.read(path, sizeBytes)));
    expect(asked).toEqual([["a"], ["b", "c"], ["d"]]);
  });

  it.each<[string, () => Promise<Map<string, Uint8Array> | undefined>]>([
    ["fails", () => Promise.reject(new Error("away"))],
    ["gives nothing", () => Promise.resolve(undefined)],
    ["gives too little", () => Promise.resolve(new Map())],
  ])("is broken where reading %s", async (_, readMore) => {
    const reader = new FileReader(new Map(), readMore);
    expect((await reader.read("a", 1)).byteLength).toBe(0);
    expect(reader.isBroken).toBe(true);
  });
});
