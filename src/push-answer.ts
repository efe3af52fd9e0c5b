// The answer to a push while it is being worked on: lines on side-band 2 as they happen, then the report on side-band 1
// (gitprotocol-pack(5), "report-status"). A client that goes away stops nothing: what was received is finished.
import type { ErrorCode } from "./errors.ts";
import { encodeSideBand, FLUSH_PKT } from "./git/pkt-line.ts";
import { writeReportStatus, type PushReport } from "./git/report-status.ts";
import type { UpdateRequest } from "./git/update-request.ts";
import { printableJson } from "./push-failure.ts";

/** git waits without a word otherwise, and proxies hang up (builtin/receive-pack.c's keepalive_in_sec). */
const KEEPALIVE_MS = 5000;

/** Facts for programs. What the history reads of them is typed. */
export interface AttemptFacts extends Readonly<Record<string, unknown>> {
  readonly subject?: string;
  /** Why the push made nothing live. */
  readonly failure?: { readonly stage: string; readonly code: ErrorCode; readonly reason: string };
  /** The later deploy that is live instead. */
  readonly supersededBy?: number;
}

/** Where the lines for the pusher go. */
export interface Narrator {
  /**
   * One line, shown as the push goes on, unless the pusher asked for JSON. Not silenced by the capability "quiet": git asks for it
   * wherever its error output is no terminal, and that is where agents and CI logs read.
   */
  say(line: string): void;
  /** One line for the log alone: what would be too much for a terminal. */
  detail(line: string): void;
  /** One line for the terminal alone, where the lines of this deployment are left to its log: of a push's second branch, and those after it. */
  brief(line: string): void;
  /** Facts for `-o json`, merged into one object. */
  note(facts: AttemptFacts): void;
  /** Does the work of a stage and notes how long it took. */
  time<T>(stage: string, work: () => Promise<T>): Promise<T>;
}

/** What was asked, and the clock. */
export interface AnswerInput {
  readonly update: UpdateRequest;
  readonly now: () => number;
}

/** The body of the answer, and when the work behind it has ended. */
export interface PushAnswer {
  readonly body: ReadableStream<Uint8Array>;
  readonly finished: Promise<void>;
}

/** Starts `work` and streams what it says. */
export function answerPush(answer: AnswerInput, work: (narrator: Narrator) => Promise<PushReport>): PushAnswer {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  // A write fails only when the client went away, which must not stop the push.
  const send = (bytes: Uint8Array): void => void writer.write(bytes).catch(() => undefined);
  const finished = runAndReport(answer, work, send).then(() => writer.close().catch(() => undefined));
  return { body: readable, finished };
}

async function runAndReport(
  { update, now }: AnswerInput,
  work: (narrator: Narrator) => Promise<PushReport>,
  send: (bytes: Uint8Array) => void,
): Promise<void> {
  const hasSideBand = update.capabilities.has("side-band-64k");
  const sendLine = (line: string): void => {
    if (!hasSideBand) return;
    for (const packet of encodeSideBand(2, new TextEncoder().encode(`${line}\n`))) send(packet);
  };
  const wantsJson = update.pushOptions.includes("json");
  const stagesMs: Record<string, number> = {};
  const facts: Record<string, unknown> = { stagesMs };
  const narrator: Narrator = {
    say: (line) => void (wantsJson || sendLine(line)),
    detail: () => undefined,
    brief: () => undefined,
    note: (more) => void Object.assign(facts, more),
    time: async (stage, doWork) => {
      const startedMs = now();
      const result = await doWork();
      // A stage runs once for each branch that deploys.
      stagesMs[stage] = (stagesMs[stage] ?? 0) + now() - startedMs;
      return result;
    },
  };
  const keepalive = setInterval(() => hasSideBand && send(emptyPacket()), KEEPALIVE_MS);
  try {
    const report = await work(narrator).catch((error: unknown) => reportOwnFault(update, error, narrator));
    if (wantsJson) sendLine(printableJson(facts));
    sendReport(update, report, send);
  } finally {
    clearInterval(keepalive);
  }
}

/** Our own fault: logged here, once. A push that was cut short is safe to repeat, whether or not it was committed. */
function reportOwnFault(update: UpdateRequest, error: unknown, narrator: Narrator): PushReport {
  const requestId = crypto.randomUUID();
  console.error(`push ${requestId} failed`, error);
  const reason = `internal-error: the host failed (request ${requestId}); pushing again is safe`;
  narrator.say(`error: The host failed, and its log says why (request ${requestId}). Pushing again is safe.`);
  narrator.note({ ok: false, failure: { stage: "host", code: "internal-error", reason } });
  return { refs: update.commands.map(({ name }) => ({ kind: "refused", name, reason })) };
}

/** Side-band 2 without a byte of text. */
function emptyPacket(): Uint8Array {
  return new TextEncoder().encode("0005\u0002");
}

function sendReport(update: UpdateRequest, report: PushReport, send: (bytes: Uint8Array) => void): void {
  const version = update.capabilities.has("report-status-v2") ? 2 : 1;
  const hasReport = version === 2 || update.capabilities.has("report-status");
  const hasSideBand = update.capabilities.has("side-band-64k");
  // In one piece: there may be refs by the ten thousand, and each write crosses to the client by itself.
  const packets = hasReport ? Buffer.concat(writeReportStatus(report, version)) : Buffer.alloc(0);
  send(hasSideBand ? Buffer.concat([...encodeSideBand(1, packets), FLUSH_PKT]) : packets);
}
