// The body of a git request: uncompressed, and read to its end even where the request is refused halfway. A body left unread
// breaks the next request on the connection, so a refusal drains first, up to a bound.
import { HostingError } from "../errors.ts";

const READ_BYTES = 64 * 1024;

/** How much of a refused body is read before the answer. */
const DRAIN_LIMIT_BYTES = 128 * 1024 * 1024;

/** A body and the way to be rid of what is left of it. */
export interface RequestBody {
  /** Uncompressed. Reading throws HostingError "protocol-error" where gzip is damaged, "media-type-unsupported" for other codings. */
  readonly stream: ReadableStream<Uint8Array>;
  /** Reads what is left and throws it away; also while `stream` is locked. */
  drain(): Promise<void>;
}

/** Opens a request's body. Large fetch requests come gzipped (remote-curl.c, rpc_service). */
export function openBody(request: Request): RequestBody {
  const reader = (request.body ?? new Blob([]).stream()).getReader({ mode: "byob" });
  const read = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await reader.read(new Uint8Array(READ_BYTES));
    return done ? undefined : value;
  };
  return { stream: decode(request.headers.get("content-encoding"), pullFrom(read)), drain: () => drain(read) };
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
