// One type check: tsconfig.json as TypeScript reads it, the program that the entries make, and its errors as build messages.
import type TypeScript from "typescript-6";
import { locate, MAX_MESSAGES, type BuildMessage } from "../messages.ts";
import type { TypecheckAnswer, TypecheckRequest } from "./typecheck-request.ts";
import { LIB_FOLDER, UNTYPED_FILE, type VirtualFiles } from "./virtual-files.ts";

type Ts = typeof TypeScript;

/** TypeScript's own matching of `include` and `exclude`, which its typings leave out. */
interface FileMatcher {
  matchFiles(
    path: string,
    extensions: readonly string[] | undefined,
    excludes: readonly string[] | undefined,
    includes: readonly string[] | undefined,
    useCaseSensitiveFileNames: boolean,
    currentDirectory: string,
    depth: number | undefined,
    getEntries: (path: string) => { readonly files: readonly string[]; readonly directories: readonly string[] },
    realpath: (path: string) => string,
  ): string[];
}

/** Reading goes on as long as imports lead to files that were not read: one round for each step of the longest chain. */
const MAX_ROUNDS = 200;

/** Options of newer compilers are no mistakes of the pusher: "Unknown compiler option", and its relatives with a suggestion. */
const UNKNOWN_OPTION: ReadonlySet<number> = new Set([5023, 5025]);

/** "Cannot find type definition file for '…'": of a package in `types` that no declarations were pushed of. */
const NO_TYPES_PACKAGE = 2688;

/**
 * What follows from imports that are of type any, and is no mistake: type arguments of an untyped call, a type or namespace of a
 * module without declarations.
 */
const OF_UNTYPED: ReadonlySet<number> = new Set([2347, 2503, 2694, 2709]);

/** Whether an option is of an older compiler ("deprecated") is for the compiler that the pusher runs to say. */
const DEPRECATED_OPTION: ReadonlySet<number> = new Set([5101, 5107]);

/** Checks the entries. Throws only for a mistake of this program. */
export async function checkProgram(ts: Ts, request: TypecheckRequest, files: VirtualFiles): Promise<TypecheckAnswer> {
  const sources = new Map<string, TypeScript.SourceFile>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const config = readConfig(ts, request, files);
    const program = createProgram({ ts, files, sources }, request, config);
    if (files.missing.size === 0) return describe(ts, { program, request, configErrors: config.errors });
    if (!(await files.readMissing())) return { kind: "unread" };
    if (files.bytesRead > request.limits.sourceBytes) return { kind: "too-large", bytes: files.bytesRead };
  }
  throw new Error(`The program was not read after ${MAX_ROUNDS} rounds.`);
}

interface Config {
  readonly options: TypeScript.CompilerOptions;
  /** Declaration files that tsconfig.json includes: an app's own ambient types. */
  readonly declarations: readonly string[];
  readonly errors: readonly TypeScript.Diagnostic[];
}

