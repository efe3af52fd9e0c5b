import { describe, expect, test } from "vitest";
import { encodePackHeader, withPackChecksum, writePack } from "../../src/git/pack-write.ts";
import { makeBlob, makePack, text } from "./tiny-repository.ts";

async function* chunks(...items: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const item of items) yield text(item);
}

describe("encodePackHeader", () => {
  test("names version 2 and the number of objects", () => {
    expect(Buffer.from(encodePackHeader(258)).toString("hex")).toBe("5041434b0000000200000102");
  });
});

describe("writePack", () => {
  test("is what git reads", () => {
    const blobs = [makeBlob("one"), makeBlob("two")];
    expect(Buffer.from(writePack(blobs))).toEqual(Buffer.from(makePack(blobs).pack));
    // git's own pack of no objects.
    expect(Buffer.from(writePack([])).toString("hex")).toBe(
      "5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e",
    );
  });
});

describe("withPackChecksum", () => {
  test("ends with the SHA-1 of all that was passed on", async () => {
    const passed: Uint8Array[] = [];
    for await (const chunk of withPackChecksum(chunks("a", "bc"))) passed.push(chunk);
    expect(Buffer.concat(passed).toString("hex")).toBe("616263a9993e364706816aba3e25717850c26c9cd0d89d");
  });
});
