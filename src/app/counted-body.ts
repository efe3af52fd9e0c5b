// A body whose bytes are counted on their way through.

/** The body to pass on, and how many bytes went through so far. */
export interface CountedBody {
  readonly body: ReadableStream<Uint8Array> | null;
  count(): number;
}

/** A body that has a length keeps it, unless it is encoded: then it is decoded here. `onEnd` is called at its end or break, once. */
export function countBytes(
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  onEnd: (bytes: number) => void = () => undefined,
): CountedBody {
  if (body === null) return { body, count: () => 0 };
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  const length = headers.has("content-encoding") ? null : headers.get("content-length");
  const hasLength = length !== null && /^\d{1,15}$/.test(length);
  const end = hasLength ? new FixedLengthStream(Number(length)) : new IdentityTransformStream();
  const finished = body.pipeTo(counter.writable);
  const passed = counter.readable.pipeTo(end.writable);
  // Whichever side breaks off first: the other ends with it, and the receiver sees the break in its own stream.
  void Promise.allSettled([finished, passed]).then(() => onEnd(bytes));
  return { body: end.readable, count: () => bytes };
}