/** What a tree without tsconfig.json is checked with: what its bundler understands, as strictly as a new project would. */
function defaultOptions(ts: Ts): TypeScript.CompilerOptions {
  return {
    target: ts.ScriptTarget.ES2024,
    lib: ["lib.esnext.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ["@cloudflare/workers-types"],
    jsx: ts.JsxEmit.ReactJSX,
    strict: true,
  };
}

/** What a check here is, whatever the file says: it writes nothing, and leaves the declarations of packages to their authors. */
const ALWAYS: TypeScript.CompilerOptions = {
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  incremental: false,
  composite: false,
  declaration: false,
  noUnusedLocals: false,
  noUnusedParameters: false,
};

function readConfig(ts: Ts, { root }: TypecheckRequest, files: VirtualFiles): Config {
  const folder = root === "" ? "/" : `/${root}`;
  const path = folder === "/" ? "/tsconfig.json" : `${folder}/tsconfig.json`;
  if (!files.fileExists(path)) return { options: { ...defaultOptions(ts), ...ALWAYS }, declarations: [], errors: [] };
  const read = ts.readJsonConfigFile(path, (at) => files.readFile(at));
  const host = {
    useCaseSensitiveFileNames: true,
    fileExists: (at: string) => files.fileExists(at),
    readFile: (at: string) => files.readFile(at),
    readDirectory: (...at: Parameters<TypeScript.ParseConfigHost["readDirectory"]>) => listFiles(ts, files, at),
  };
  const parsed = ts.parseJsonSourceFileConfigFileContent(read, host, folder, ALWAYS, path);
  const options = { ...parsed.options };
  // A check has no output folder, so nothing is to be left out for being in it.
  delete options.outDir;
  delete options.declarationDir;
  const NO_INPUTS = 18_003;
  return {
    options,
    declarations: parsed.fileNames.filter((name) => /\.d\.[cm]?ts$/.test(name)),
    errors: parsed.errors.filter(({ code }) => code !== NO_INPUTS),
  };
}

function listFiles(
  ts: Ts,
  files: VirtualFiles,
  [folder, extensions, excludes, includes, depth]: Parameters<TypeScript.ParseConfigHost["readDirectory"]>,
): string[] {
  if (!hasFileMatcher(ts)) throw new Error("This version of TypeScript has no matchFiles.");
  const getEntries = (path: string): { files: string[]; directories: string[] } => {
    const prefix = path === "/" ? "/" : `${path}/`;
    const names = files.listFiles(path).map((name) => name.slice(prefix.length));
    return { files: names.filter((name) => !name.includes("/")), directories: files.getDirectories(path) };
  };
  return ts.matchFiles(folder, extensions, excludes, includes, true, "/", depth, getEntries, (path) => path);
}

function hasFileMatcher(ts: Ts): ts is Ts & FileMatcher {
  return "matchFiles" in ts && typeof ts.matchFiles === "function";
}

interface ProgramFiles {
  readonly ts: Ts;
  readonly files: VirtualFiles;
  /** Parsed files, kept from round to round. */
  readonly sources: Map<string, TypeScript.SourceFile>;
}

function createProgram(
  { ts, files, sources }: ProgramFiles,
  request: TypecheckRequest,
  { options, declarations }: Config,
): TypeScript.Program {
  const host: TypeScript.CompilerHost = {
    getSourceFile(path, languageVersionOrOptions) {
      const known = sources.get(path);
      if (known !== undefined) return known;
      const text = files.readFile(path);
      if (text === undefined) return undefined;
      const source = ts.createSourceFile(path, text, languageVersionOrOptions);
      if (files.isRead(path)) sources.set(path, source);
      return source;
    },
    getDefaultLibFileName: (of) => `${LIB_FOLDER}/${ts.getDefaultLibFileName(of)}`,
    getDefaultLibLocation: () => LIB_FOLDER,
    writeFile: () => undefined,
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    fileExists: (path) => files.fileExists(path),
    readFile: (path) => files.readFile(path),
    directoryExists: (path) => files.directoryExists(path),
    getDirectories: (path) => files.getDirectories(path),
    realpath: (path) => files.realpath(path),
  };
  // A parameter whose type would come from a package is of type any, which is not the app's doing.
  const implied = request.untypedPackages.length > 0 ? { noImplicitAny: false } : {};
  const entries = request.entries.map((path) => `/${path}`);
  return ts.createProgram({
    rootNames: [...entries, ...declarations, UNTYPED_FILE],
    options: { ...options, ...implied },
    host,
  });
}

interface Checked {
  readonly program: TypeScript.Program;
  readonly request: TypecheckRequest;
  readonly configErrors: readonly TypeScript.Diagnostic[];
}

function describe(ts: Ts, { program, request, configErrors }: Checked): TypecheckAnswer {
  const hasUntyped = request.untypedPackages.length > 0;
  const own = program.getSourceFiles().filter(({ fileName }) => isOwn(fileName));
  const found = [
    ...configErrors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  const errors = ts.sortAndDeduplicateDiagnostics(
    found.filter(
      ({ category, code }) =>
        category === ts.DiagnosticCategory.Error &&
        code !== NO_TYPES_PACKAGE &&
        !(hasUntyped && OF_UNTYPED.has(code)) &&
        !UNKNOWN_OPTION.has(code) &&
        !DEPRECATED_OPTION.has(code),
    ),
  );
  return {
    kind: "checked",
    messages: errors.slice(0, MAX_MESSAGES).map((error) => toMessage(ts, error)),
    total: errors.length,
    fileCount: own.length,
  };
}

/** The pusher's own files: not those of packages, nor those that the host carries. */
function isOwn(path: string): boolean {
  return !path.includes("/node_modules/") && !path.startsWith(`${LIB_FOLDER}/`);
}

function toMessage(ts: Ts, { file, start, length, code, messageText }: TypeScript.Diagnostic): BuildMessage {
  const [text = "", ...notes] = ts.flattenDiagnosticMessageText(messageText, "\n").split("\n");
  const message = { code: "type-error", text: `${text} (TS${code})`, notes: notes.map((note) => note.trim()) } as const;
  if (file === undefined || start === undefined) return message;
  return { ...message, location: locate(file.fileName.slice(1), file.text, start, length ?? 1) };
}
