// The body of an app's answer on its way to the visitor, watched until the app has sent its last byte. Small bodies are read whole,
// which is cheaper than a pipe and keeps their length: at once where the length is known, else if they come at once. The rest goes
// through a pipe of the runtime's own, which runs no JavaScript for the bytes. A stream is not held back: what the app has sent goes on
// at once.
import { within } from "../store/time-limit.ts";

/** Bodies up to this are read whole. */
const MAX_WHOLE_BYTES = 32 * 1024;

/** Most are below this. Buffers of MAX_WHOLE_BYTES for all of them would have V8 collect garbage all the time. */
const FIRST_READ_BYTES = 4 * 1024;

/** Longer than a body that is whole takes to arrive behind its headers; so much later a stream is answered. */
const WHOLE_WITHIN_MS = 1;

/** A body of which the beginning is being read. */
interface BegunBody {
  readonly body: ReadableStream<Uint8Array>;
  readonly reader: ReadableStreamBYOBReader;
  /** What has come so far. */
  readonly chunks: Uint8Array[];
  /** Nothing else is to be read. */
  isEnough: boolean;
}

/**
 * What the runtime knows of a body's length, and tells whoever inspects the stream: known of text, bytes and streams of fixed length.
 * Where it is not told any more, bodies are read as those of unknown length are.
 */
const LENGTH = Object.getOwnPropertySymbols(ReadableStream.prototype).find(
  ({ description }) => description === "length",
);

/** What is made of a body's end. */
interface BodyWatcher {
  /** Called once: when the app has no more to send, or nobody is left to take it. */
  onEnd(): void;
  /** The app's body broke after its beginning was sent. onEnd is called too. */
  onBroken(error: unknown): void;
}

/** The body to answer with. Throws, and calls nobody, if the app's body breaks before its first chunk, or before the end of one that is read whole. */
export async function watchBody(
  body: ReadableStream<Uint8Array>,
  response: Response,
  watcher: BodyWatcher,
): Promise<BodyInit> {
  if (isKnownToBeSmall(body)) {
    const bytes = await response.arrayBuffer();
    watcher.onEnd();
    return bytes;
  }
  const begun: BegunBody = { body, reader: body.getReader({ mode: "byob" }), chunks: [], isEnough: false };
  const isWhole = readBeginning(begun);
  if ((await within(isWhole, WHOLE_WITHIN_MS)) === true) {
    watcher.onEnd();
    return join(begun.chunks);
  }
  begun.isEnough = true;
  const pipe = openPipe(response.headers);
  void forward(begun, isWhole, pipe.writable)
    .catch((error: unknown) => watcher.onBroken(error))
    .finally(() => watcher.onEnd());
  return pipe.readable;
}

function isKnownToBeSmall(body: ReadableStream): boolean {
  if (LENGTH === undefined) return false;
  const length: unknown = Reflect.get(body, LENGTH);
  return typeof length === "bigint" && length <= MAX_WHOLE_BYTES;
}

/** Whether that was all. */
async function readBeginning(begun: BegunBody): Promise<boolean> {
  let size = 0;
  while (!begun.isEnough && size < MAX_WHOLE_BYTES) {
    const room = size === 0 ? FIRST_READ_BYTES : MAX_WHOLE_BYTES - size;
    // oxlint-disable-next-line no-await-in-loop -- chunk after chunk
    const { done, value } = await begun.reader.read(new Uint8Array(room));
    if (done) return true;
    begun.chunks.push(value);
    size += value.byteLength;
  }
  return false;
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(), ...rest] = chunks;
  return rest.length === 0 ? first : Buffer.concat(chunks);
}

/** A length that the app gave is kept. An encoded body is decoded on its way through here, so its length says nothing. */
function openPipe(headers: Headers): IdentityTransformStream {
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  if (length !== null && /^\d{1,15}$/.test(length)) return new FixedLengthStream(Number(length));
  return new IdentityTransformStream();
}

/** Throws what the app's body breaks with. Returns where the visitor leaves. */
async function forward(
  { body, reader, chunks }: BegunBody,
  isWhole: Promise<boolean>,
  writable: WritableStream,
): Promise<void> {
  const writer = writable.getWriter();
  const stop = (reason: unknown): void => {
    // Whichever side is gone already refuses, and there is nobody to tell.
    reader.cancel(reason).catch(() => undefined);
    writer.abort(reason).catch(() => undefined);
  };
  // A visitor who leaves before the app has sent anything.
  writer.closed.catch(stop);
  try {
    // What has come goes on before the next is waited for.
    for (const chunk of chunks.splice(0)) await writer.write(chunk);
    const isEnd = await isWhole;
    for (const chunk of chunks) await writer.write(chunk);
    if (isEnd) return await writer.close();
  } catch (error) {
    stop(error);
    // Of a body that was cancelled for its visitor's sake this is no error.
    return reader.closed;
  }
  writer.releaseLock();
  reader.releaseLock();
  try {
    return await body.pipeTo(writable);
  } catch {
    return body.getReader().closed;
  }
}
