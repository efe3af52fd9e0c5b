// Imports that a program may do without: require() in a try, import() with a catch. Only esbuild knows which those are, so it is left to
// fail by itself, and what it says is exchanged for what is known here. Such a require() throws once the program runs.
import type { Message, OnResolveArgs } from "esbuild-wasm";
import type { ImportFailure } from "./import-failure.ts";
import type { BuildCode } from "./messages.ts";

/** Why imports led nowhere, by importer and specifier. */
export type LeftImports = Map<string, ImportFailure>;

const KINDS = new Set<OnResolveArgs["kind"]>(["require-call", "require-resolve", "dynamic-import"]);
/** What is absent. A registry that is down is no reason to leave a package out. */
const ABSENT = new Set<BuildCode>([
  "dependency-not-found",
  "import-not-found",
  "dependency-native",
  "dependency-missing",
  "lockfile-drift",
]);

/** Whether esbuild is to say whether this import may fail. */
export function leaveToEsbuild(left: LeftImports, args: OnResolveArgs, failure: ImportFailure): boolean {
  if (!KINDS.has(args.kind) || !ABSENT.has(failure.code)) return false;
  left.set(keyOf(args.importer, args.path), failure);
  return true;
}

/** What is known of an import that esbuild could not resolve. */
export function findLeftImport(left: LeftImports, { text, location }: Message): ImportFailure | undefined {
  const specifier = /^Could not resolve "(.*)"$/.exec(text)?.[1];
  return specifier === undefined || location === null ? undefined : left.get(keyOf(location.file, specifier));
}

function keyOf(importer: string, specifier: string): string {
  return `${importer.replace(/^\/+/, "")} ${specifier}`;
}
