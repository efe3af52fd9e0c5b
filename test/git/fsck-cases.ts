// Objects, and what git 2.39.5 says of each: the message id with which `git index-pack --fsck-objects` refuses a pack of it, which
// is what receive-pack does under receive.fsckObjects; undefined where it accepts it. Text stands for bytes, a character each.
import type { FsckMessageId } from "../../src/git/fsck-problem.ts";

export type FsckCase = readonly [claim: string, content: string, messageId: FsckMessageId | undefined];

const ID = "1234567890123456789012345678901234567890";
const PARENT = "0987654321098765432109876543210987654321";
const RAW_ID = "\x124Vx\x90\x124Vx\x90\x124Vx\x90\x124Vx\x90";
const WHO = "A U Thor <author@example.com> 1700000000 +0100";

function entries(...list: readonly (readonly [mode: string, name: string, id?: string])[]): string {
  return list.map(([mode, name, id = RAW_ID]) => `${mode} ${name}\0${id}`).join("");
}

const file = (name: string): string => entries(["100644", name]);

export const TREE_CASES: readonly FsckCase[] = [
  ["an empty tree", "", undefined],
  [
    "every mode",
    entries(["100644", "a"], ["100755", "b"], ["120000", "c"], ["40000", "d"], ["160000", "e"]),
    undefined,
  ],
  ["a file, then a tree that sorts after it", entries(["100644", "a.c"], ["40000", "a"]), undefined],
  ["a tree before the file that sorts after it", entries(["40000", "a"], ["100644", "a0"]), undefined],
  ["a mode that nobody uses", entries(["100666", "a"]), undefined],
  ["a mode of group-writable files", entries(["100664", "a"]), undefined],
  ["a mode without a format", entries(["644", "a"]), undefined],
  ["a mode of more than 16 bits", entries(["1100644", "a"]), undefined],
  ["bytes that are not UTF-8 in a name", file("caf\xe9"), undefined],
  ["a truncated id", "100644 a\0" + RAW_ID.slice(1), "badTree"],
  ["no id", "100644 a\0", "badTree"],
  ["no NUL", "100644 a", "badTree"],
  ["no mode", " a\0" + RAW_ID, "badTree"],
  ["a mode with a digit that is not octal", entries(["100684", "a"]), "badTree"],
  ["an empty name", file(""), "badTree"],
  ["a second entry that is cut off", file("a") + "100644 b\0" + RAW_ID.slice(2), "badTree"],
  ["garbage after the last entry", file("a") + "x", "badTree"],
  ["a null id", entries(["100644", "a", "\0".repeat(20)]), "nullSha1"],
  ["a slash in a name", file("a/b"), "fullPathname"],
  ["a name that begins with a slash", file("/a"), "fullPathname"],
  ["the name .", file("."), "hasDot"],
  ["the name ..", file(".."), "hasDotdot"],
  ["the name ...", file("..."), undefined],
  ["a zero-padded mode", entries(["040000", "a"]), "zeroPaddedFilemode"],
  ["the same file twice", file("a") + file("a"), "duplicateEntries"],
  ["a file and a tree of one name", entries(["100644", "a"], ["40000", "a"]), "duplicateEntries"],
  [
    "a file and a tree of one name with others in between",
    entries(
      ["100644", "foo"],
      ["100644", "foo.bar"],
      ["100644", "foo.bar.baz"],
      ["40000", "foo.bar"],
      ["40000", "foo"],
    ),
    "duplicateEntries",
  ],
  [
    "the outer of two names apart",
    entries(["100644", "foo"], ["100644", "foo-bar"], ["100644", "foo.bar"], ["40000", "foo"]),
    "duplicateEntries",
  ],
  ["names apart that differ", entries(["100644", "foo"], ["100644", "foo.bar"], ["40000", "foo.ba"]), "treeNotSorted"],
  ["files out of order", file("b") + file("a"), "treeNotSorted"],
  ["a tree where a file would be", entries(["40000", "a"], ["100644", "a.c"]), "treeNotSorted"],
  ["a file where a tree would be", entries(["100644", "a0"], ["40000", "a"]), "treeNotSorted"],
  ["the worse of two problems first", file("b") + file("..") + file(".git"), "hasDotdot"],
];

