// `npm start`: a host on this machine until Ctrl-C. Says how to make the first push once it serves.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readAdminToken, readEnvKey } from "./admin-token.ts";
import { holdDataFolder, openDataFolder } from "./data-folder.ts";
import type { HostMessage, HostOptions } from "./host.ts";
import { readNpmTokens, readRegistries } from "./npm-registry.ts";
import { runScript, StartError } from "./start-error.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DEV_VARS = join(ROOT, ".dev.vars");
const DEFAULT_DATA_PATH = join(ROOT, ".wrangler", "state");

async function readOptions(args: readonly string[]): Promise<HostOptions> {
  const { port, "persist-to": dataFolder, verbose } = parseOptions(args);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new StartError(`--port takes a number from 0 (any free port) to 65535, not ${JSON.stringify(port)}.`);
  }
  const registries = readRegistries(ROOT, process.env);
  const refusal = await tryPort(Number(port));
  if (refusal) throw new StartError(`Port ${port} ${refusal}: choose another one with --port.`);
  return {
    port: Number(port),
    dataPath: await openDataFolder(dataFolder, DEFAULT_DATA_PATH),
    token: readAdminToken(process.env, DEV_VARS),
    isVerbose: verbose,
    registries: await registries,
    secrets: { ...readNpmTokens(process.env, DEV_VARS), ENV_KEY: readEnvKey(process.env, DEV_VARS) },
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

/** A link that signs a browser in once, so that nobody has to paste the token. The token itself is in no address. */
async function makeSignInLink({ token }: HostOptions, port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/sign-in-links`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new StartError(`The host made no sign-in link: ${answer.status} ${await answer.text()}`);
  const { url }: { readonly url: string } = JSON.parse(await answer.text());
  return `http://localhost:${port}${new URL(url).pathname}`;
}

function welcome(options: HostOptions, port: number, signInLink: string): string {
  const url = `localhost:${port}`;
  const withToken = `http://x:${options.token}@${url}`;
  return `Slipway is ready: http://${url}/ (data in ${options.dataPath})

The dashboard, signed in (the link works once, within ten minutes):

  ${signInLink}

A first app, live with one paste:

  git clone ${withToken}/new/counter/hello.git && cd hello && git push

It answers at http://hello.${url}/. To push a repository of your own instead:

  git push ${withToken}/hello.git main

Ctrl-C stops the host.`;
}

/** The process that runs wrangler, in a process group of its own so that what it started can be ended as a whole. */
function spawnHost(options: HostOptions): ChildProcess {
  const host = spawn(process.execPath, [join(ROOT, "scripts", "host.ts")], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  host.send(options);
  return host;
}

/** Closes the channel, which the host takes as its end. Called twice by one Ctrl-C under npm, which passes signals on. */
function stopHost(host: ChildProcess): void {
  if (host.connected) host.disconnect();
}

/** Whatever is left of the host's process group: its workerd, where the host itself was killed. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!isGone) throw error;
  }
}

/** The host's one message; undefined where it ended without one. */
function readMessage(host: ChildProcess): Promise<HostMessage | undefined> {
  return new Promise((answer) => {
    host.once("message", (message: HostMessage) => answer(message));
    host.once("exit", () => answer(undefined));
  });
}

async function main(): Promise<void> {
  const options = await readOptions(process.argv.slice(2));
  console.log("Starting …");
  const host = spawnHost(options);
  const exited = once(host, "exit").then(() => endGroup(host));
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      isStopping = true;
      stopHost(host);
    });
  }

  const message = await readMessage(host);
  if (message?.kind === "failed") {
    stopHost(host);
    await exited;
    throw new StartError(`The host could not start: ${message.reason}`);
  }
  if (message?.kind === "ready" && host.pid) {
    const release = holdDataFolder(options.dataPath, { pid: host.pid, port: message.port });
    console.log(welcome(options, message.port, await makeSignInLink(options, message.port)));
    await exited;
    release();
  }
  if (!isStopping)
    throw new StartError("The host ended by itself. Start it again; --verbose shows what wrangler says.");
}

await runScript(main);
