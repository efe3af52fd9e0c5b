// The WebSockets of the compatibility suite, with and without hibernation; compat.test.ts is the other end.
import { members, tryEach, type Probes, type Scene, type Seen } from "./outcome.ts";

// oxlint-disable typescript/unbound-method -- Reflect.apply gives methods arguments that their types refuse.
export const SOCKET_PROBES: Probes = { sockets };

const openServer = (): WebSocket => new WebSocketPair()[1];

/** What needs no visitor. */
function sockets({ ctx }: Scene): Promise<Seen> {
  return tryEach({
    tags: () => {
      const socket = openServer();
      ctx.acceptWebSocket(socket, ["a", "b", "a"]);
      return [ctx.getTags(socket), ctx.getWebSockets("a").length, ctx.getWebSockets("none").length];
    },
    tooManyTags: () =>
      ctx.acceptWebSocket(
        openServer(),
        Array.from({ length: 11 }, (_, at) => String(at)),
      ),
    longTag: () => ctx.acceptWebSocket(openServer(), ["t".repeat(257)]),
    badTags: () => Reflect.apply(ctx.acceptWebSocket, ctx, [openServer(), 5]),
    noSocket: () => Reflect.apply(ctx.acceptWebSocket, ctx, []),
    twice: () => {
      const socket = openServer();
      ctx.acceptWebSocket(socket);
      ctx.acceptWebSocket(socket);
    },
    acceptedBefore: () => {
      const socket = openServer();
      socket.accept();
      ctx.acceptWebSocket(socket);
    },
    acceptAfter: () => {
      const socket = openServer();
      ctx.acceptWebSocket(socket);
      socket.accept();
    },
    tagsOfOther: () => ctx.getTags(openServer()),
    attachment: () => {
      const socket = openServer();
      ctx.acceptWebSocket(socket);
      const before: unknown = socket.deserializeAttachment();
      socket.serializeAttachment({ n: 1, at: new Date(5), bytes: new Uint8Array([1]) });
      return [before, socket.deserializeAttachment()];
    },
    fullAttachment: () => {
      const socket = openServer();
      ctx.acceptWebSocket(socket);
      socket.serializeAttachment("x".repeat(16_380));
      return String(socket.deserializeAttachment()).length;
    },
    overfullAttachment: () => openServer().serializeAttachment("x".repeat(16_390)),
    largeAttachment: () => openServer().serializeAttachment("x".repeat(20_000)),
    functionAttachment: () => openServer().serializeAttachment(() => 1),
    pair: () => {
      const pair = new WebSocketRequestResponsePair("ping", "pong");
      return [pair.request, pair.response];
    },
    autoResponse: () => {
      const before = ctx.getWebSocketAutoResponse();
      ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
      const set = ctx.getWebSocketAutoResponse()?.response;
      ctx.setWebSocketAutoResponse();
      return [before, set, ctx.getWebSocketAutoResponse()];
    },
    longAutoResponse: () => new WebSocketRequestResponsePair("x".repeat(3000), "y"),
    eventTimeout: () => {
      ctx.setHibernatableWebSocketEventTimeout(5000);
      const set = ctx.getHibernatableWebSocketEventTimeout();
      ctx.setHibernatableWebSocketEventTimeout();
      return set;
    },
    badEventTimeout: () => ctx.setHibernatableWebSocketEventTimeout(-1),
    badCloseCode: () => {
      const socket = openServer();
      ctx.acceptWebSocket(socket);
      socket.close(1005, "reserved");
    },
    sendBeforeAccept: () => openServer().send("early"),
    members: () => members(openServer()),
  });
}

/** Accepts as the path says. */
export function answerSocket({ ctx, request }: Scene, pathname: string): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0];
  if (pathname === "/held") {
    server.accept();
    server.binaryType = "arraybuffer";
    server.addEventListener("message", ({ data }) => {
      if (data === "close") server.close(4002, "held, asked to");
      else server.send(data);
    });
  } else {
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    ctx.acceptWebSocket(server, pathname === "/tagged" ? ["a", "b"] : []);
    server.serializeAttachment({ path: pathname, since: 7 });
    server.send("welcome");
  }
  const headers = protocol === undefined ? {} : { "sec-websocket-protocol": protocol };
  return new Response(null, { status: 101, webSocket: client, headers });
}
