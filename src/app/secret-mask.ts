// Secrets in what an app says: its log, and the exceptions of a start that failed, which end up in reports and in the history. Pure.
import type { StartFailure } from "./start-failure.ts";

/** What stands in a secret's place. */
const MASK = "***";

/** Shorter values are words that logs are full of. */
const MIN_SECRET_LENGTH = 8;

/** The text without secrets: as they are, line by line, and as JSON and URLs write them. */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  let masked = text;
  // The longest first: one may be part of another.
  const spellings = secrets.flatMap(spell).toSorted((one, other) => other.length - one.length);
  for (const spelling of spellings) masked = masked.replaceAll(spelling, MASK);
  return maskCutEnd(masked, spellings);
}

function spell(secret: string): string[] {
  const lines = [secret, ...secret.split(/\r?\n/)].filter((line) => line.length >= MIN_SECRET_LENGTH);
  return [...new Set(lines.flatMap((line) => [line, JSON.stringify(line).slice(1, -1), encodeURIComponent(line)]))];
}

/** A text that was cut may end in the beginning of a secret. */
function maskCutEnd(text: string, spellings: readonly string[]): string {
  for (const spelling of spellings) {
    const start = text.lastIndexOf(spelling.slice(0, MIN_SECRET_LENGTH));
    if (start !== -1 && spelling.startsWith(text.slice(start))) return text.slice(0, start) + MASK;
  }
  return text;
}

/** A failure whose exception names no secret. */
export function maskFailure(failure: StartFailure, secrets: readonly string[]): StartFailure {
  if (secrets.length === 0) return failure;
  const { exception } = failure;
  const mask = (text: string): string => maskSecrets(text, secrets);
  return {
    ...failure,
    reason: mask(failure.reason),
    ...(exception && { exception: { name: mask(exception.name), message: mask(exception.message) } }),
  };
}
