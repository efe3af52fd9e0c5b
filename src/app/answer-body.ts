// The body of an app's answer on its way to the visitor, watched until the app has sent its last byte. Most bodies are one chunk: those
// are read whole, which is cheaper than a pipe and keeps their length. The rest goes through a pipe of the runtime's own, which
// runs no JavaScript for the bytes. A stream is not held back: what the app has sent goes on at once.

/** Longer than a body that is whole takes to arrive behind its headers; so much later a stream is answered. */
const WHOLE_WITHIN_MS = 1;

type Chunk = ReadableStreamReadResult<Uint8Array>;

/** What forward goes on with: two reads that are under way or done, and all that comes after them. */
interface BegunBody {
  readonly first: Promise<Chunk>;
  readonly second: Promise<Chunk>;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly body: ReadableStream<Uint8Array>;
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
  const reader = body.getReader();
  const first = reader.read();
  const second = first.then((chunk) => (chunk.done ? chunk : reader.read()));
  const end = await Promise.race([second, scheduler.wait(WHOLE_WITHIN_MS)]);
  if (end?.done === true) {
    onEnd();
    return (await first).value ?? new Uint8Array();
  }
  const pipe = openPipe(headers);
  forward({ first, second, reader, body }, pipe.writable).then(onEnd, onEnd);
  return pipe.readable;
}

/** A length that the app gave is kept. An encoded body is decoded on its way through here, so its length says nothing. */
function openPipe(headers: Headers): IdentityTransformStream {
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  if (length !== null && /^\d{1,15}$/.test(length)) return new FixedLengthStream(Number(length));
  return new IdentityTransformStream();
}

async function forward({ first, second, reader, body }: BegunBody, writable: WritableStream): Promise<void> {
  const writer = writable.getWriter();
  const stop = (reason: unknown): void => {
    // Whichever side is gone already refuses, and there is nobody to tell.
    reader.cancel(reason).catch(() => undefined);
    writer.abort(reason).catch(() => undefined);
  };
  // A visitor who leaves before the app has sent anything.
  writer.closed.catch(stop);
  try {
    for (const read of [first, second]) {
      const chunk = await read;
      if (chunk.done) return await writer.close();
      await writer.write(chunk.value);
    }
  } catch (error) {
    stop(error);
    return;
  }
  writer.releaseLock();
  reader.releaseLock();
  await body.pipeTo(writable);
}
