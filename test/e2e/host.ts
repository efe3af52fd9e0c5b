// The real host for end-to-end tests: `npm start`'s own script on a free port, with a folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { readHolder } from "../../scripts/data-folder.ts";
import { makeFolder } from "./git.ts";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** One key for all hosts of the tests, so that none writes one into .dev.vars. */
const ENV_KEY = "end-to-end-key-of-at-least-32-characters";

export interface HostSetup {
  /** Kept by the caller, for a host that comes back to the same data. */
  readonly dataPath?: string;
  readonly token?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Host {
  readonly port: number;
  readonly token: string;
  readonly dataPath: string;
  /** "http://localhost:1234", without a token. */
  readonly url: string;
  /** "http://hello.localhost:1234/". */
  appUrl(app: string): string;
  /** "http://x:TOKEN@localhost:1234/hello.git", or of any other path below the host. */
  gitUrl(path: string): string;
  /** Everything that was printed so far. */
  logs(): string;
  /** As Ctrl-C does. The exit code. */
  stop(): Promise<number | null>;
  /** As a power cut does: every process at once. Or only the one that a user would see and kill. */
  kill(what?: "everything" | "start script"): Promise<void>;
  /** The exit code, once it has ended, for whatever reason. */
  readonly ended: Promise<number | null>;
}

/** Starts a host and waits until it says that it is ready. */
export async function startHost(setup: HostSetup = {}): Promise<Host> {
  const { dataPath = makeFolder(), token = "end-to-end-token", environment = {} } = setup;
  const child = spawn(process.execPath, ["scripts/start.ts", "--port", "0", "--persist-to", dataPath], {
    cwd: ROOT,
    env: { ...process.env, ENV_KEY, ...environment, ADMIN_TOKEN: token },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(() => child.exitCode);
  let logs = "";
  const port = await new Promise<number>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      logs += chunk.toString();
      const ready = /http:\/\/localhost:(\d+)\//.exec(logs);
      if (ready?.[1]) resolve(Number(ready[1]));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`The host ended with ${code} before it was ready:\n${logs}`)));
  });
  return {
    port,
    token,
    dataPath,
    url: `http://localhost:${port}`,
    appUrl: (app) => `http://${app}.localhost:${port}/`,
    gitUrl: (path) => `http://x:${token}@localhost:${port}/${path}`,
    logs: () => logs,
    stop: () => {
      child.kill("SIGINT");
      return ended;
    },
    kill: async (what = "everything") => {
      const holder = readHolder(dataPath);
      child.kill("SIGKILL");
      if (holder && what === "everything") process.kill(-holder.pid, "SIGKILL");
      await once(child, "exit");
    },
    ended,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface RequestInput {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** One request to any origin of the host. Always sent to 127.0.0.1: not every machine resolves *.localhost. */
export async function request(url: string, input: RequestInput = {}): Promise<Answer> {
  const { method = "GET", headers = {}, body, signal } = input;
  const { host, port, pathname, search } = new URL(url);
  const sent = httpRequest({
    host: "127.0.0.1",
    port,
    path: pathname + search,
    method,
    headers: { ...headers, host },
    ...(signal === undefined ? {} : { signal }),
  });
  sent.end(body);
  const [response] = await once(sent, "response");
  return { status: response.statusCode, headers: response.headers, text: await text(response) };
}

/** One call of the JSON API, with the token. */
export async function callApi(host: Host, method: string, path: string, body?: unknown): Promise<Answer> {
  return request(`${host.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${host.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Signs in to the dashboard as its owner. The cookie. */
export async function signIn(host: Host): Promise<string> {
  const { headers } = await request(`${host.url}/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token: host.token }).toString(),
  });
  return headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
}

export interface OpenSocket {
  readonly socket: WebSocket;
  /** Every text message so far, from the first on. */
  readonly received: readonly string[];
}

/** An open WebSocket to an app. A relay puts the app's name into the Host header, since WebSocket resolves names itself. */
export async function openSocket(url: string): Promise<OpenSocket> {
  const { host, port, pathname, search } = new URL(url);
  const relay = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: Number(port) });
    client.once("data", (head) => {
      upstream.write(head.toString("latin1").replace(/^host: .*$/im, `Host: ${host}`), "latin1");
      client.pipe(upstream).pipe(client);
    });
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  relay.listen(0, "127.0.0.1").unref();
  await once(relay, "listening");
  const address = relay.address();
  if (address === null || typeof address === "string") throw new Error("The relay has no port.");
  const socket = new WebSocket(`ws://127.0.0.1:${address.port}${pathname}${search}`);
  const received: string[] = [];
  socket.addEventListener("message", (event) => received.push(String(event.data)));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`No WebSocket came from ${url}.`)));
  });
  return { socket, received };
}
