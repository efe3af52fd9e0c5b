// A push as the history keeps it: what the pusher reads, and more, goes into a log whose address is the push's first line, so that it
// can be read wherever the push ends. The supervisor is told stage by stage, and nobody waits for it before the end.
import type { Supervisor } from "./app/supervisor.ts";
import type { AttemptFacts, Narrator } from "./push-answer.ts";
import { stageLine } from "./push-report.ts";

type NewAttempt = Parameters<Supervisor["openAttempt"]>[0];

/** What is tried, and where it can be read about. */
export interface AttemptInput {
  readonly narrator: Narrator;
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly attempt: NewAttempt;
  /** "http://HOST/api/v1/apps/hello". */
  readonly apiUrl: string;
  readonly now: () => number;
}

/** What of a push's facts is kept. */
const KEPT_FACTS = ["received", "build", "rehearsal", "cutover", "data", "variables"] as const;

/**
 * Gives the attempt its number, and runs the work with a narrator whose every word is kept. The number is that of the deploy to be;
 * undefined, and nothing is kept, where the app was deleted meanwhile.
 */
export async function recordAttempt<T>(
  input: AttemptInput,
  work: (narrator: Narrator, deployNumber: number | undefined) => Promise<T>,
): Promise<T> {
  const { narrator, supervisor, attempt, apiUrl, now } = input;
  const number = await supervisor.openAttempt(attempt);
  if (number === undefined) return work(narrator, undefined);
  const record = new Recorder(supervisor, number);
  const recording = recordNarrator(narrator, record, now);
  const log = `${apiUrl}/deploys/${number}/log`;
  recording.say(stageLine("log", log));
  recording.note({ log });
  try {
    const result = await work(recording, number);
    await record.close();
    return result;
  } catch (error) {
    const reason = "the host failed, and its own log says why";
    record.note({ failure: { stage: "host", code: "internal-error", reason } });
    await record.close();
    throw error;
  }
}

/** Stateful: what was noted so far, and what of the log was not sent yet. */
class Recorder {
  readonly #supervisor: DurableObjectStub<Supervisor>;
  readonly #number: number;
  readonly #facts: Record<string, unknown> = {};
  readonly #stagesMs: Record<string, number> = {};
  #known: AttemptFacts = {};
  #unsent = "";
  #sending: Promise<void> = Promise.resolve();

  constructor(supervisor: DurableObjectStub<Supervisor>, number: number) {
    this.#supervisor = supervisor;
    this.#number = number;
  }

  write(line: string): void {
    this.#unsent += `${line}\n`;
  }

  note(facts: AttemptFacts): void {
    this.#known = { ...this.#known, ...facts };
    Object.assign(this.#facts, facts);
  }

  endStage(stage: string, tookMs: number): void {
    this.#stagesMs[stage] = tookMs;
    this.#flush();
  }

  /** Never throws: a push does not fail because it cannot be written down. */
  async close(): Promise<void> {
    this.#flush();
    const { failure, subject, supersededBy } = this.#known;
    const kept = KEPT_FACTS.filter((name) => name in this.#facts).map((name) => [name, this.#facts[name]] as const);
    const facts = { ...Object.fromEntries(kept), stagesMs: this.#stagesMs };
    const outcome = failure !== undefined ? "failed" : supersededBy !== undefined ? "superseded" : "live";
    const end = { outcome, subject, failure, factsJson: JSON.stringify(facts) } as const;
    await this.#sending;
    await this.#send(() => this.#supervisor.closeAttempt(this.#number, end));
  }

  #flush(): void {
    const text = this.#unsent;
    if (text === "") return;
    this.#unsent = "";
    this.#sending = this.#sending.then(() => this.#send(() => this.#supervisor.logAttempt(this.#number, text)));
  }

  async #send(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      console.error(`deploy ${this.#number}: the history cannot be written`, error);
    }
  }
}

function recordNarrator(narrator: Narrator, record: Recorder, now: () => number): Narrator {
  return {
    say: (line) => {
      record.write(line);
      narrator.say(line);
    },
    detail: (line) => record.write(line),
    brief: (line) => narrator.brief(line),
    note: (facts) => {
      record.note(facts);
      narrator.note(facts);
    },
    time: async (stage, work) => {
      const startedMs = now();
      const result = await narrator.time(stage, work);
      record.endStage(stage, now() - startedMs);
      return result;
    },
  };
}
