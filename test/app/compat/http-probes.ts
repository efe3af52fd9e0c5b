// What the object of the compatibility suite answers with something else than what a probe saw.
import { setPlanned } from "./alarm-probes.ts";
import { show, type Scene } from "./outcome.ts";

type Answer = (scene: Scene) => Response | Promise<Response>;

const ANSWERS: Readonly<Record<string, Answer>> = {
  "/request": describeRequest,
  "/echo": ({ request }) =>
    new Response(request.body, { headers: { "x-length": request.headers.get("content-length") ?? "none" } }),
  "/stream": () => new Response(countedStream(), { headers: { "content-type": "text/plain" } }),
  "/fixed": () => {
    const { readable, writable } = new FixedLengthStream(4);
    const writer = writable.getWriter();
    void writer.write(new TextEncoder().encode("four"));
    void writer.close();
    return new Response(readable);
  },
  "/broken": () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.error(new Error("The stream broke."));
        },
      }),
    ),
  "/redirect": () => Response.redirect("https://elsewhere.example/path?q=1", 302),
  "/relative": () => new Response(null, { status: 307, headers: { location: "../up#part" } }),
  "/cookies": () => {
    const response = new Response("two");
    response.headers.append("set-cookie", "a=1");
    response.headers.append("set-cookie", "b=2; Path=/");
    return response;
  },
  "/encoded": async () => {
    const packed = new Response("packed text").body?.pipeThrough(new CompressionStream("gzip"));
    const body = await new Response(packed).arrayBuffer();
    return new Response(body, {
      encodeBody: "manual",
      headers: { "content-encoding": "gzip", "content-type": "text/plain" },
    });
  },
  "/throw": () => {
    throw new RangeError("from fetch");
  },
  "/abort": ({ ctx }) => {
    ctx.abort("from the object");
    return new Response("not reached");
  },
  "/nothing": () => Reflect.apply(() => undefined, undefined, []) ?? Reflect.get({}, "no response"),
  "/ring": async ({ ctx, request }) => {
    await setPlanned(ctx, new URL(request.url).searchParams.get("plan") ?? "");
    return new Response();
  },
  "/pending": async ({ ctx: { storage } }) => {
    const atMs = await storage.getAlarm();
    return new Response(atMs === null ? "none" : atMs > Date.now() + 60_000 ? "in an hour" : "soon");
  },
  "/delete-alarm": async ({ ctx: { storage } }) => {
    await storage.deleteAlarm();
    await storage.put("isDeleted", true);
    return new Response();
  },
  "/block-forever": async ({ ctx }) => {
    await ctx.blockConcurrencyWhile(() => new Promise(() => undefined));
    return new Response("not reached");
  },
  "/block-throw": async ({ ctx }) => {
    await ctx.blockConcurrencyWhile(async () => {
      throw new RangeError("while blocked");
    });
    return new Response("not reached");
  },
  "/endless": ({ ctx }) =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await scheduler.wait(1);
          controller.enqueue(new Uint8Array(10));
        },
        cancel() {
          ctx.storage.kv.put("end", "the body was cancelled");
        },
      }),
    ),
  "/later": ({ ctx }) => {
    ctx.waitUntil(scheduler.wait(20).then(() => ctx.storage.kv.put("end", "done after the answer")));
    return new Response();
  },
  "/end": async ({ ctx: { storage } }) => Response.json((await storage.get("end")) ?? null),
  "/socket-count": ({ ctx }) => Response.json([ctx.getWebSockets().length, ctx.getWebSockets("b").length]),
  "/clear": async ({ ctx: { storage } }) => {
    await storage.deleteAll();
    return new Response();
  },
};

/** A status by its number, or one of the answers above. */
export async function answerRaw(scene: Scene, pathname: string): Promise<Response> {
  const status = /^\/status\/(\d+)$/.exec(pathname)?.[1];
  if (status !== undefined) return new Response(null, { status: Number(status), statusText: `Status ${status}` });
  const answer = ANSWERS[pathname];
  return answer === undefined ? new Response("There is no such probe.", { status: 404 }) : answer(scene);
}

async function describeRequest({ request }: Scene): Promise<Response> {
  const { method, url, redirect, cf, headers, body, signal, cache } = request;
  return Response.json({
    method,
    url,
    redirect,
    cache: show(cache),
    cf: show(cf),
    headers: [...headers],
    hasBody: body !== null,
    text: await request.text(),
    isAborted: signal.aborted,
  });
}

function countedStream(): ReadableStream<Uint8Array> {
  let count = 0;
  return new ReadableStream({
    async pull(controller) {
      await scheduler.wait(1);
      count += 1;
      controller.enqueue(new TextEncoder().encode(`${count} `));
      if (count === 5) controller.close();
    },
  });
}
