// The body of a git request: uncompressed, and read to its end even where the request is refused halfway. A body left unread
// breaks the next request on the connection, so a refusal drains first, up to a bound.
import { HostingError } from "../errors.ts";

const READ_BYTES = 64 * 1024;

/** How much of a refused body is read before the answer. */
const DRAIN_LIMIT_BYTES = 128 * 1024 * 1024;

/** A body and the way to be rid of what is left of it. */
export interface RequestBody {
  /**
   * Uncompressed. A chunk is valid until the next is asked for. Reading throws HostingError "protocol-error" where the client goes
   * away or gzip is damaged, "media-type-unsupported" for other codings.
   */
  readonly stream: ReadableStream<Uint8Array>;
  /** Reads what is left and throws it away; also while `stream` is locked. */
  drain(): Promise<void>;
}

/** Opens a request's body. Large fetch requests come gzipped (remote-curl.c, rpc_service). */
export function openBody(request: Request): RequestBody {
  const reader = (request.body ?? new Blob([]).stream()).getReader({ mode: "byob" });
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? null;
  // What decodes may read ahead, and so needs a buffer for each read. Whoever else reads the stream is done with a chunk when it
  // asks for the next, and gets the same buffer again: new ones would be 100 MB of garbage for a push of that size.
  const isDecoded = encoding !== null && encoding !== "identity";
  let buffer = new ArrayBuffer(0);
  const read = async (): Promise<Uint8Array | undefined> => {
    // A read takes the buffer away and gives it back: another that is under way has it.
    const isFree = buffer.byteLength > 0 && !isDecoded;
    const view = new Uint8Array(isFree ? buffer : new ArrayBuffer(READ_BYTES));
    const { done, value } = await reader.read(view).catch((cause: unknown) => {
      throw new HostingError("protocol-error", "The connection broke off before the end of the request.", { cause });
    });
    if (done) return undefined;
    buffer = value.buffer;
    return value;
  };
  return { stream: decode(encoding, pullFrom(read)), drain: () => drain(read) };
}

/** Reads a body that nobody looked at, so that it does not stand in the way of the connection's next request. */
export async function drainUnread(request: Request): Promise<void> {
  if (request.body !== null && !request.body.locked && !request.bodyUsed) await openBody(request).drain();
}

function decode(encoding: string | null, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  if (encoding === null || encoding === "identity") return body;
  if (encoding !== "gzip" && encoding !== "x-gzip") {
    const refusal = new HostingError("media-type-unsupported", `Bodies may be gzipped; this one is ${encoding}.`);
    return pullFrom(() => Promise.reject(refusal));
  }
  const reader = body.pipeThrough(new DecompressionStream("gzip")).getReader();
  return pullFrom(async () => {
    try {
      return (await reader.read()).value;
    } catch (cause) {
      throw new HostingError("protocol-error", "The gzipped body is damaged or ends early.", { cause });
    }
  });
}

/** A stream that reads only when it is asked to. Cancelling it leaves the source as it is, to be drained. */
function pullFrom(read: () => Promise<Uint8Array | undefined>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await read();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

async function drain(read: () => Promise<Uint8Array | undefined>): Promise<void> {
  let leftBytes = DRAIN_LIMIT_BYTES;
  while (leftBytes > 0) {
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    const chunk = await read().catch(() => undefined);
    if (chunk === undefined) return;
    leftBytes -= chunk.byteLength;
  }
}