/** Names, each in a tree of its own, that git takes for .git or does not. */
export const DOT_GIT_NAMES: readonly (readonly [name: string, isRefused: boolean])[] = [
  [".git", true],
  [".GIT", true],
  [".gIt", true],
  ["git~1", true],
  ["GIT~1", true],
  [".git ", true],
  [".git.", true],
  [".git. . ", true],
  [".git::$INDEX_ALLOCATION", true],
  [".git:stream", true],
  ["git~1 .", true],
  ["git~1:x", true],
  [".git\\config", true],
  ["a\\.git", true],
  ["a\\.git\\b", true],
  ["a\\git~1", true],
  ["a\\.git ", true],
  [".g\u00e2\u0080\u008cit", true], // U+200C, as UTF-8
  ["\u00e2\u0080\u008e.git", true],
  [".git\u00e2\u0081\u00af", true],
  ["\u00ef\u00bb\u00bf.git", true],
  [".GI\u00e2\u0080\u00aeT", true],
  [".git\u00ff", true], // not UTF-8
  [".git\u00ef\u00bf\u00be", true], // U+FFFE
  [".git\u00c3\u00a9", false],
  [".g\u00c4\u00b1t", false], // U+0131, whose upper case is I
  [".gitx", false],
  [".git-x", false],
  [".git .x", false],
  ["git~2", false],
  ["git~10", false],
  ["git", false],
  ["x.git", false],
  ["a\\x.git", false],
  [".github", false],
  [".gitignore", false],
  ["\u00e2\u0080\u008c", false],
];

/** Names that git takes for .gitmodules: as symbolic links they are refused. */
export const DOT_GITMODULES_NAMES: readonly (readonly [name: string, isRefused: boolean])[] = [
  [".gitmodules", true],
  [".GitModules", true],
  [".gitmodules ", true],
  [".gitmodules.", true],
  [".gitmodules:$DATA", true],
  [".gitmodules .:$DATA", true],
  ["gitmod~1", true],
  ["GITMOD~4", true],
  ["gitmod~4 . :x", true],
  ["gi7eba~1", true],
  ["GI7EBA~9", true],
  ["gi7eb~10", true],
  ["g~123456", true],
  ["~1000000", true],
  ["~9999999", true],
  ["a\\.gitmodules", true],
  ["a\\b\\gitmod~1", true],
  [".gitmodu\u00e2\u0080\u008dles", true],
  [".gitmodules\u00ff", true],
  ["gitmod~5", false],
  ["gi7eba~0", false],
  ["gi7eb~01", false],
  ["gi7ebaa~1", false],
  ["~0000000", false],
  ["~100000", false],
  ["gi7eba~1x", false],
  [".gitmodulesx", false],
  [".gitmodule", false],
  [".gitmodules\\x", false],
  ["gitmodules", false],
  [".gitattributes", false],
  [".mailmap", false],
];

const commit = (...lines: readonly string[]): string => `${lines.join("\n")}\n\nmessage\n`;
const ident = (person: string): string => commit(`tree ${ID}`, `author ${person}`, `committer ${WHO}`);

