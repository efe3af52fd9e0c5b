import { describe, expect, it } from "vitest";
import packageJson from "../../package.json";
import {
  AGENT,
  formatCapabilities,
  isCapability,
  listCapabilities,
  parseCapabilities,
} from "../../src/git/capabilities.ts";

describe("formatCapabilities", () => {
  it("announces what receive-pack does", () => {
    expect(formatCapabilities("git-receive-pack")).toBe(
      "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options " +
        `object-format=sha1 agent=${AGENT}`,
    );
  });

  it("announces what upload-pack does, and where HEAD points if it does", () => {
    const withoutHead =
      "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative " +
      "no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done " +
      `filter object-format=sha1 agent=${AGENT}`;
    expect(formatCapabilities("git-upload-pack")).toBe(withoutHead);
    expect(formatCapabilities("git-upload-pack", { symref: "HEAD:refs/heads/main" })).toBe(
      withoutHead.replace(" filter", " symref=HEAD:refs/heads/main filter"),
    );
  });

  it("does not let a repository change what is fixed", () => {
    expect(formatCapabilities("git-upload-pack", { agent: "other", "no-done": "x" })).toBe(
      formatCapabilities("git-upload-pack"),
    );
  });
});

describe("listCapabilities", () => {
  it("has a line for each capability of version 2", () => {
    expect(listCapabilities("version-2")).toEqual([
      `agent=${AGENT}`,
      "ls-refs=unborn",
      "fetch=shallow wait-for-done filter",
      "server-option",
      "object-format=sha1",
      "object-info",
    ]);
  });

  it("has an agent that names this version and is one word", () => {
    expect(AGENT).toBe(`slipway/${packageJson.version}`);
    expect(AGENT).toMatch(/^[!-~]+$/);
  });
});

describe("parseCapabilities", () => {
  it.each([
    ["", {}],
    [" report-status  atomic\n", { "report-status": true, atomic: true }],
    ["agent=git/2.39.5 quiet", { agent: "git/2.39.5", quiet: true }],
    ["agent=a=b", { agent: "a=b" }],
    ["agent=", { agent: "" }],
    ["agent=one\tagent=two", { agent: "one" }],
    ["atomicity xatomic atomic-x", {}],
    ["toString constructor __proto__ session-id=x", {}],
    ["report-status-v2", { "report-status-v2": true }],
    ["multi_ack", {}],
  ])("reads %j of a push", (text, expected) => {
    expect(Object.fromEntries(parseCapabilities("git-receive-pack", text))).toEqual(expected);
  });

  it("reads what it announces", () => {
    for (const service of ["git-receive-pack", "git-upload-pack", "version-2"] as const) {
      const names = listCapabilities(service).map((word) => word.split("=")[0]);
      expect([...parseCapabilities(service, listCapabilities(service).join(" ")).keys()]).toEqual(names);
      expect(names.every((name) => isCapability(service, name ?? ""))).toBe(true);
    }
  });
});
