// The class of the compatibility suite. Its text is used twice: as a plain Durable Object of a Worker beside the host's, which
// vitest.config.ts declares, and as an app that compat.test.ts deploys. It knows nothing of which it is.
import { DurableObject } from "cloudflare:workers";
import { ALARM_PROBES, ringAsPlanned } from "./alarm-probes.ts";
import { answerRaw } from "./http-probes.ts";
import type { Probes, Seen } from "./outcome.ts";
import { RUNTIME_PROBES } from "./runtime-probes.ts";
import { answerSocket, SOCKET_PROBES } from "./socket-probes.ts";
import { STORAGE_PROBES } from "./storage-probes.ts";

const PROBES: Probes = { ...STORAGE_PROBES, ...ALARM_PROBES, ...RUNTIME_PROBES, ...SOCKET_PROBES };

export class App extends DurableObject {
  #visits = 0;

  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (searchParams.has("add")) this.#visits += 1;
    if (pathname === "/memory") return new Response(String(this.#visits));
    if (pathname === "/probes") return Response.json(Object.keys(PROBES));
    const probe = PROBES[pathname.slice("/probe/".length)];
    const scene = { ctx: this.ctx, env: this.env, request };
    if (probe !== undefined) return Response.json(await probe(scene));
    if (request.headers.has("upgrade")) return answerSocket(scene, pathname);
    if (pathname === "/rings") return Response.json((await this.ctx.storage.get("rings")) ?? []);
    return answerRaw(scene, pathname);
  }

  /** Does what it was told to when it was set, and writes down that it rang. */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await ringAsPlanned(this.ctx, info);
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message !== "string") return socket.send(message);
    if (message === "throw") throw new RangeError("from webSocketMessage");
    if (message === "close") return socket.close(4001, "asked to");
    if (message === "count") return socket.send(String(this.ctx.getWebSockets().length));
    if (message === "attachment") return socket.send(JSON.stringify(socket.deserializeAttachment()));
    if (message === "stamp") {
      const stamp = this.ctx.getWebSocketAutoResponseTimestamp(socket);
      return socket.send(stamp === null ? "never" : stamp.constructor.name);
    }
    socket.send(`${this.ctx.getTags(socket).join(",")}: ${message}`);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void> {
    await this.#noteSocket({ code, reason, wasClean, readyState: socket.readyState });
    if (code === 1005) socket.close();
    else socket.close(code, reason);
  }

  override async webSocketError(_: WebSocket, error: unknown): Promise<void> {
    await this.#noteSocket({ error: String(error) });
  }

  async #noteSocket(seen: Seen): Promise<void> {
    await this.ctx.storage.put("end", seen);
  }
}
