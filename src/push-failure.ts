// Failures of the stages as the pusher reads them: one shape, whatever the stage.
import { formatFrame, formatMessages, formatReason, type BuildMessage } from "../build/messages.ts";
import type { SourceFrame } from "./app/source-maps.ts";
import type { StartFailure } from "./app/start-failure.ts";
import type { ErrorCode } from "./errors.ts";

/** The stages of a push, in their order. */
export type Stage = "receive" | "ingest" | "restore" | "build" | "wait" | "rehearse" | "commit" | "cut over";

/** Why a push made nothing live. */
export interface PushFailure {
  readonly stage: Stage;
  readonly code: ErrorCode;
  /** The sentences, frames and fixes below the headline, ready to print. */
  readonly lines: readonly string[];
  /** The first place in the source that it is about, with line and column from 1. */
  readonly place?: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  /** The smallest change that would help, where one is known. */
  readonly fix?: string | undefined;
  /** One line with code, place and sentence, for git to print behind "! [remote rejected]": many CI logs keep only that. */
  readonly reason: string;
}

/** The first message of a build, as the reason of its failure. */
export function describeBuildFailure(messages: readonly BuildMessage[], total: number): PushFailure {
  const [first] = messages;
  if (first === undefined) throw new Error("A build failed without a message.");
  const { code, fix, location } = first;
  const place = location && { file: location.path, line: location.line, column: location.column };
  return { stage: "build", code, place, fix, lines: formatMessages(messages, total), reason: formatReason(first) };
}

/** A failure for programs: what `-o json` prints, and what the history keeps. */
export function failureFacts(failure: Pick<PushFailure, "code" | "reason"> | PushFailure) {
  const { code, reason } = failure;
  // git's own refusals come before the build.
  if (!("stage" in failure)) return { stage: "ingest", code, reason };
  return { stage: failure.stage, code, reason, ...failure.place, fix: failure.fix };
}

/** More frames than these are the runtime's or a library's business. */
const MAX_FRAMES = 5;

/** A start that failed, in the rehearsal or after all in the cutover. */
export function describeStartFailure(stage: Stage, failure: StartFailure): PushFailure {
  const [first] = failure.frames;
  const place = first === undefined ? undefined : placeOf(first);
  const stack = failure.frames.slice(0, MAX_FRAMES).map((frame) => `    at ${callOf(frame)}`);
  return {
    stage,
    code: failure.code,
    place: first && { file: first.path, line: first.line, column: first.column },
    reason: printable(`${failure.code}: ${place === undefined ? "" : `${place}: `}${failure.reason}`),
    lines: [
      `${place === undefined ? "" : `${place}: `}${printable(failure.reason)}`,
      ...(first?.lineText === undefined ? [] : formatFrame({ ...first, lineText: first.lineText, length: 1 })),
      ...(stack.length > 1 ? stack : []),
    ],
  };
}

/** What it was to run in was deleted after the commit: refs stay, since whoever deleted it came later. */
export function describeEnd(): PushFailure {
  const code = "preview-not-found";
  const sentence =
    "what this was deployed to was deleted while it was on its way, and the branch stays where it was pushed to";
  return { stage: "cut over", code, lines: [`${sentence}.`], reason: `${code}: ${sentence}` };
}

function placeOf(frame: SourceFrame): string {
  return `${printable(frame.path)}:${frame.line}:${frame.column}`;
}

function callOf(frame: SourceFrame): string {
  const place = placeOf(frame);
  return frame.functionName === undefined ? place : `${printable(frame.functionName)} (${place})`;
}

/** Text that came in a push, without what could move a cursor or fake a line. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is removed here
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}

/** A name as one word of a shell's command line, ready to paste: git takes branches like "x;$(id)". */
export function shellWord(name: string): string {
  return /^[\w./@+:-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}

/** JSON for a terminal: it escapes control characters by itself, but not those from U+007F on. */
export function printableJson(value: object): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f]/g,
    (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
