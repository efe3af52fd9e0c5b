// A chat room: WebSockets that stay open while the app sleeps, and the last messages in SQL.
import { DurableObject } from "cloudflare:workers";
import page from "./page.html";

const HISTORY_LENGTH = 50;
const MAX_NAME_LENGTH = 40;
const MAX_TEXT_LENGTH = 1_000;

/** What a browser gets, always in a JSON array: the history when it connects, then messages as they are written. */
type Message = { name: string; text: string; writtenAt: string };

/** The app. There is exactly one of it, every request comes to it, and this.ctx.storage is its own database. */
export class App extends DurableObject<Env> {
  // Runs at every start, also on data that an older version wrote: so "if not exists".
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(`CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      text TEXT NOT NULL,
      written_at TEXT NOT NULL
    )`);
  }

  override fetch(request: Request): Response {
    const url = new URL(request.url);
    if (url.pathname === "/") return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
    if (url.pathname === "/socket") return this.#connect(request, url.searchParams.get("name")?.trim() ?? "");
    return new Response("Not found\n", { status: 404 });
  }

  #connect(request: Request, name: string): Response {
    if (request.headers.get("upgrade") !== "websocket") return new Response("Expected a WebSocket\n", { status: 426 });
    if (!name || name.length > MAX_NAME_LENGTH) return new Response("Expected ?name=\n", { status: 400 });

    const { 0: client, 1: server } = new WebSocketPair();
    // Accepted this way and not with server.accept(), a socket outlives the object: an idle room costs nothing. What has to be
    // known of a socket after a sleep is attached to it.
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment({ name });
    server.send(JSON.stringify(this.#history()));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Called for every message of every accepted socket, after a sleep too. */
  override webSocketMessage(sender: WebSocket, data: string | ArrayBuffer): void {
    if (typeof data !== "string" || !data.trim() || data.length > MAX_TEXT_LENGTH) return;
    const message: Message = {
      name: sender.deserializeAttachment().name,
      text: data,
      writtenAt: new Date().toISOString(),
    };
    this.#keep(message);
    for (const socket of this.ctx.getWebSockets()) socket.send(JSON.stringify([message]));
  }

  #keep({ name, text, writtenAt }: Message): void {
    const { sql } = this.ctx.storage;
    sql.exec("INSERT INTO messages (name, text, written_at) VALUES (?, ?, ?)", name, text, writtenAt);
    sql.exec("DELETE FROM messages WHERE id <= (SELECT max(id) FROM messages) - ?", HISTORY_LENGTH);
  }

  #history(): Message[] {
    return this.ctx.storage.sql
      .exec<Message>("SELECT name, text, written_at AS writtenAt FROM messages ORDER BY id")
      .toArray();
  }
}

interface Env {
  APP: DurableObjectNamespace<App>;
}

// Plain `wrangler dev` comes in here; a push host goes straight to App.
export default {
  fetch: (request, env) => env.APP.getByName("app").fetch(request),
} satisfies ExportedHandler<Env>;
