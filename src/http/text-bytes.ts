// Whether bytes are text, as git tells it.

/** undefined: not UTF-8, or with a zero in it. */
export function readText(bytes: ArrayBuffer): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    // Bytes that are no text are an outcome of looking, not a failure.
    return undefined;
  }
}
