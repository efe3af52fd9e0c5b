// What a build reads: the files of one commit, as a small interface that a commit in a repository, a test's literal or an
// unpacked package can stand behind. Paths are relative to the tree, "/"-separated, without "." or "..".
import type { BuildMessage } from "./messages.ts";

/** One entry of a tree that is no folder. */
export interface SourceFile {
  readonly mode: "file" | "executable" | "symlink" | "submodule";
  readonly sizeBytes: number;
}

/** The files of one commit. A symlink's content is its target. */
export interface SourceTree {
  readonly files: ReadonlyMap<string, SourceFile>;
  /** The contents of these files, in one round. A path that is not in `files` is the caller's mistake, and throws. */
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
}

const LFS_POINTER = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1");

/** Whether these bytes are a Git LFS pointer: what a commit holds in place of a large file that was never pushed here. */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return LFS_POINTER.every((byte, at) => bytes[at] === byte);
}

/** The message for a file that is a Git LFS pointer. */
export function lfsMessage(path: string): BuildMessage {
  return {
    code: "lfs-pointer",
    text: `${path} is a Git LFS pointer: its content is not in the push.`,
    fix: `Store it in git itself: git lfs untrack "${path}", then git add --renormalize "${path}" and commit.`,
  };
}