export const COMMIT_CASES: readonly FsckCase[] = [
  ["a root commit", commit(`tree ${ID}`, `author ${WHO}`, `committer ${WHO}`), undefined],
  [
    "two parents",
    commit(`tree ${ID}`, `parent ${PARENT}`, `parent ${PARENT}`, `author ${WHO}`, `committer ${WHO}`),
    undefined,
  ],
  [
    "headers of other names",
    commit(`tree ${ID}`, `author ${WHO}`, `committer ${WHO}`, "encoding x", "gpgsig a", " b"),
    undefined,
  ],
  ["no blank line and no message", `tree ${ID}\nauthor ${WHO}\ncommitter ${WHO}\n`, undefined],
  ["ids in upper case", commit(`tree ${"AB".repeat(20)}`, `author ${WHO}`, `committer ${WHO}`), undefined],
  ["an empty commit", "", "unterminatedHeader"],
  ["no newline at the end of the header", `tree ${ID}\nauthor ${WHO}\ncommitter ${WHO}`, "unterminatedHeader"],
  ["a NUL in the header", commit(`tree ${ID}`, `author A\0B <a@b> 1 +0000`, `committer ${WHO}`), "nulInHeader"],
  ["a NUL in the message", `${commit(`tree ${ID}`, `author ${WHO}`, `committer ${WHO}`)}\0`, "nulInCommit"],
  ["no tree", commit(`author ${WHO}`, `committer ${WHO}`), "missingTree"],
  ["a tree that is too short", commit(`tree ${ID.slice(1)}`, `author ${WHO}`, `committer ${WHO}`), "badTreeSha1"],
  ["a tree that is too long", commit(`tree ${ID}0`, `author ${WHO}`, `committer ${WHO}`), "badTreeSha1"],
  [
    "a parent that is no id",
    commit(`tree ${ID}`, `parent ${"x".repeat(40)}`, `author ${WHO}`, `committer ${WHO}`),
    "badParentSha1",
  ],
  [
    "a parent after the author",
    commit(`tree ${ID}`, `author ${WHO}`, `parent ${PARENT}`, `committer ${WHO}`),
    "missingCommitter",
  ],
  ["no author", commit(`tree ${ID}`, `committer ${WHO}`), "missingAuthor"],
  ["two authors", commit(`tree ${ID}`, `author ${WHO}`, `author ${WHO}`, `committer ${WHO}`), "multipleAuthors"],
  ["no committer", commit(`tree ${ID}`, `author ${WHO}`), "missingCommitter"],
  ["a committer without a date", commit(`tree ${ID}`, `author ${WHO}`, "committer A <a@b>"), "missingSpaceBeforeDate"],
];

export const IDENT_CASES: readonly FsckCase[] = (
  [
    ["an empty e-mail address", "A <> 1 +0000", undefined],
    ["the first second", "A <a@b> 0 +0000", undefined],
    ["a space for a name", " <a@b> 1 +0000", undefined],
    ["two spaces before the date", "A <a@b>  1 +0000", undefined],
    ["a plus before the date", "A <a@b> +1 +0000", undefined],
    ["minus zero", "A <a@b> -0 +0000", undefined],
    ["the last date", "A <a@b> 9223372036854775807 +0000", undefined],
    ["a date that goes round below zero", "A <a@b> -9223372036854775809 +0000", undefined],
    ["a time zone that does not exist", "A <a@b> 1 -9999", undefined],
    ["no name", "<a@b> 1 +0000", "missingNameBeforeEmail"],
    ["a > in the name", "A> <a@b> 1 +0000", "badName"],
    ["no e-mail address", "A 1 +0000", "missingEmail"],
    ["nothing at all", "", "missingEmail"],
    ["no space before the e-mail address", "A<a@b> 1 +0000", "missingSpaceBeforeEmail"],
    ["a < in the e-mail address", "A <a<b> 1 +0000", "badEmail"],
    ["an e-mail address without an end", "A <a@b 1 +0000", "badEmail"],
    ["no space before the date", "A <a@b>1 +0000", "missingSpaceBeforeDate"],
    ["no date", "A <a@b>", "missingSpaceBeforeDate"],
    ["a zero-padded date", "A <a@b> 01 +0000", "zeroPaddedDate"],
    ["a date of zeros", "A <a@b> 00 +0000", "zeroPaddedDate"],
    ["a date past the last", "A <a@b> 9223372036854775808 +0000", "badDateOverflow"],
    ["a date past 64 bits", "A <a@b> 18446744073709551616 +0000", "badDateOverflow"],
    ["a date of a hundred digits", `A <a@b> ${"9".repeat(100)} +0000`, "badDateOverflow"],
    ["a date below zero", "A <a@b> -1 +0000", "badDateOverflow"],
    ["a date that is no number", "A <a@b> now +0000", "badDate"],
    ["a date with something after it", "A <a@b> 1x +0000", "badDate"],
    ["a date and nothing else", "A <a@b> 1", "badDate"],
    ["an empty date", "A <a@b>  +0000", "badDate"],
    ["no time zone", "A <a@b> 1 ", "badTimezone"],
    ["a time zone without a sign", "A <a@b> 1 0100", "badTimezone"],
    ["a short time zone", "A <a@b> 1 +010", "badTimezone"],
    ["a long time zone", "A <a@b> 1 +01000", "badTimezone"],
    ["a word for a time zone", "A <a@b> 1 +abcd", "badTimezone"],
  ] as const
).map(([claim, person, messageId]) => [claim, ident(person), messageId]);

