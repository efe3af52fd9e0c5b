import { describe, expect, test } from "vitest";
import { readObjectInfoRequest, writeObjectInfo } from "../../src/git/object-info.ts";
import { codeOf, idsOf, reader } from "./wire.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe("readObjectInfoRequest", () => {
  test("reads ids in their order", async () => {
    const { hasSize, ids } = await readObjectInfoRequest(reader("size", `oid ${B}`, `oid ${A}`, "0000"));
    expect({ hasSize, ids: idsOf(ids) }).toEqual({ hasSize: true, ids: [B, A] });
    expect((await readObjectInfoRequest(undefined)).ids.size).toBe(0);
  });

  test.each([[["oid x", "0000"]], [["type", "0000"]], [[`oid ${A}`]], [[`oid ${A}`, "0001"]]])(
    "rejects %j",
    async (lines) => {
      expect(await codeOf(readObjectInfoRequest(reader(...lines)))).toBe("protocol-error");
    },
  );
});

describe("writeObjectInfo", () => {
  test("leaves the size of an unknown object empty", async () => {
    const request = await readObjectInfoRequest(reader("size", `oid ${A}`, `oid ${B}`, "0000"));
    const sizes = writeObjectInfo(request, (idBytes) => (idBytes[0] === 0xaa ? 7 : undefined));
    expect(text(sizes)).toBe(`0008size002e${A} 7002d${B} 0000`);
  });

  test("has no sizes where none were asked for", async () => {
    const request = await readObjectInfoRequest(reader(`oid ${A}`, "0000"));
    expect(text(writeObjectInfo(request, () => 7))).toBe(`002c${A}0000`);
  });
});
