// An app's event stream (text/event-stream) on its way to the visitor. It has no end to wait for, so a deploy ends it as the app
// itself would: clients connect again by themselves, and ask for what comes after the last event that they have whole.

/** The stream to answer with. Until it is over, `endings` has what ends it in order, wherever it is. */
export function passEventStream(
  body: ReadableStream<Uint8Array>,
  endings: Set<() => void>,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new IdentityTransformStream();
  const reader = body.getReader();
  const writer = writable.getWriter();
  // Whichever side is gone already refuses, and there is nobody to tell.
  const leave = (reason: unknown): void => void reader.cancel(reason).catch(() => undefined);
  const end = (): void => {
    endings.delete(end);
    writer.close().catch(() => undefined);
    leave("a new version was deployed");
  };
  endings.add(end);
  // A visitor who leaves.
  writer.closed.catch(leave);
  const forward = async (): Promise<void> => {
    for (let chunk = await reader.read(); !chunk.done && endings.has(end); chunk = await reader.read()) {
      // oxlint-disable-next-line no-await-in-loop -- one chunk after the other, no faster than the visitor takes them
      await writer.write(chunk.value);
    }
  };
  forward().then(
    () => endings.has(end) && end(),
    (error: unknown) => {
      // Of a stream that was ended nothing is left to tell.
      if (endings.delete(end)) writer.abort(error).catch(() => undefined);
      leave(error);
    },
  );
  return readable;
}
