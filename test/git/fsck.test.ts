import { describe, expect, it } from "vitest";
import { checkSpecialBlob } from "../../src/git/fsck-blob.ts";
import { FSCK_MESSAGES } from "../../src/git/fsck-problem.ts";
import { checkObject } from "../../src/git/fsck.ts";
import {
  COMMIT_CASES,
  DOT_GITMODULES_NAMES,
  DOT_GIT_NAMES,
  type FsckCase,
  GITATTRIBUTES_CASES,
  GITMODULES_CASES,
  IDENT_CASES,
  TAG_CASES,
  TREE_CASES,
} from "./fsck-cases.ts";

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");
const treeOf = (mode: string, name: string): Uint8Array => bytesOf(`${mode} ${name}\0${"\x07".repeat(20)}`);
const titleOf = ([claim, , messageId]: FsckCase): string =>
  messageId === undefined ? `accepts ${claim}` : `refuses ${claim} as ${messageId}`;

describe("checkObject", () => {
  const groups = { tree: TREE_CASES, commit: [...COMMIT_CASES, ...IDENT_CASES], tag: TAG_CASES } as const;
  for (const kind of ["tree", "commit", "tag"] as const) {
    describe(`of a ${kind}`, () => {
      for (const fsckCase of groups[kind]) {
        const [, content, messageId] = fsckCase;
        it(titleOf(fsckCase), () => {
          expect(checkObject(kind, bytesOf(content))?.messageId).toBe(messageId);
        });
      }
    });
  }

  it.each(DOT_GIT_NAMES)("tells whether %j is .git: %s", (name, isRefused) => {
    expect(checkObject("tree", treeOf("100644", name))?.messageId).toBe(isRefused ? "hasDotgit" : undefined);
  });

  it.each(DOT_GITMODULES_NAMES)("tells whether a link named %j stands for .gitmodules: %s", (name, isRefused) => {
    expect(checkObject("tree", treeOf("120000", name))?.messageId).toBe(isRefused ? "gitmodulesSymlink" : undefined);
  });

  it("names the blobs that git reads by itself, and their ids", () => {
    const seen: string[] = [];
    const tree = Buffer.concat([
      bytesOf(`100644 .gitattributes\0${"\x01".repeat(20)}`),
      bytesOf(`100644 .gitmodules\0${"\x02".repeat(20)}`),
      bytesOf(`120000 GITATT~1\0${"\x03".repeat(20)}`),
      bytesOf(`100644 README.md\0${"\x04".repeat(20)}`),
      bytesOf(`100644 a\\gitmod~2\0${"\x05".repeat(20)}`),
    ]);
    // In the order of bytes, capital letters come between "." and small ones.
    const problem = checkObject("tree", tree, (name, bytes, offset) => seen.push(`${name} ${bytes[offset]}`));
    expect(problem).toBeUndefined();
    expect(seen).toEqual(["gitattributes 1", "gitmodules 2", "gitmodules 5"]);
  });

  it("shows git's words and where the NUL is", () => {
    expect(checkObject("tree", treeOf("100644", ".."))).toEqual({ messageId: "hasDotdot", text: "contains '..'" });
    expect(checkObject("commit", bytesOf("tree \0\n\n"))?.text).toBe("unterminated header: NUL at offset 5");
  });

  it("accepts any blob but the published collision", () => {
    expect(checkObject("blob", bytesOf(`%PDF-1.3\n${"x".repeat(400)}`))).toBeUndefined();
    expect(checkObject("blob", new Uint8Array(0))).toBeUndefined();
    expect(checkObject("blob", shattered())?.messageId).toBe("sha1Collision");
    expect(checkObject("blob", Buffer.concat([shattered(), bytesOf("anything")]))?.messageId).toBe("sha1Collision");
  });

  it("checks a tree of 100,000 entries that all begin alike in time", () => {
    const names = Array.from(
      { length: 100_000 },
      (_, i) => `100644 .git${String(i).padStart(9, "0")}\0${"\x07".repeat(20)}`,
    );
    expect(checkObject("tree", bytesOf(names.join("")))).toBeUndefined();
  });
});

describe("checkSpecialBlob", () => {
  const groups = { gitmodules: GITMODULES_CASES, gitattributes: GITATTRIBUTES_CASES } as const;
  for (const name of ["gitmodules", "gitattributes"] as const) {
    for (const fsckCase of groups[name]) {
      const [, content, messageId] = fsckCase;
      it(`of .${name}: ${titleOf(fsckCase)}`, () => {
        expect(checkSpecialBlob(name, bytesOf(content))?.messageId).toBe(messageId);
      });
    }
  }

  // Git's check reads a blob's bytes as signed and misses the mark; its reading of the checked-out file does not.
  it("of .gitmodules: refuses after a byte order mark what a client would read there", () => {
    const blob = bytesOf('\xef\xbb\xbf[submodule "a"]\nurl=-x\n');
    expect(checkSpecialBlob("gitmodules", blob)?.messageId).toBe("gitmodulesUrl");
  });

  it("of .gitmodules: reads long ones, and refuses those that are longer than any in use", () => {
    const long = [
      " \n".repeat(400_000),
      "#\n".repeat(400_000),
      `[submodule "${"a".repeat(900_000)}"]\n`,
      `[submodule "${"\\a".repeat(450_000)}"]\n`,
      `[submodule "a"]\na=${"x y".repeat(300_000)}\n`,
      `[submodule "a"]\nurl=${"../".repeat(300_000)}\n`,
    ];
    for (const start of long) {
      const blob = bytesOf(`${start}[submodule "b"]\nurl=-x\n`);
      expect(checkSpecialBlob("gitmodules", blob)?.messageId).toBe("gitmodulesUrl");
    }
    expect(checkSpecialBlob("gitmodules", new Uint8Array(1024 * 1024 + 1))?.messageId).toBe("gitmodulesLarge");
  });

  it("says which value it refuses", () => {
    const blob = bytesOf('[submodule "a"]\nurl=-caf\xc3\xa9\n');
    expect(checkSpecialBlob("gitmodules", blob)).toEqual({
      messageId: "gitmodulesUrl",
      text: `${FSCK_MESSAGES.gitmodulesUrl}: -café`,
    });
  });
});

/** The first 320 bytes of the two colliding files. */
function shattered(): Uint8Array {
  return Buffer.from(
    "JVBERi0xLjMKJeLjz9MKCgoxIDAgb2JqCjw8L1dpZHRoIDIgMCBSL0hlaWdodCAzIDAgUi9UeXBlIDQgMCBSL1N1YnR5cGUgNSAw" +
      "IFIvRmlsdGVyIDYgMCBSL0NvbG9yU3BhY2UgNyAwIFIvTGVuZ3RoIDggMCBSL0JpdHNQZXJDb21wb25lbnQgOD4+CnN0cmVhbQr/" +
      "2P/+ACRTSEEtMSBpcyBkZWFkISEhISGFL+wJIzl1nDmxocY8TJfh//4Bc0bckWa2fhGPApq2IbJWD/nKZ8yox/hbqEx5AwwrPeIY" +
      "+G2zqQkB1d9FwU8m/t+z3DjpasIv571yjw5FvOBG0jxXD+sUE5i7VS71oKgr4zH+pIA3uLXXHw4zLt+TrDUA603cDezBqGR5DHgs" +
      "diFWYN0wl5HQa9CvP5jNpLxGKbE=",
    "base64",
  );
}
