// A build command as a list of esbuild runs, read and never executed: "npm run build" leads to package.json's script of that name, and
// what is left must be esbuild, also through npx. Everything else is refused by name, with what to do instead.
import { type ConfigFile, isTable } from "./config-file.ts";
import { type EsbuildRun, readEsbuildArguments } from "./esbuild-arguments.ts";
import type { BuildMessage, SourceLocation } from "./messages.ts";
import type { BuildCommand } from "./wrangler-bundling.ts";

/** The runs in their order, or the part that cannot be run. */
export type BuildCommandOutcome =
  | { readonly kind: "read"; readonly runs: readonly EsbuildRun[] }
  | { readonly kind: "failed"; readonly message: BuildMessage };

const RUNNERS = new Set(["npm", "pnpm", "yarn", "bun"]);
/** What stands in front of a package's program. */
const EXECUTORS: readonly (readonly string[])[] = [
  ["npx", "--yes"],
  ["npx", "-y"],
  ["npx"],
  ["bunx"],
  ["npm", "exec", "--"],
  ["npm", "exec"],
  ["pnpm", "exec"],
  ["pnpm", "dlx"],
  ["pnpm"],
  ["yarn", "exec"],
  ["yarn", "run"],
  ["yarn"],
  ["bun", "x"],
];
/** Scripts that call each other end here. */
const MAX_DEPTH = 8;

interface Reading {
  readonly command: BuildCommand;
  readonly packageFile: ConfigFile | undefined;
  readonly runs: EsbuildRun[];
}

/** Reads a command as sh would, without anything that only sh can do. */
export function readBuildCommandLine(command: BuildCommand, packageFile: ConfigFile | undefined): BuildCommandOutcome {
  const reading: Reading = { command, packageFile, runs: [] };
  const message = readLine(reading, { text: command.command, location: command.location, depth: 0 });
  return message === undefined ? { kind: "read", runs: reading.runs } : { kind: "failed", message };
}

/** A command line, where it is written, and how many scripts led to it. */
interface Line {
  readonly text: string;
  readonly location: SourceLocation;
  readonly depth: number;
}

function readLine(reading: Reading, line: Line): BuildMessage | undefined {
  const commands = splitCommands(line.text);
  if (commands === undefined) return refuse(line, line.text);
  for (const words of commands) {
    const message = readWords(reading, words, line);
    if (message !== undefined) return message;
  }
  return undefined;
}

function readWords(reading: Reading, words: readonly string[], line: Line): BuildMessage | undefined {
  const script = scriptName(words, reading.packageFile);
  if (script !== undefined) return readScript(reading, script, line);
  const [program = "", ...rest] = withoutExecutor(words);
  if (!/^(?:(?:\.\/)?node_modules\/\.bin\/)?esbuild$/.test(program)) return refuse(line, words.join(" "));
  const run = readEsbuildArguments(rest, reading.command.cwd);
  if (run.kind === "failed") return { code: "config-unsupported", location: line.location, ...run.problem };
  reading.runs.push(run.run);
  return undefined;
}

interface Script {
  readonly name: string;
  /** What the caller puts behind the script's own text. */
  readonly extra: readonly string[];
}

/** The script that a package manager is asked for. npm needs "run" and "--"; the others guess. */
function scriptName(words: readonly string[], packageFile: ConfigFile | undefined): Script | undefined {
  const [runner = "", verb = "", ...rest] = words;
  if (!RUNNERS.has(runner)) return undefined;
  const isRun = verb === "run" || verb === "run-script";
  const name = isRun ? (rest[0] ?? "") : verb;
  const scripts = packageFile?.value["scripts"];
  const isKnown = isTable(scripts) && Object.hasOwn(scripts, name);
  if (!isRun && (runner === "npm" || !isKnown)) return undefined;
  if (runner === "yarn" && !isKnown) return undefined;
  const given = isRun ? rest.slice(1) : rest;
  return { name, extra: given[0] === "--" ? given.slice(1) : given };
}

function readScript(reading: Reading, { name, extra }: Script, line: Line): BuildMessage | undefined {
  const { packageFile } = reading;
  const scripts = packageFile?.value["scripts"];
  const text = isTable(scripts) ? scripts[name] : undefined;
  if (packageFile === undefined || typeof text !== "string") {
    const sentence = `build.command asks for the script "${name}", which package.json does not have.`;
    return { code: "config-invalid", text: sentence, location: line.location };
  }
  const location = packageFile.locate(["scripts", name]);
  if (line.depth >= MAX_DEPTH) {
    const sentence = `The script "${name}" leads to itself.`;
    return { code: "config-invalid", text: sentence, location };
  }
  const whole = [text, ...extra.map(quote)].join(" ");
  return readLine(reading, { text: whole, location, depth: line.depth + 1 });
}

function quote(word: string): string {
  return /^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function withoutExecutor(words: readonly string[]): readonly string[] {
  const found = EXECUTORS.find((executor) => executor.every((word, at) => words[at] === word));
  return found === undefined ? words : words.slice(found.length);
}

/** The words of each command between "&&"; undefined where the line does what only a shell can: variables, pipes, redirections. */
function splitCommands(text: string): string[][] | undefined {
  const commands: string[][] = [[]];
  const token = /\s*(?:(&&)|((?:"(?:[^"\\$`]|\\["\\$`])*"|'[^']*'|\\.|[^\s"'\\$`&|;<>()*?#~!])+))/y;
  const source = text.trim();
  while (token.lastIndex < source.length) {
    const match = token.exec(source);
    if (match === null) return undefined;
    if (match[1] !== undefined) commands.push([]);
    else commands.at(-1)?.push(unquote(match[2] ?? ""));
  }
  return commands.every((words) => words.length > 0) ? commands : undefined;
}

function unquote(word: string): string {
  return word.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
    double === undefined ? String(single ?? escaped) : String(double).replaceAll(/\\(["\\$`])/g, "$1"),
  );
}

function refuse(line: Line, what: string): BuildMessage {
  return {
    code: "config-unsupported",
    text: `A push runs no commands, and "${what.slice(0, 80)}" is no esbuild command line that this host could run by itself.`,
    location: line.location,
    notes: [
      'Can be: "esbuild src/app.ts --bundle --outfile=public/app.js", also through npx and npm run, joined by &&.',
    ],
    fix: "Remove build.command and let the host bundle the source, or run the command before the commit and commit what it writes.",
  };
}
