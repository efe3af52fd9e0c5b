// The object that the probes of RPC call: each method returns, takes or throws one kind of thing.
import { DurableObject, RpcTarget } from "cloudflare:workers";

/** What has an identity on the side that made it. */
export class Cursor extends RpcTarget {
  #at: number;

  constructor(at: number) {
    super();
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  next(): number {
    this.#at += 1;
    return this.#at;
  }

  follow(): Cursor {
    return new Cursor(this.#at + 100);
  }

  async refuse(): Promise<never> {
    throw new RangeError("from the target");
  }
}

class OwnError extends Error {
  override name = "OwnError";
  code = 7;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

export class Peer extends DurableObject {
  field = "of the instance";
  #memory = 0;

  get size(): number {
    return 5;
  }

  get broken(): never {
    throw new RangeError("from the getter");
  }

  get nested(): object {
    return { list: [1, 2], double: (value: number) => value * 2 };
  }

  echo(value: unknown): unknown {
    return value;
  }

  /** Writes down what a call saw that answers nobody. */
  async note(what: unknown): Promise<void> {
    this.ctx.storage.kv.put("noted", [...(this.ctx.storage.kv.get<unknown[]>("noted") ?? []), what]);
  }

  noted(): string {
    return JSON.stringify(this.ctx.storage.kv.get("noted") ?? []);
  }

  count(...values: unknown[]): number {
    return values.length;
  }

  who(): string | undefined {
    return this.ctx.id.name;
  }

  async throwRange(): Promise<string> {
    throw new RangeError("too far", { cause: new Error("the cause") });
  }

  throwOwn(): never {
    throw new OwnError("with more");
  }

  throwText(): never {
    // oxlint-disable-next-line typescript/only-throw-error -- what comes of it is the question
    throw "a text";
  }

  async reject(): Promise<string> {
    await scheduler.wait(1);
    throw new TypeError("later");
  }

  cursor(at: number): Cursor {
    return new Cursor(at);
  }

  adder(amount: number): (value: number) => number {
    return (value) => value + amount;
  }

  async callBack(callback: (value: string) => unknown, times: number): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (let at = 0; at < times; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      answers.push(await callback(`call ${at}`));
    }
    return answers;
  }

  async useCursor(cursor: { next(): number | Promise<number> }): Promise<number> {
    await cursor.next();
    return cursor.next();
  }

  bytes(): ReadableStream<Uint8Array> {
    return new Response("streamed").body ?? new ReadableStream();
  }

  objects(): ReadableStream<unknown> {
    return new ReadableStream({
      start(controller) {
        controller.enqueue({ a: 1 });
        controller.close();
      },
    });
  }

  async read(stream: ReadableStream<Uint8Array>): Promise<string> {
    return new Response(stream).text();
  }

  async write(stream: WritableStream<Uint8Array>): Promise<void> {
    const writer = stream.getWriter();
    await writer.write(encode("written"));
    await writer.close();
  }

  response(): Response {
    return new Response("a body", { status: 201, headers: { "x-own": "1" } });
  }

  async describe(request: Request): Promise<unknown> {
    return [request.method, request.url, request.headers.get("x-own"), await request.text()];
  }

  /** Reads, waits for the storage, writes: no other event comes in between. */
  async increment(): Promise<number> {
    const value = ((await this.ctx.storage.get<number>("value")) ?? 0) + 1;
    await this.ctx.storage.put("value", value);
    return value;
  }

  /** Reads, waits for a timer, writes: other events do come in between. */
  async incrementLate(): Promise<number> {
    const before = this.#memory;
    await scheduler.wait(5);
    this.#memory = before + 1;
    return this.#memory;
  }

  async callOther(other: { who(): Promise<string | undefined> }): Promise<string | undefined> {
    return other.who();
  }

  async putAndAbort(): Promise<void> {
    this.ctx.storage.kv.put("unconfirmed", true);
    this.ctx.abort("from the peer");
  }

  confirmed(): unknown {
    return this.ctx.storage.kv.get("unconfirmed") ?? null;
  }

  async blockAndThrow(): Promise<void> {
    this.#memory = 1000;
    await this.ctx.blockConcurrencyWhile(async () => {
      throw new RangeError("while blocked");
    });
  }

  memory(): number {
    return this.#memory;
  }

  props(): unknown {
    return Reflect.get(this.ctx, "props");
  }

  override async alarm(): Promise<void> {}

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/redirect") return Response.redirect("http://peer.example/landed", 302);
    if (pathname === "/throw") throw new RangeError("from fetch");
    if (pathname === "/status") return new Response("teapot", { status: 418, statusText: "Own" });
    if (pathname === "/slow") await scheduler.wait(500);
    const { method, url, headers, redirect } = request;
    return Response.json({ method, url, redirect, headers: [...headers], text: await request.text() });
  }
}
