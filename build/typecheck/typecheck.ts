// The type check as the host asks for it: an isolate of its own for each check, ended afterwards. Nothing of a build waits for it
// but a push that asked.
import { RUNTIME_COMPATIBILITY_DATE } from "../compatibility.ts";
import { formatBytes } from "../limits.ts";
import type { BuildMessage } from "../messages.ts";
import { isTable, parseConfigFile } from "../config-file.ts";
import { openTree, type OpenTree, readNamedFile } from "../open-tree.ts";
import type { SourceTree } from "../source-tree.ts";
import { findFile, findFolder } from "../tree-index.ts";
import { folderOf, joinPath } from "../tree-path.ts";
import carried from "./carried.generated.bin";
import generated from "./isolate.generated.json" with { type: "json" };
import type TypecheckIsolate from "./isolate.ts";
import type { TypecheckAnswer } from "./typecheck-request.ts";
import typescript from "./typescript.generated.bin";

/** What a check comes to. `checked` without messages is a program without type errors. */
export type TypecheckOutcome =
  | Extract<TypecheckAnswer, { readonly kind: "checked" }>
  /** The check could not be made: that says nothing about the types. */
  | { readonly kind: "unchecked"; readonly message: BuildMessage };

/** What one check may take. Memory is the isolate's own 128 MB. */
export interface TypecheckLimits {
  readonly timeMs: number;
  /** Source and declarations, without those that the host carries. */
  readonly sourceBytes: number;
}

/** The bounds of a host that says nothing else. */
const DEFAULT_LIMITS: TypecheckLimits = { timeMs: 30_000, sourceBytes: 16 * 1024 * 1024 };

/**
 * Checks what the entry of a tree imports, as the nearest tsconfig.json above it says. Throws what reading the tree throws, and for
 * a mistake of the host.
 */
export async function typecheck(
  source: SourceTree,
  entry: string,
  { loader, limits = DEFAULT_LIMITS }: { readonly loader: WorkerLoader; readonly limits?: TypecheckLimits },
): Promise<TypecheckOutcome> {
  const tree = await openTree(source);
  const root = nearestWith(tree, entry, "tsconfig.json");
  const untypedPackages = await listUntyped(tree, entry);
  const isolate = loader.load(workerCode(limits)).getEntrypoint<TypecheckIsolate>();
  const reading: { error?: unknown } = {};
  const readMore = async (paths: readonly string[]): Promise<Map<string, Uint8Array> | undefined> => {
    try {
      return new Map(await tree.source.read(paths));
    } catch (error) {
      reading.error = error;
      return undefined;
    }
  };
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const timer = setTimeout(() => resolve("late"), limits.timeMs);
  try {
    const checked: Promise<TypecheckAnswer | "died"> = isolate
      .check({ names: tree.names, entries: [entry], root, untypedPackages, limits }, readMore)
      .catch(() => "died" as const);
    const answer = await Promise.race([checked, late]);
    if (reading.error !== undefined) throw reading.error;
    return outcomeOf(answer, limits);
  } finally {
    clearTimeout(timer);
    // Not awaited: an isolate that does not answer is beyond ending, and one that ends answers nothing.
    void Promise.resolve(isolate.end()).catch(() => undefined);
  }
}

function outcomeOf(answer: TypecheckAnswer | "died" | "late", limits: TypecheckLimits): TypecheckOutcome {
  if (answer === "late") return unchecked(`The type check took longer than ${limits.timeMs / 1000} s and was stopped.`);
  if (answer === "died") return unchecked("The type check used up its memory and was stopped.");
  if (answer.kind === "checked") return answer;
  if (answer.kind === "too-large") {
    const limit = formatBytes(limits.sourceBytes);
    return unchecked(`The app's types come to ${formatBytes(answer.bytes)} of source, and ${limit} is the limit.`);
  }
  const reason = answer.kind === "crashed" ? answer.reason : "the source tree did not read a file that it lists";
  throw new Error(`The type checker failed: ${reason}`);
}

/** The nearest folder at or above a file that has a file of this name; the root where none has. */
function nearestWith(tree: OpenTree, path: string, name: string): string {
  for (let folder = folderOf(path); folder !== ""; folder = folderOf(folder)) {
    if (findFile(tree.index, `${folder}/${name}`) !== undefined) return folder;
  }
  return "";
}

/** Packages that the app's package.json and the repository's name, and whose files are not in the commit. */
async function listUntyped(tree: OpenTree, entry: string): Promise<string[]> {
  const names = new Set<string>();
  for (const folder of new Set([nearestWith(tree, entry, "package.json"), ""])) {
    // oxlint-disable-next-line no-await-in-loop -- two files at most
    const named = await readNamedFile(tree, joinPath(folder, "package.json") ?? "");
    const parsed = named.kind === "found" ? parseConfigFile(named.path, named.bytes) : undefined;
    if (parsed?.kind !== "read") continue;
    for (const kind of ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]) {
      const listed = parsed.file.value[kind];
      for (const name of Object.keys(isTable(listed) ? listed : {})) names.add(name);
    }
  }
  const isThere = (name: string): boolean => findFolder(tree.index, `node_modules/${name}`) !== undefined;
  return [...names].filter((name) => !isThere(name) && name !== "@cloudflare/workers-types").toSorted();
}

function unchecked(text: string): TypecheckOutcome {
  const fix = "Check it before pushing instead: npx tsc --noEmit.";
  return { kind: "unchecked", message: { code: "build-limit", text, fix } };
}

function workerCode(limits: TypecheckLimits): WorkerLoaderWorkerCode {
  return {
    compatibilityDate: RUNTIME_COMPATIBILITY_DATE,
    compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
    mainModule: "main.js",
    modules: {
      "main.js": generated.isolate,
      "typescript.js": { cjs: new TextDecoder().decode(typescript) },
      "carried.txt": { text: new TextDecoder().decode(carried) },
    },
    globalOutbound: null,
    limits: { cpuMs: limits.timeMs },
  };
}