const tag = (...lines: readonly string[]): string => `${lines.join("\n")}\n\nmessage\n`;

export const TAG_CASES: readonly FsckCase[] = [
  ["an annotated tag", tag(`object ${ID}`, "type commit", "tag v1", `tagger ${WHO}`), undefined],
  ["a tag of a tree", tag(`object ${ID}`, "type tree", "tag v1", `tagger ${WHO}`), undefined],
  ["no tagger", tag(`object ${ID}`, "type commit", "tag v1"), undefined],
  ["a name that is no ref name", tag(`object ${ID}`, "type commit", "tag v..1", `tagger ${WHO}`), undefined],
  ["a header of another name", tag(`object ${ID}`, "type commit", "tag v1", `tagger ${WHO}`, "x y"), undefined],
  ["a NUL in the message", `${tag(`object ${ID}`, "type commit", "tag v1", `tagger ${WHO}`)}\0`, undefined],
  ["an empty tag", "", "unterminatedHeader"],
  ["a NUL in the header", tag(`object ${ID}`, "type commit", "tag v\x001", `tagger ${WHO}`), "nulInHeader"],
  ["no object", tag("type commit", "tag v1", `tagger ${WHO}`), "missingObject"],
  ["an object that is no id", tag(`object ${ID.slice(1)}`, "type commit", "tag v1", `tagger ${WHO}`), "badObjectSha1"],
  ["no type", tag(`object ${ID}`, "tag v1", `tagger ${WHO}`), "missingTypeEntry"],
  ["a type that does not exist", tag(`object ${ID}`, "type branch", "tag v1", `tagger ${WHO}`), "badType"],
  ["no name", tag(`object ${ID}`, "type commit", `tagger ${WHO}`), "missingTagEntry"],
  [
    "a tagger without an e-mail address",
    tag(`object ${ID}`, "type commit", "tag v1", "tagger A 1 +0000"),
    "missingEmail",
  ],
];

const submodule = (lines: string): string => `[submodule "a"]\n\tpath = a\n${lines}\n`;
const url = (value: string): string => submodule(`\turl = ${value}`);

