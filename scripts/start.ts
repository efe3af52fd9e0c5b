// `npm start`: a host on this machine until Ctrl-C. Says how to make the first push once it serves.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AdminTokenError, readAdminToken } from "./admin-token.ts";
import type { HostMessage, HostOptions } from "./host.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DEFAULT_DATA_PATH = join(ROOT, ".wrangler", "state");
const STOP_TIMEOUT_MS = 5_000;

/** What keeps a host from starting, as one sentence for the person who started it. */
class StartError extends Error {}

async function readOptions(args: readonly string[]): Promise<HostOptions> {
  const { port, "persist-to": dataFolder, verbose } = parseOptions(args);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new StartError(`--port takes a number from 0 (any free port) to 65535, not ${JSON.stringify(port)}.`);
  }
  const refusal = await tryPort(Number(port));
  if (refusal) throw new StartError(`Port ${port} ${refusal}: choose another one with --port.`);
  return {
    port: Number(port),
    dataPath: openDataFolder(dataFolder),
    token: readAdminToken(process.env, join(ROOT, ".dev.vars")),
    isVerbose: verbose,
  };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string", default: "8787" },
        "persist-to": { type: "string" },
        verbose: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split(". ");
    throw new StartError(`${reason}. The options are --port NUMBER, --persist-to FOLDER and --verbose.`, {
      cause: error,
    });
  }
}

/** Why the port cannot be had. Both loopback addresses, since git and browsers may take either one for "localhost". */
async function tryPort(port: number): Promise<string | undefined> {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = createServer();
    server.listen({ host, port });
    const refusal = await once(server, "listening").then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    server.close();
    if (refusal === "EADDRINUSE") return "is in use";
    if (refusal === "EACCES") return "is not for this user";
  }
  return undefined;
}

/** Only the default folder is made: a mistyped one would start empty, as if every app were gone. */
function openDataFolder(folder: string | undefined): string {
  const path = folder === undefined ? DEFAULT_DATA_PATH : resolve(folder);
  if (folder === undefined) mkdirSync(path, { recursive: true });
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new StartError(`The folder ${path} does not exist: make it first, or choose another one with --persist-to.`);
  }
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new StartError(`The folder ${path} cannot be written to: choose another one with --persist-to.`, {
      cause: error,
    });
  }
  return path;
}

function welcome(options: HostOptions, port: number): string {
  const url = `localhost:${port}`;
  const withToken = `http://x:${options.token}@${url}`;
  return `Slipway is ready: http://${url}/ (data in ${relative(process.cwd(), options.dataPath) || "."})

A first app, live with one paste:

  git clone ${withToken}/new/counter/hello.git && cd hello && git push

It answers at http://hello.${url}/. To push a repository of your own instead:

  git push ${withToken}/hello.git main

Ctrl-C stops the host.`;
}

async function main(): Promise<void> {
  const options = await readOptions(process.argv.slice(2));
  const host = spawn(process.execPath, [join(ROOT, "scripts", "host.ts")], {
    cwd: ROOT,
    // A process group of its own, so that what it started can be ended as a whole.
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    if (host.connected) host.disconnect();
    setTimeout(endGroup, STOP_TIMEOUT_MS).unref();
  };
  const endGroup = () => {
    if (host.pid) process.kill(-host.pid, "SIGKILL");
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);

  const exited = once(host, "exit");
  const answered = new Promise<HostMessage | undefined>((answer) => {
    host.once("message", (message: HostMessage) => answer(message));
    host.once("exit", () => answer(undefined));
  });
  host.send(options);
  const message = await answered;
  if (message?.kind === "ready") console.log(welcome(options, message.port));
  if (message?.kind === "failed") stop();
  await exited;
  if (message?.kind === "failed") throw new StartError(`The host could not start: ${message.reason}`);
  if (!isStopping)
    throw new StartError("The host ended by itself. Start it again; --verbose shows what wrangler says.");
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError || error instanceof AdminTokenError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
