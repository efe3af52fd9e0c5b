// Reads parts of a stored pack in windows of about a megabyte, in order, a few windows ahead of the reader.
import { WHOLE_PACK_BYTES, type PackStore, loadWholePack, readPackRange } from "../store/pack-store.ts";
import type { PackRow } from "../store/repository-state.ts";

/** A slow client holds (1 + WINDOWS_AHEAD) windows: less would wait for R2 between windows, more would fill the isolate. */
const WINDOW_BYTES = 1024 * 1024;
const WINDOWS_AHEAD = 2;
/** Bytes between two wanted entries that are read along with them: cheaper than one more R2 operation. */
const MAX_GAP_BYTES = 128 * 1024;

/** Where one entry lies in its pack; `n` is its number in the pack's index. */
export interface PackSpan {
  readonly n: number;
  readonly offset: number;
  readonly end: number;
}

/** A range of the pack. An entry longer than a window goes on in windows that no entry begins in. */
export interface PackWindow {
  readonly offset: number;
  readonly end: number;
  /** The entries that begin here; all but a single one that is too long also end here. */
  readonly spans: readonly PackSpan[];
}

/** Groups entries, given in order of their offsets, into windows. */
export function* cutWindows(spans: Iterable<PackSpan>): Generator<PackWindow> {
  let group: PackSpan[] = [];
  let offset = 0;
  let end = 0;
  for (const span of spans) {
    if (group.length > 0 && (span.end - offset > WINDOW_BYTES || span.offset - end > MAX_GAP_BYTES)) {
      yield* cutGroup(group, offset, end);
      group = [];
    }
    if (group.length === 0) offset = span.offset;
    group.push(span);
    end = span.end;
  }
  if (group.length > 0) yield* cutGroup(group, offset, end);
}

function* cutGroup(spans: readonly PackSpan[], offset: number, end: number): Generator<PackWindow> {
  yield { offset, end: Math.min(end, offset + WINDOW_BYTES), spans };
  for (let at = offset + WINDOW_BYTES; at < end; at += WINDOW_BYTES) {
    yield { offset: at, end: Math.min(end, at + WINDOW_BYTES), spans: [] };
  }
}

/** The windows with their bytes, which are shared and must not be written to. Throws if the pack is shorter than its row says. */
export async function* readWindows(
  from: { readonly store: PackStore; readonly row: PackRow },
  windows: Iterable<PackWindow>,
): AsyncGenerator<{ readonly window: PackWindow; readonly bytes: Uint8Array }> {
  const { store, row } = from;
  if (row.packBytes <= WHOLE_PACK_BYTES) {
    const pack = await loadWholePack(store, row.packId);
    for (const window of windows) yield { window, bytes: pack.subarray(window.offset, window.end) };
    return;
  }
  const reads: Promise<{ window: PackWindow; bytes: Uint8Array }>[] = [];
  for (const window of windows) {
    const read = readWindow(store, row, window);
    // A read ahead may fail before its turn; the error is for whoever awaits it below, not for the runtime to report.
    void Promise.allSettled([read]);
    reads.push(read);
    if (reads.length > WINDOWS_AHEAD) yield await takeFirst(reads);
  }
  // oxlint-disable-next-line no-await-in-loop -- in order, and only as the reader asks
  while (reads.length > 0) yield await takeFirst(reads);
}

async function readWindow(
  store: PackStore,
  row: PackRow,
  window: PackWindow,
): Promise<{ window: PackWindow; bytes: Uint8Array }> {
  const length = window.end - window.offset;
  const bytes = await readPackRange(store, row.packId, window.offset, length);
  if (bytes.byteLength < length) throw new Error(`Pack ${row.packId} ends before byte ${window.end}.`);
  return { window, bytes };
}

function takeFirst<Item>(items: Promise<Item>[]): Promise<Item> {
  const first = items.shift();
  return first ?? Promise.reject(new RangeError("There is no read under way."));
}
