// Visitors of an app while it is deployed again and again: readers, writers, slow requests, streams, uploads, event streams and
// WebSockets. Whatever a visitor sees go wrong is kept, and so is every write that was acknowledged.
import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { openSocket } from "./host.ts";

/** An app that notices when a second instance has its database, and says of every answer which version gave it. */
export const loadedApp = (version: string): string => `
import { DurableObject } from "cloudflare:workers";
const encoder = new TextEncoder();
export class App extends DurableObject {
  id = crypto.randomUUID();
  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS writes (id TEXT PRIMARY KEY)");
    ctx.storage.kv.put("owner", this.id);
  }
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const answer = await this.answer(request, url.pathname, url.searchParams.get("id"));
    const isAlone = this.ctx.storage.kv.get("owner") === this.id;
    if (!isAlone) return new Response("two instances at once", { status: 500 });
    answer.headers.set("x-version", "${version}");
    return answer;
  }
  async answer(request: Request, path: string, id: string | null): Promise<Response> {
    if (path === "/all") {
      const rows = this.ctx.storage.sql.exec<{ id: string }>("SELECT id FROM writes").toArray();
      return Response.json(rows.map((row) => row.id));
    }
    if (path === "/socket") {
      const pair = new WebSocketPair();
      if (id === "held") pair[1].accept();
      else this.ctx.acceptWebSocket(pair[1]);
      return new Response(null, { status: 101, webSocket: pair[0] });
    }
    if (path === "/stream") return new Response(this.send(8, 25));
    if (path === "/events") return new Response(this.send(1000, 50), { headers: { "content-type": "text/event-stream" } });
    if (path === "/upload") id += ":" + (await request.arrayBuffer()).byteLength;
    if (path === "/slow") await scheduler.wait(150);
    if (id !== null) this.ctx.storage.sql.exec("INSERT INTO writes VALUES (?)", id);
    return new Response(String(id));
  }
  send(count: number, everyMs: number): ReadableStream {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const write = async () => {
      for (let at = 1; at <= count; at += 1) {
        await writer.write(encoder.encode("data: " + at + "\\n\\n"));
        await scheduler.wait(everyMs);
      }
      await writer.close();
    };
    this.ctx.waitUntil(write().catch(() => undefined));
    return readable;
  }
}
`;

/** What the visitors did and saw. */
export interface LoadOutcome {
  /** Times of whole requests, event streams and sockets left out. */
  readonly timesMs: readonly number[];
  /** In their own words; a request that was refused with the host's own words has these. */
  readonly problems: readonly string[];
  /** Ids of writes that were answered 200. */
  readonly acknowledged: ReadonlySet<string>;
  /** Versions that answered. */
  readonly versions: ReadonlySet<string>;
  /** How often event streams and sockets came to an end and were opened again. */
  readonly reconnects: { readonly events: number; readonly sockets: number };
}

const UPLOAD_BYTES = 300_000;
const KINDS = ["read", "write", "slow", "write", "stream", "write", "events", "upload", "socket", "held"] as const;

/** Visitors that go on until they are stopped. */
export interface Load {
  stop(): Promise<LoadOutcome>;
}

/** `clients` visitors, their kinds in turn. Their writes are named with the prefix, so that two loads do not meet. */
export function startLoad(appUrl: string, clients: number, prefix = ""): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const timesMs: number[] = [];
  const problems: string[] = [];
  const acknowledged = new Set<string>();
  const versions = new Set<string>();
  const reconnects = { events: 0, sockets: 0 };
  const stopping = new AbortController();

  /** At once, if the stop came while something was being opened. */
  const onStop = (act: () => void): void => {
    if (stopping.signal.aborted) act();
    else stopping.signal.addEventListener("abort", act, { once: true });
  };
  const ask = (path: string, body?: Uint8Array): Promise<IncomingMessage> => askApp({ agent, appUrl, path, body });
  const visit = async (path: string, body?: Uint8Array): Promise<string> => {
    const startedMs = performance.now();
    const response = await ask(path, body);
    const text = await readText(response);
    timesMs.push(performance.now() - startedMs);
    if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${text.trim()}`);
    versions.add(String(response.headers["x-version"]));
    return text;
  };
  const write = async (path: string, id: string, body?: Uint8Array): Promise<void> => {
    acknowledged.add(await visit(`${path}?id=${id}`, body));
  };
  const listen = async (): Promise<void> => {
    const response = await ask("/events");
    onStop(() => response.destroy());
    await readText(response).catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    if (!stopping.signal.aborted) reconnects.events += 1;
  };
  const hold = async (query: string): Promise<void> => {
    const { socket } = await openSocket(`${appUrl}socket${query}`);
    const code = await new Promise<number>((resolve) => {
      socket.addEventListener("close", (event) => resolve(event.code));
      // The app answers no closing handshake, so that there is nothing to wait for.
      onStop(() => resolve(1000));
    });
    if (stopping.signal.aborted) return socket.close();
    reconnects.sockets += 1;
    if (code !== 1012) throw new Error(`a WebSocket closed with ${code}`);
  };
  const steps: Readonly<Record<(typeof KINDS)[number], (id: string) => Promise<unknown>>> = {
    read: () => visit("/"),
    write: (id) => write("/", id),
    slow: (id) => write("/slow", id),
    upload: (id) => write("/upload", id, new Uint8Array(UPLOAD_BYTES)),
    stream: async () => {
      const text = await visit("/stream");
      if (!text.endsWith("data: 8\n\n")) throw new Error(`a stream ended with ${JSON.stringify(text.slice(-20))}`);
    },
    events: listen,
    socket: () => hold(""),
    held: () => hold("?id=held"),
  };
  const client = async (_: unknown, number: number): Promise<void> => {
    const kind = KINDS[number % KINDS.length] ?? "read";
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a visitor waits for the answer
      await steps[kind](`${prefix}${kind}-${number}-${turn}`).catch((error: unknown) =>
        problems.push(`${kind}: ${String(error)}`),
      );
    }
  };
  const finished = Promise.all(Array.from({ length: clients }, client));
  return {
    stop: async () => {
      stopping.abort();
      await finished;
      agent.destroy();
      return { timesMs, problems, acknowledged, versions, reconnects };
    },
  };
}

/** Every write that the app has. */
export async function listWrites(appUrl: string): Promise<Set<string>> {
  const agent = new Agent();
  const response = await askApp({ agent, appUrl, path: "/all" });
  const ids: unknown = JSON.parse(await readText(response));
  if (!Array.isArray(ids)) throw new Error("The app's list of writes is no list.");
  return new Set(ids.map(String));
}

/** The answer's headers. Sent to 127.0.0.1: not every machine resolves *.localhost. */
async function askApp(input: {
  readonly agent: Agent;
  readonly appUrl: string;
  readonly path: string;
  readonly body?: Uint8Array | undefined;
}): Promise<IncomingMessage> {
  const { host, port } = new URL(input.appUrl);
  const method = input.body === undefined ? "GET" : "POST";
  const sent = httpRequest({
    agent: input.agent,
    host: "127.0.0.1",
    port,
    path: input.path,
    method,
    headers: { host },
  });
  sent.end(input.body);
  const [response] = await once(sent, "response");
  return response;
}

/** The body, read to its end. Rejects where it breaks off. */
async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
