// What goes to the type checker's isolate and what comes back: plain values, since both cross an isolate's border.
import type { BuildMessage } from "../messages.ts";
import type { TreeNames } from "../tree-index.ts";

/** One tree to check: everything that the entries import, with the declarations that tsconfig.json includes. */
export interface TypecheckRequest {
  readonly names: TreeNames;
  /** Tree paths. Each is a program's root. */
  readonly entries: readonly string[];
  /** The folder whose tsconfig.json counts, "" for the tree's root. */
  readonly root: string;
  /** npm packages that the app has and the tree has not: what is imported of them is of type any. */
  readonly untypedPackages: readonly string[];
  readonly limits: { readonly sourceBytes: number };
}

/** The isolate's answer. */
export type TypecheckAnswer =
  /** All messages are errors, in the order of files and lines; at most MAX_MESSAGES of `total`. */
  | {
      readonly kind: "checked";
      readonly messages: readonly BuildMessage[];
      readonly total: number;
      readonly fileCount: number;
    }
  /** The program's files have more bytes than the limit. */
  | { readonly kind: "too-large"; readonly bytes: number }
  /** The tree could not be read. What went wrong is known where it was read. */
  | { readonly kind: "unread" }
  /** A mistake of the program itself. */
  | { readonly kind: "crashed"; readonly reason: string };
