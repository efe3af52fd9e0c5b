// What is wrong with an object, in git's own words (fsck.c). The ids are those of Documentation/fsck-msgids.txt; here are the ones
// of severity fatal, error and warning, because receive.fsckObjects makes errors of warnings. What is only an info is accepted.

/** Git's message ids and the text that follows them. */
export const FSCK_MESSAGES = {
  // Headers of commits and tags.
  nulInHeader: "unterminated header: NUL",
  unterminatedHeader: "unterminated header",
  missingTree: "invalid format - expected 'tree' line",
  badTreeSha1: "invalid 'tree' line format - bad sha1",
  badParentSha1: "invalid 'parent' line format - bad sha1",
  missingAuthor: "invalid format - expected 'author' line",
  multipleAuthors: "invalid format - multiple 'author' lines",
  missingCommitter: "invalid format - expected 'committer' line",
  nulInCommit: "NUL byte in the commit object body",
  missingObject: "invalid format - expected 'object' line",
  badObjectSha1: "invalid 'object' line format - bad sha1",
  missingTypeEntry: "invalid format - expected 'type' line",
  badType: "invalid 'type' value",
  missingTagEntry: "invalid format - expected 'tag' line",
  // The people in them.
  missingNameBeforeEmail: "invalid author/committer line - missing space before email",
  badName: "invalid author/committer line - bad name",
  missingEmail: "invalid author/committer line - missing email",
  missingSpaceBeforeEmail: "invalid author/committer line - missing space before email",
  badEmail: "invalid author/committer line - bad email",
  missingSpaceBeforeDate: "invalid author/committer line - missing space before date",
  zeroPaddedDate: "invalid author/committer line - zero-padded date",
  badDateOverflow: "invalid author/committer line - date causes integer overflow",
  badDate: "invalid author/committer line - bad date",
  badTimezone: "invalid author/committer line - bad time zone",
  // Trees, in the order in which git reports them.
  badTree: "cannot be parsed as a tree",
  gitmodulesSymlink: ".gitmodules is a symbolic link",
  nullSha1: "contains entries pointing to null sha1",
  fullPathname: "contains full pathnames",
  hasDot: "contains '.'",
  hasDotdot: "contains '..'",
  hasDotgit: "contains '.git'",
  zeroPaddedFilemode: "contains zero-padded file modes",
  duplicateEntries: "contains duplicate file entries",
  treeNotSorted: "not properly sorted",
  // Blobs that git reads by itself.
  gitmodulesMissing: "unable to read .gitmodules blob",
  gitmodulesBlob: "non-blob found at .gitmodules",
  gitmodulesLarge: ".gitmodules too large to parse",
  gitmodulesName: "disallowed submodule name",
  gitmodulesUrl: "disallowed submodule url",
  gitmodulesPath: "disallowed submodule path",
  gitmodulesUpdate: "disallowed submodule update setting",
  gitattributesMissing: "unable to read .gitattributes blob",
  gitattributesBlob: "non-blob found at .gitattributes",
  gitattributesLarge: ".gitattributes too large to parse",
  gitattributesLineLength: ".gitattributes has too long lines to parse",
  // Not one of git's: its SHA-1 dies with these words before any check is made.
  sha1Collision: "SHA-1 appears to be part of a collision attack",
} as const;

export type FsckMessageId = keyof typeof FSCK_MESSAGES;

/** Shown as "messageId: text", as git does. */
export interface FsckProblem {
  readonly messageId: FsckMessageId;
  readonly text: string;
}

export function fsckProblem(messageId: FsckMessageId, detail = ""): FsckProblem {
  return { messageId, text: FSCK_MESSAGES[messageId] + detail };
}
