// The program around an app's class, inside the app's own isolate: scripts/generate.ts makes text of it, loader.ts puts it beside the
// app's bundle. It tells why a start failed and says goodbye before a cutover; a visitor's fetch goes to the app's class
// unseen. The app is imported only when wrapApp runs, after this module took its references, so that an app that changes
// built-ins changes nothing here. What an app does to its own instance it does to itself: the supervisor trusts no answer.
import * as runtime from "cloudflare:workers";
import { captureConsole, type SendLines } from "./console-capture.ts";
import { watchAccepted, watchInstance, type AcceptedSockets, type Goodbye } from "./goodbye.ts";
import { answerProbe } from "./probe-answer.ts";
import {
  GOODBYE,
  LOGS_BINDING,
  PROBE,
  START,
  type ExportFact,
  type ExportKind,
  type ProbeReport,
  type StartReport,
} from "./start-report.ts";
import { describeThrown } from "./thrown.ts";

/** A Durable Object class as the runtime constructs it. */
type AppClass = new (ctx: DurableObjectState, env: Env) => runtime.DurableObject;

/** The entry module's exports. */
type Exports = Readonly<Record<string, unknown>>;

/** What the generated main module exports. */
interface WrappedApp {
  readonly App: AppClass;
  readonly Control: new (ctx: ExecutionContext, env: Env) => runtime.WorkerEntrypoint;
}

// oxlint-disable typescript/unbound-method -- methods are taken from their prototypes on purpose, while nobody has changed them, and
// applied with Reflect.apply.
const { abortIsolate, DurableObject, WorkerEntrypoint } = runtime;
const { apply, defineProperty, ownKeys } = Reflect;
const { isPrototypeOf } = Object.prototype;
const toSource = Function.prototype.toString;
const { startsWith } = String.prototype;
const wait = scheduler.wait;
const instanceMap = WeakMap;
const { get: readMap, set: writeMap } = WeakMap.prototype;

/** Imports the app and wraps the class that it exports as `className`. Never throws: what went wrong is in the report. */
export async function wrapApp(importApp: () => Promise<Exports>, className: string): Promise<WrappedApp> {
  const report: { -readonly [Key in keyof StartReport]: StartReport[Key] } = { exports: [] };
  const note = (phase: NonNullable<StartReport["phase"]>, error: unknown): void => {
    if (report.phase !== undefined) return;
    report.phase = phase;
    report.thrown = describeThrown(error);
  };
  const flushConsole = takeConsole();
  let App: AppClass = unstartableClass();
  const accepted = watchAccepted();
  try {
    const exports = await importApp();
    report.exports = describeExports(exports);
    const exported = exports[className];
    if (isDurableObjectClass(exported)) App = wrapClass(exported, { report, note, accepted, flushConsole });
    else report.phase = "export";
  } catch (error) {
    note("module scope", error);
  }
  class Control extends WorkerEntrypoint {
    report(): StartReport {
      return report;
    }

    /**
     * Ends this isolate right after the call, which aborting at once would fail. Where the runtime has no abortIsolate nothing
     * happens, and the isolate waits for the runtime to drop it.
     */
    end(): void {
      this.ctx.waitUntil(endLater());
    }
  }
  return { App, Control };
}

/** What the wrapper calls in the host. */
interface LogsEntrypoint {
  write: SendLines;
}

/** Sends what the console is told to the host, by a stub that the app does not find. Returns what sends the lines that wait. */
function takeConsole(): () => void {
  const { env } = runtime;
  const logs: unknown = Reflect.get(env, LOGS_BINDING);
  if (!isLogsEntrypoint(logs)) return () => undefined;
  Reflect.deleteProperty(env, LOGS_BINDING);
  return captureConsole((lines, droppedCount) => logs.write(lines, droppedCount));
}

function isLogsEntrypoint(value: unknown): value is LogsEntrypoint {
  return typeof value === "object" && value !== null && "write" in value;
}

async function endLater(): Promise<void> {
  await apply(wait, scheduler, [0]);
  abortIsolate("this version was replaced");
}

/** The subclass that runs: the app's class in everything but the two calls of the supervisor. */
function wrapClass(
  Base: AppClass,
  wrapping: {
    readonly report: StartReport;
    readonly note: (phase: "constructor", error: unknown) => void;
    readonly accepted: AcceptedSockets;
    readonly flushConsole: () => void;
  },
): AppClass {
  const { report, note, accepted, flushConsole } = wrapping;
  const goodbyes = new instanceMap<object, Goodbye>();
  class Hosted extends Base {
    constructor(ctx: DurableObjectState, env: Env) {
      const goodbye = watchInstance(ctx, accepted);
      noteBlockedConcurrency(ctx, note);
      try {
        super(ctx, env);
      } catch (error) {
        note("constructor", error);
        throw error;
      }
      apply(writeMap, goodbyes, [this, goodbye]);
    }

    [START](): StartReport {
      flushConsole();
      return report;
    }

    /** A request that only the rehearsal makes. */
    [PROBE](url: string): Promise<ProbeReport> {
      return answerProbe(this, url);
    }

    /** The last call to this instance: see goodbye.ts. */
    async [GOODBYE](code: number, reason: string, limitMs: number): Promise<void> {
      const goodbye: Goodbye | undefined = apply(readMap, goodbyes, [this]);
      await goodbye?.say(this, { code, reason }, limitMs);
    }
  }
  defineProperty(Hosted, "name", { value: Base.name });
  return Hosted;
}

/** Constructors migrate inside of blockConcurrencyWhile, and what is thrown there does not reach the constructor. */
function noteBlockedConcurrency(ctx: DurableObjectState, note: (phase: "constructor", error: unknown) => void): void {
  const { blockConcurrencyWhile } = ctx;
  const value = <T>(callback: () => Promise<T>): Promise<T> =>
    apply(blockConcurrencyWhile, ctx, [
      async () => {
        try {
          return await callback();
        } catch (error) {
          note("constructor", error);
          throw error;
        }
      },
    ]);
  defineProperty(ctx, "blockConcurrencyWhile", { value, configurable: true, writable: true });
}

/** What stands in for a class that there is not. */
function unstartableClass(): AppClass {
  return class extends DurableObject {
    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      throw new Error("This version of the app does not start.");
    }
  };
}

function isDurableObjectClass(value: unknown): value is AppClass {
  return typeof value === "function" && apply(isPrototypeOf, DurableObject, [value]);
}

function describeExports(exports: Exports): ExportFact[] {
  const facts: ExportFact[] = [];
  const names = ownKeys(exports);
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at];
    if (typeof name === "string") facts[facts.length] = { name, kind: describeExport(exports[name]) };
  }
  return facts;
}

function describeExport(value: unknown): ExportKind {
  if (typeof value === "function") {
    if (isDurableObjectClass(value)) return "class extends DurableObject";
    if (apply(isPrototypeOf, WorkerEntrypoint, [value])) return "class extends WorkerEntrypoint";
    return apply(startsWith, apply(toSource, value, []), ["class"]) ? "class" : "function";
  }
  if (typeof value !== "object" || value === null) return "value";
  return "fetch" in value && typeof value.fetch === "function" ? "object with fetch" : "object";
}
