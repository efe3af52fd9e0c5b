// The body of an app's answer on its way to the visitor, watched until the app has sent its last byte. Small bodies are read whole,
// which is cheaper than a pipe and keeps their length. The rest goes through a pipe of the runtime's own, which runs no
// JavaScript for the bytes. A stream is not held back: what the app has sent goes on at once.

/** Bodies below this are read whole. A buffer of this size is made for each answer. */
const WHOLE_BELOW_BYTES = 32 * 1024;

/** Longer than a body that is whole takes to arrive behind its headers; so much later a stream is answered. */
const WHOLE_WITHIN_MS = 1;

type Chunk = ReadableStreamReadResult<Uint8Array>;

/** A body of which the first reads are under way or done. */
interface BegunBody {
  readonly body: ReadableStream<Uint8Array>;
  readonly reader: ReadableStreamBYOBReader;
  readonly first: Promise<Chunk>;
  /** Ends a body that is whole; of a larger one it is the first read again. */
  readonly second: Promise<Chunk>;
}

/**
 * The body to answer with. `onEnd` is called once: when the app has no more to send, or nobody is left to take it. Throws, and
 * does not call it, if the app's body breaks before its first chunk.
 */
export async function watchBody(
  body: ReadableStream<Uint8Array>,
  headers: Headers,
  onEnd: () => void,
): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  const reader = body.getReader({ mode: "byob" });
  const first = reader.read(new Uint8Array(WHOLE_BELOW_BYTES));
  const second = first.then((chunk) => (isLarge(chunk) ? chunk : reader.read(new Uint8Array(1024))));
  const last = await Promise.race([second, scheduler.wait(WHOLE_WITHIN_MS)]);
  if (last?.done === true) {
    onEnd();
    return (await first).value ?? new Uint8Array();
  }
  const pipe = openPipe(headers);
  forward({ body, reader, first, second }, pipe.writable).then(onEnd, onEnd);
  return pipe.readable;
}

/** Whether there is more behind the first chunk, most likely; or nothing at all. */
function isLarge(chunk: Chunk): boolean {
  return chunk.done || chunk.value.byteLength === WHOLE_BELOW_BYTES;
}

/** A length that the app gave is kept. An encoded body is decoded on its way through here, so its length says nothing. */
function openPipe(headers: Headers): IdentityTransformStream {
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  if (length !== null && /^\d{1,15}$/.test(length)) return new FixedLengthStream(Number(length));
  return new IdentityTransformStream();
}

async function forward({ body, reader, first, second }: BegunBody, writable: WritableStream): Promise<void> {
  const writer = writable.getWriter();
  const stop = (reason: unknown): void => {
    // Whichever side is gone already refuses, and there is nobody to tell.
    reader.cancel(reason).catch(() => undefined);
    writer.abort(reason).catch(() => undefined);
  };
  // A visitor who leaves before the app has sent anything.
  writer.closed.catch(stop);
  try {
    const chunk = await first;
    if (chunk.done) return await writer.close();
    await writer.write(chunk.value);
    const next = await second;
    if (next.done) return await writer.close();
    if (next !== chunk) await writer.write(next.value);
  } catch (error) {
    stop(error);
    return;
  }
  writer.releaseLock();
  reader.releaseLock();
  await body.pipeTo(writable);
}
