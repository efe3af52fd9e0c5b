// A page that stays true without being loaded again: server-sent events (the HTML standard's format), each the whole new state of one
// part of the page. The state is asked for again and again, because what changes it is in another object.

const LOOK_EVERY_MS = 1000;
/** So that proxies do not hang up. */
const SPEAK_EVERY_MS = 15_000;
/** After this the browser comes again by itself: somebody may have been signed out meanwhile. */
const LAST_MS = 5 * 60 * 1000;

/** One part's state: `key` is the same as long as nothing changed. */
export interface Shown {
  readonly key: string;
  /** By the id of the element that it becomes the content of. */
  readonly parts: Readonly<Record<string, string>>;
}

/** A part's HTML. Everything in it that is not an element was escaped when it was made. */
export async function htmlOf(element: { toString(): string } | Promise<{ toString(): string }>): Promise<string> {
  return (await element).toString();
}

/** The answer that tells of every change until it is hung up on. `known` is the state that the page was made with. */
export function followState(read: () => Promise<Shown>, known: string): Response {
  const hungUp = new AbortController();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      void tell(controller, { read, known, signal: hungUp.signal }).then(
        () => hungUp.signal.aborted || controller.close(),
        // What cannot be read any more, as after the app's end: the browser comes again and is told.
        () => hungUp.signal.aborted || controller.close(),
      );
    },
    cancel: () => hungUp.abort(),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
}

async function tell(
  controller: ReadableStreamDefaultController<Uint8Array>,
  {
    read,
    known,
    signal,
  }: { readonly read: () => Promise<Shown>; readonly known: string; readonly signal: AbortSignal },
): Promise<void> {
  const send = (text: string): void => controller.enqueue(new TextEncoder().encode(text));
  send("retry: 1000\n\n");
  let key = known;
  const endMs = Date.now() + LAST_MS;
  for (let spokenMs = Date.now(); !signal.aborted && Date.now() < endMs;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const shown = await read();
    if (signal.aborted) return;
    const isNew = shown.key !== key;
    const isSilent = Date.now() - spokenMs > SPEAK_EVERY_MS;
    if (isNew) send(`event: parts\ndata: ${JSON.stringify(shown)}\n\n`);
    else if (isSilent) send(":\n\n");
    if (isNew || isSilent) spokenMs = Date.now();
    ({ key } = shown);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
