// An object's content as a zlib stream, in chunks, so that a large one is not held a second time while it is sent.
import { deflateSync } from "node:zlib";

/** Below this the whole stream is made at once. */
const STREAMED_BYTES = 1024 * 1024;
const SLICE_BYTES = 256 * 1024;

/** `level` is zlib's, and holds for what is made at once. */
export async function* deflateChunks(content: Uint8Array, level: number): AsyncGenerator<Uint8Array> {
  if (content.byteLength < STREAMED_BYTES) {
    yield deflateSync(content, { level });
    return;
  }
  let at = 0;
  const slices = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < content.byteLength) controller.enqueue(content.subarray(at, (at += SLICE_BYTES)));
      else controller.close();
    },
  });
  // "deflate" is the zlib format of RFC 1950, as in packfiles.
  yield* slices.pipeThrough(new CompressionStream("deflate"));
}
