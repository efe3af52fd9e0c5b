// esbuild's messages as this host's: places in UTF-16 code units from 1, a stable code, notes as lines.
import type { Location, Message, Note } from "esbuild-wasm";
import type { BuildCode, BuildMessage, SourceLocation } from "./messages.ts";

/** What the plugin puts behind a message of its own. */
type Detail = BuildMessage;

/** Errors of esbuild carry no identifier, so the few that are not about syntax are known by how they begin. */
const NOT_SYNTAX: readonly (readonly [beginning: string, code: BuildCode])[] = [
  ["No matching export in ", "import-not-found"],
  ["Ambiguous import ", "import-not-found"],
  ["Could not resolve ", "import-not-found"],
];

const NOTE_WIDTH = 80;

/** Converts one message. `code` is for those that have no better one. */
export function toBuildMessage(message: Message, code: BuildCode): BuildMessage {
  const location = message.location === null ? {} : { location: toLocation(message.location) };
  // A detail with a place of its own is about a file that the import only led to, such as a lockfile.
  if (isDetail(message.detail)) return { ...location, ...message.detail };
  const known = NOT_SYNTAX.find(([beginning]) => message.text.startsWith(beginning));
  const notes = message.notes.map(noteLine);
  const suggestion = message.location?.suggestion ?? "";
  return {
    code: code === "syntax-error" && known !== undefined ? known[1] : code,
    text: sentence(message.text),
    ...location,
    ...(notes.length > 0 ? { notes } : {}),
    ...(suggestion === "" || notes.length > 0 ? {} : { fix: `Did you mean ${quoted(suggestion)}?` }),
  };
}

function isDetail(detail: unknown): detail is Detail {
  return typeof detail === "object" && detail !== null && "code" in detail && "text" in detail;
}

function toLocation(location: Location): SourceLocation {
  const { file, line, lineText } = location;
  const start = codeUnits(lineText, location.column);
  const end = codeUnits(lineText, location.column + location.length);
  return { path: file.replace(/^\/+/, ""), line, column: start + 1, length: Math.max(1, end - start), lineText };
}

/** esbuild counts columns in bytes of UTF-8. */
function codeUnits(text: string, bytes: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes)).length;
}

function noteLine(note: Note): string {
  const text = sentence(note.text);
  if (note.location === null) return text;
  const { path, line, column, lineText } = toLocation(note.location);
  return `${text} ${path}:${line}:${column}: ${lineText.trim().slice(0, NOTE_WIDTH)}`;
}

function sentence(text: string): string {
  return /[.:?!]$/.test(text) ? text : `${text}.`;
}

/** esbuild suggests import paths with their quotes and everything else without. */
function quoted(suggestion: string): string {
  return /^["'`]/.test(suggestion) ? suggestion : `"${suggestion}"`;
}
