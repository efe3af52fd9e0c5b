// The visitors' ends of the WebSockets of the compatibility suite.
import { answer, ending, SILENCE_MS, type Side, type Visits } from "./side.ts";

export const SOCKET_VISITS: Visits = {
  "socket.talk": async (side) => {
    const connection = await connect(side, "/tagged", { "sec-websocket-protocol": "chat, other" });
    const welcome = await connection.next();
    const heard = await talk(connection, ["hi", new Uint8Array([1, 2]), "ping", "stamp", "attachment", "count"]);
    const counts: unknown = await (await side.fetch("/socket-count")).json();
    connection.socket.close(1000, "done");
    const closed = await connection.next();
    return {
      status: connection.status,
      protocol: connection.protocol,
      welcome,
      heard,
      counts,
      closed,
      end: await ending(side),
    };
  },
  "socket.hibernation": async (side) => {
    const connection = await connect(side, "/tagged");
    await connection.next();
    await side.evict();
    const heard = await talk(connection, ["hi", "attachment", "stamp", "ping", "count"]);
    connection.socket.send("close");
    return [heard, await connection.next()];
  },
  "socket.untagged": async (side) => {
    const connection = await connect(side, "/plain");
    const heard = [await connection.next(), ...(await talk(connection, ["stamp", "hi", ""]))];
    connection.socket.close(3000, "é");
    return [heard, await connection.next(), await ending(side)];
  },
  "socket.noCode": async (side) => {
    const connection = await connect(side, "/plain");
    await connection.next();
    connection.socket.close();
    return [await connection.next(), await ending(side)];
  },
  "socket.thrown": async (side) => {
    const connection = await connect(side, "/plain");
    await connection.next();
    connection.socket.send("throw");
    return talk(connection, ["hi"]);
  },
  "socket.aborted": async (side) => {
    const connections = [await connect(side, "/plain"), await connect(side, "/held")];
    await connections[0]?.next();
    await answer(side, "/abort");
    return Promise.all(connections.map(({ next }) => next()));
  },
  "socket.held": async (side) => {
    const connection = await connect(side, "/held");
    return talk(connection, ["a", new Uint8Array([3]), "close"]);
  },
};

/** The far end of a WebSocket. */
interface Connection {
  readonly status: number;
  readonly protocol: string | null;
  readonly socket: WebSocket;
  /** The next thing that happens, in words. */
  readonly next: () => Promise<string>;
}

async function connect(side: Side, path: string, headers: Record<string, string> = {}): Promise<Connection> {
  const response = await side.fetch(path, { headers: { upgrade: "websocket", ...headers } });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`No WebSocket came, but status ${response.status}.`);
  const happened: string[] = [];
  let wake: (() => void) | undefined;
  const note = (what: string): void => {
    happened.push(what);
    wake?.();
  };
  socket.addEventListener("message", ({ data }) =>
    note(typeof data === "string" ? data : `bytes ${[...new Uint8Array(data)].join(" ")}`),
  );
  socket.addEventListener("close", ({ code, reason, wasClean }) => note(`closed ${code} ${reason} ${wasClean}`));
  socket.addEventListener("error", ({ message }) => note(`error ${message}`));
  socket.accept();
  socket.binaryType = "arraybuffer";
  const next = async (): Promise<string> => {
    if (happened.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        void scheduler.wait(SILENCE_MS).then(resolve);
      });
    }
    return happened.shift() ?? "silence";
  };
  return { status: response.status, protocol: response.headers.get("sec-websocket-protocol"), socket, next };
}

/** Sends, and tells what came back for each. */
async function talk({ socket, next }: Connection, messages: readonly (string | Uint8Array)[]): Promise<string[]> {
  const heard: string[] = [];
  for (const message of messages) {
    socket.send(message);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    heard.push(await next());
  }
  return heard;
}
