import { describe, expect, it } from "vitest";
import { maskFailure, maskSecrets } from "../../src/app/secret-mask.ts";

describe("maskSecrets", () => {
  it.each([
    ["once", "a topsecret b", ["topsecret"], "a *** b"],
    ["each time", "topsecret,topsecret", ["topsecret"], "***,***"],
    ["the longer of two", "topsecretest", ["topsecret", "topsecretest"], "***"],
    ["as JSON has it", String.raw`{"a":"top\"secret"}`, ['top"secret'], '{"a":"***"}'],
    ["as a URL has it", "/?key=top%2Fsecret%3D", ["top/secret="], "/?key=***"],
    ["line by line", "x\nfirst-line\nsecond-line", ["first-line\nsecond-line"], "x\n***"],
    ["one line of several", "only second-line", ["first-line\nsecond-line"], "only ***"],
    ["where the text is cut", "ends in topsecre", ["topsecret"], "ends in ***"],
    ["no words", "a short one", ["short"], "a short one"],
  ])("masks %s", (_name, text, secrets, masked) => {
    expect(maskSecrets(text, secrets)).toBe(masked);
  });
});

describe("maskFailure", () => {
  it("masks what was thrown", () => {
    const exception = { name: "Error", message: "no topsecret" };
    const failure = {
      code: "start-failed",
      phase: "constructor",
      reason: "It threw: no topsecret",
      exception,
      frames: [],
    } as const;
    expect(JSON.stringify(maskFailure(failure, ["topsecret"]))).not.toContain("topsecret");
    expect(maskFailure(failure, [])).toBe(failure);
  });
});
