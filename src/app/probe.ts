// The probe of a rehearsal: one request, to the path that package.json names, to the version that started on the copy of the data.
import { mapStack } from "./source-maps.ts";
import type { FailedCode, StartFailure } from "./start-failure.ts";
import { readProbeReport, type ProbeReport } from "./start-report.ts";
import { within } from "../store/time-limit.ts";

/** How long the answer may take; its body, too, where it is an error. */
const PROBE_LIMIT_MS = 5000;

/** What is shown of an error's body. */
const MAX_SHOWN = 200;

/** A probe that was answered. */
export interface ProbeFact {
  readonly path: string;
  readonly status: number;
  readonly tookMs: number;
}

/** What became of a probe. */
export type ProbeOutcome =
  | { readonly kind: "answered"; readonly fact: ProbeFact }
  | { readonly kind: "failed"; readonly failure: StartFailure };

/** What is asked of whom. */
export interface ProbeInput {
  /** Makes the request inside of the app's isolate: see probe-answer.ts. */
  readonly ask: (url: string) => Promise<unknown>;
  /** "http://hello.HOST", as a visitor's request would have it. */
  readonly origin: string;
  readonly path: string;
  readonly readCode: () => FailedCode;
  readonly now: () => number;
}

/** Asks the running version. A status of 400 or more, a throw and an answer that takes too long all fail it. */
export async function probe(input: ProbeInput): Promise<ProbeOutcome> {
  const { ask, origin, path, readCode, now } = input;
  const startedMs = now();
  const call = async (): Promise<unknown> => await ask(`${origin}${path}`);
  const report = await within(call(), PROBE_LIMIT_MS).catch(describeDeath);
  if (report === "late") return fail(path, `did not answer within ${PROBE_LIMIT_MS / 1000} s`);
  const read = readProbeReport(report);
  if (read === undefined) return fail(path, "was not answered");
  if (read.kind === "thrown") {
    const { name, message, stack } = read.thrown;
    const failed = fail(path, `threw ${name === "" ? message : `${name}: ${message}`}`);
    const frames = mapStack(stack, readCode().sourceMap);
    return { ...failed, failure: { ...failed.failure, exception: { name, message }, frames } };
  }
  const { status, text } = read;
  if (status < 400) return { kind: "answered", fact: { path, status, tookMs: now() - startedMs } };
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return fail(path, `answered ${status}${shown.trim() === "" ? "" : ` with the body ${JSON.stringify(shown.trim())}`}`);
}

/** The instance ended under the request. */
function describeDeath(error: unknown): ProbeReport {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "thrown", thrown: { name: "", message, stack: "" } };
}

function fail(path: string, what: string): ProbeOutcome & { readonly kind: "failed" } {
  const reason =
    `GET ${path} ${what}. It is the probe that package.json names, and must answer with a status below 400, ` +
    `without network.`;
  return { kind: "failed", failure: { code: "probe-failed", phase: "probe", reason, frames: [] } };
}
