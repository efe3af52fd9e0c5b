// The folder that holds everything: git objects, apps, their data. One host at a time: two would write the same databases.
import { once } from "node:events";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { StartError } from "./start-error.ts";

/** The host that serves a folder: `pid` is the process group of wrangler and workerd. */
export interface FolderHolder {
  readonly pid: number;
  readonly port: number;
}

/** Makes the last part of the path where only that is missing: a mistyped path would start empty, as if every app were gone. */
export async function openDataFolder(folder: string | undefined, defaultPath: string): Promise<string> {
  const path = folder === undefined ? defaultPath : resolve(folder);
  const advice = "choose another folder with --persist-to";
  if (folder !== undefined && !existsSync(dirname(path))) {
    throw new StartError(`The folder ${dirname(path)} does not exist: make it first, or ${advice}.`);
  }
  try {
    if (!existsSync(path)) mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new StartError(`The folder ${path} cannot be written to: ${advice}.`, { cause });
  }
  if (!statSync(path).isDirectory()) throw new StartError(`${path} is a file: ${advice}.`);
  const holder = readHolder(path);
  if (holder && (await isServing(holder))) {
    throw new StartError(`A host on port ${holder.port} already serves the folder ${path}: stop it, or ${advice}.`);
  }
  return path;
}

/** Says that a host serves the folder, until the returned function is called. A host that is killed does not call it. */
export function holdDataFolder(path: string, { pid, port }: FolderHolder): () => void {
  writeFileSync(holderPath(path), `${pid} ${port}\n`);
  return () => rmSync(holderPath(path), { force: true });
}

/** Who said last that it serves the folder. */
export function readHolder(path: string): FolderHolder | undefined {
  if (!existsSync(holderPath(path))) return undefined;
  const [pid, port] = readFileSync(holderPath(path), "utf8").split(/\s/).map(Number);
  return pid && port ? { pid, port } : undefined;
}

function holderPath(path: string): string {
  return join(path, "host.pid");
}

/** A process number alone may be another process's by now; so may a port. Both together are the host. */
async function isServing({ pid, port }: FolderHolder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const socket = connect({ host: "127.0.0.1", port });
  // once() rejects on "error": refused, so nothing serves.
  const isOpen = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
