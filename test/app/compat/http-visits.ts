// Requests to the object of the compatibility suite, and its answers.
import { answer, ending, type Side, type Visits } from "./side.ts";

const STATUSES = [200, 201, 204, 205, 299, 304, 400, 404, 418, 500, 503, 599];

export const HTTP_VISITS: Visits = {
  ...Object.fromEntries(
    STATUSES.map((status) => [`http.status${status}`, (side: Side) => answer(side, `/status/${status}`)] as const),
  ),
  ...Object.fromEntries(
    ["stream", "fixed", "redirect", "relative", "cookies", "encoded", "broken", "throw", "nothing", "abort"].map(
      (name) => [`http.${name}`, (side: Side) => answer(side, `/${name}`)] as const,
    ),
  ),
  "http.get": (side) => answer(side, "/request?q=a%20b", { headers: { "x-own": "1", cookie: "c=1" } }),
  "http.post": (side) => answer(side, "/request", { method: "POST", body: "text" }),
  "http.head": (side) => answer(side, "/request", { method: "HEAD" }),
  "http.method": (side) => answer(side, "/request", { method: "PROPFIND" }),
  "http.cf": (side) => answer(side, "/request", { cf: { colo: "TST" } }),
  "http.afterAbort": (side) => answer(side, "/status/200"),
  "http.aborted": (side) => answer(side, "/stream", { signal: AbortSignal.abort(new Error("gone")) }),
  "http.streamUp": (side) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    void (async () => {
      const writer = writable.getWriter();
      for (let at = 0; at < 3; at += 1) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await writer.write(new TextEncoder().encode(`part ${at} `));
      }
      await writer.close();
    })();
    return answer(side, "/echo", { method: "POST", body: readable });
  },
  "http.cancelled": cancelled,
  "http.waitUntil": async (side) => [await answer(side, "/later"), await ending(side)],
  "http.large": async (side) => {
    const response = await side.fetch("/echo", { method: "PUT", body: new Uint8Array(3_000_000).fill(7) });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return [bytes.length, bytes.at(-1), response.headers.get("x-length")];
  },
};

/** The visitor goes away in the middle of an answer. */
async function cancelled(side: Side): Promise<unknown> {
  const reader = (await side.fetch("/endless")).body?.getReader();
  const first = await reader?.read();
  await reader?.cancel("enough");
  return [first?.done, await ending(side)];
}