export const GITMODULES_CASES: readonly FsckCase[] = [
  ["an empty file", "", undefined],
  ["a submodule", url("https://example.com/a.git"), undefined],
  ["a name in the old spelling", "[submodule.a]\nurl=-x\n", "gitmodulesUrl"],
  ["letters of either case", '[SUBMODULE "a"]\nURL=-x\n', "gitmodulesUrl"],
  ["another section", '[core "a"]\nurl=-x\n', undefined],
  ["a section without a name", "[submodule]\nurl=-x\n", undefined],
  ["a comment", '[submodule "a"] # -\n;url=-x\nurl=a#-x\n', undefined],
  ["a line that cannot be parsed", '[submodule "a"]\n= x\nurl=-x\n', undefined],
  ["a problem before a line that cannot be parsed", '[submodule "a"]\nurl=-x\n= x\n', "gitmodulesUrl"],
  ["a quote that does not end", '[submodule "a"]\nurl="-x\n', undefined],
  ["an unknown escape", '[submodule "a"]\nurl=-\\x\n', undefined],
  ["an escaped subsection", '[submodule "a\\"b\\\\..\\\\c"]\nurl=x\n', "gitmodulesName"],
  ["quotes in a value", '[submodule "a"]\nurl="-"x\n', "gitmodulesUrl"],
  ["a continued line", '[submodule "a"]\nurl=\\\n-x\n', "gitmodulesUrl"],
  ["carriage returns", '[submodule "a"]\r\nurl=-x\r\n', "gitmodulesUrl"],
  ["half of a byte order mark", '\xef\xbb[submodule "a"]\nurl=-x\n', undefined],
  ["a value without an equals sign", '[submodule "a"]\nurl\n', undefined],
  ["a variable on the line of its section", '[submodule "a"] url=-x', "gitmodulesUrl"],
  ["a NUL in a name", '[submodule "a\0b"]\nurl=-x\n', undefined],
  ["a NUL in a value", '[submodule "a"]\nurl=x\0\\n-y\n', undefined],
  ["an empty name", '[submodule ""]\nurl=x\n', "gitmodulesName"],
  ["the name ..", '[submodule ".."]\nurl=x\n', "gitmodulesName"],
  ["a name that climbs", '[submodule "../x"]\nurl=x\n', "gitmodulesName"],
  ["a name that climbs after a while", '[submodule "a/../x"]\nurl=x\n', "gitmodulesName"],
  ["a name that climbs in the Windows way", '[submodule "a\\\\..\\\\x"]\nurl=x\n', "gitmodulesName"],
  ["dots within a name", '[submodule "a..b/...c"]\nurl=x\n', undefined],
  ["a name without variables", '[submodule ".."]\n', undefined],
  ["a url like an option", url("-u./x"), "gitmodulesUrl"],
  ["a path like an option", submodule("\tpath = -x"), "gitmodulesPath"],
  ["a command to update with", submodule("\tupdate = !rm"), "gitmodulesUpdate"],
  ["a way to update", submodule("\tupdate = rebase"), undefined],
  ["a relative url", url("../b.git"), undefined],
  ["a relative url with an encoded line break", url("../b%0ahost=x"), "gitmodulesUrl"],
  ["a relative url with a percent sign", url("../b%250ac"), undefined],
  ["a relative url that climbs onto a colon", url("../../../:x/b"), "gitmodulesUrl"],
  ["a relative url that climbs onto a slash", url(".././/x/b"), "gitmodulesUrl"],
  ["a relative url that stays, onto a slash", url(".//x/b"), undefined],
  ["a relative url in the Windows way", url("..\\\\..\\\\:x"), "gitmodulesUrl"],
  ["a git url with an encoded line break", url("git://example.com/%0Ax"), "gitmodulesUrl"],
  ["a git url", url("git://example.com/x"), undefined],
  ["a url with an encoded line break in its path", url("https://example.com/%0ax"), "gitmodulesUrl"],
  ["a url with an encoded line break in its host", url("https://exa%0ample.com/x"), "gitmodulesUrl"],
  ["a url with a line break", url('"https://example.com/\\nx"'), "gitmodulesUrl"],
  ["a url without a host", url("https:///x"), "gitmodulesUrl"],
  ["a url with a user but no host", url("https://user@/x"), "gitmodulesUrl"],
  ["a url with a user and a host", url("https://user:pass@example.com/x"), undefined],
  ["a url with an @ in its path", url("https://example.com/x@y"), undefined],
  ["a url with only a query", url('"https://?x"'), "gitmodulesUrl"],
  ["a url with a port", url("ftp://example.com:21/x"), undefined],
  ["a helper's url", url("https::https://example.com/x"), undefined],
  ["a helper's url without a scheme", url("http::example.com/x"), "gitmodulesUrl"],
  ["a helper's url that is only a scheme", url("http::://example.com/x"), "gitmodulesUrl"],
  ["a helper's url without a host", url("ftps::https:///x"), "gitmodulesUrl"],
  ["a url of ssh", url("git@example.com:a/b%0ac.git"), undefined],
  ["a local url", url("/srv/git/a%0ab"), undefined],
];

export const GITATTRIBUTES_CASES: readonly FsckCase[] = [
  ["an empty file", "", undefined],
  ["a line of 2047 bytes", `${"a".repeat(2047)}\n`, undefined],
  ["a line of 2048 bytes", `${"a".repeat(2048)}\n`, "gitattributesLineLength"],
  ["a last line of 2048 bytes", `* text\n${"a".repeat(2048)}`, "gitattributesLineLength"],
  ["a long line after a NUL", `* text\n\0${"a".repeat(2048)}`, undefined],
];
