import { describe, expect, it } from "vitest";
import { explainMissingKey, openSecret, sealSecret, SecretBoxError } from "../../src/app/secret-box.ts";

const KEY = "a-key-that-is-long-enough-for-this-host";
const NEXT_KEY = "another-key-that-is-long-enough-as-well";
const PLACE = { repositoryId: "r", valueId: "v", name: "TOKEN" };
const SECRET = "sëcret\n";

describe("sealSecret", () => {
  it("seals what openSecret opens, differently each time", () => {
    const sealed = sealSecret(KEY, PLACE, SECRET);
    expect(openSecret(KEY, PLACE, sealed)).toBe(SECRET);
    expect(sealSecret(KEY, PLACE, SECRET)).not.toEqual(sealed);
    expect(Buffer.from(sealed).includes(SECRET)).toBe(false);
    expect(openSecret(KEY, PLACE, sealSecret(KEY, PLACE, ""))).toBe("");
  });

  it.each([
    ["none", undefined],
    ["an empty one", ""],
    ["a short one", "x".repeat(31)],
  ])("needs a key, and takes not %s", (_name, key) => {
    expect(() => sealSecret(key, PLACE, SECRET)).toThrow(SecretBoxError);
    expect(explainMissingKey(key)).toContain("ENV_KEY");
  });
});

describe("openSecret", () => {
  it.each([
    ["another app", { repositoryId: "s" }],
    ["another value", { valueId: "w" }],
    ["another name", { name: "OTHER" }],
  ])("opens nothing that was sealed for %s", (_name, other) => {
    expect(() => openSecret(KEY, { ...PLACE, ...other }, sealSecret(KEY, PLACE, SECRET))).toThrow(SecretBoxError);
  });

  it("opens nothing that was changed or cut", () => {
    const sealed = sealSecret(KEY, PLACE, SECRET);
    for (const at of [0, 5, 17, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
      expect(() => openSecret(KEY, PLACE, changed), String(at)).toThrow(SecretBoxError);
    }
    for (const length of [0, 4, 20, sealed.length - 1]) {
      expect(() => openSecret(KEY, PLACE, sealed.slice(0, length)), String(length)).toThrow(SecretBoxError);
    }
  });

  it("opens with any of several keys, of which the first seals", () => {
    const old = sealSecret(KEY, PLACE, SECRET);
    const both = `${NEXT_KEY} ${KEY}`;
    expect(openSecret(both, PLACE, old)).toBe(SECRET);
    expect(openSecret(NEXT_KEY, PLACE, sealSecret(both, PLACE, SECRET))).toBe(SECRET);
    expect(() => openSecret(NEXT_KEY, PLACE, old)).toThrow(/another ENV_KEY/);
    expect(() => openSecret(undefined, PLACE, old)).toThrow(/no ENV_KEY/);
  });
});
