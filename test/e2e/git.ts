// The real git client, cut off from the machine's own configuration.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";

export interface GitResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SCRATCH = mkdtempSync(join(tmpdir(), "slipway-"));
process.once("exit", () => rmSync(SCRATCH, { recursive: true, force: true }));

/** An empty folder that goes away with this process. */
export function makeFolder(): string {
  return mkdtempSync(join(SCRATCH, "folder-"));
}

const ENVIRONMENT = {
  PATH: process.env["PATH"],
  HOME: SCRATCH,
  LC_ALL: "C",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};

export interface GitOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** A process group of its own: what git starts can be killed with it. */
  readonly detached?: boolean;
}

/** Starts git, to be watched while it runs. */
export function spawnGit(folder: string, args: readonly string[], options: GitOptions = {}) {
  const { environment, detached = false } = options;
  return spawn("git", [...args], { cwd: folder, env: { ...ENVIRONMENT, ...environment }, detached });
}

/** Runs git and reports how it ended, whatever that was. */
export async function tryGit(folder: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const child = spawnGit(folder, args, options);
  // A git that refuses to start its work may not read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

/** Runs git and throws where it fails. What it printed, without the last newline. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tryGit(folder, args);
  if (code !== 0) throw new Error(`git ${args.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
  return stdout.trimEnd();
}

/** Contents by path; undefined removes the file. */
export type Files = Readonly<Record<string, string | Uint8Array | undefined>>;

/** A repository with one commit on main. */
export async function makeRepository(files: Files): Promise<string> {
  const repository = makeFolder();
  await git(repository, "init", "--quiet", "--initial-branch=main");
  await commit(repository, files, "Begin");
  return repository;
}

/** Writes the files and commits everything. The commit's id. */
export async function commit(repository: string, files: Files, message: string): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(repository, path);
    mkdirSync(dirname(target), { recursive: true });
    if (content === undefined) rmSync(target);
    else writeFileSync(target, content);
  }
  await git(repository, "add", "--all");
  await git(repository, "commit", "--quiet", "--allow-empty", "--message", message);
  return git(repository, "rev-parse", "HEAD");
}
