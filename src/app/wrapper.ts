// The program around an app's class, inside the app's own isolate: scripts/generate.ts makes text of it, loader.ts puts it beside the
// app's bundle. It tells why a start failed and says goodbye before a cutover; a visitor's fetch goes to the app's class
// unseen. The app is imported only when wrapApp runs, after this module took its references, so that an app that changes
// built-ins changes nothing here. What an app does to its own instance it does to itself: the supervisor trusts no answer.
import * as runtime from "cloudflare:workers";
import { captureConsole, type SendLines } from "./console-capture.ts";
import { runDefault, runScheduled, type CronRun } from "./cron-handler.ts";
import { accessData, type DataAccess, type DumpOutcome } from "./data-access.ts";
import type { DumpSink } from "./data-dump.ts";
import { giveAlarm, takeAlarms, type AlarmsStub, type FacetAlarm } from "./facet-alarms.ts";
import { watchAccepted, watchInstance, type AcceptedSockets, type Goodbye, type SocketClose } from "./goodbye.ts";
import { exportOf, takeObjectId, takeObjects, type AppParts, type Prepare } from "./own-objects.ts";
import { adoptClass, isClass } from "./plain-class.ts";
import { answerProbe } from "./probe-answer.ts";
import {
  ALARM,
  DUMP,
  GOODBYE,
  LOGS_BINDING,
  PROBE,
  SCHEDULED,
  SIZE,
  START,
  type ExportFact,
  type ExportKind,
  type ProbeReport,
  type StartReport,
} from "./start-report.ts";
import { describeThrown } from "./thrown.ts";
import { hearUncaught, telling, watchHandler, type TellUncaught } from "./uncaught.ts";
import { isEntrypointClass, watchContext, wrapWorker, type EntrypointClass } from "./worker-entry.ts";

/** A Durable Object class as the runtime constructs it. */
type AppClass = new (ctx: DurableObjectState, env: Env) => runtime.DurableObject;

/** The entry module's exports. */
type Exports = Readonly<Record<string, unknown>>;

/** What the generated main module exports. */
interface WrappedApp {
  /** The class that receives the requests, unless a Worker does. */
  readonly App: AppClass;
  readonly Worker: EntrypointClass;
  /** By class name. */
  readonly objects: Readonly<Record<string, AppClass>>;
  readonly Control: new (ctx: ExecutionContext, env: Env) => runtime.WorkerEntrypoint;
}

// oxlint-disable typescript/unbound-method -- methods are taken from their prototypes on purpose, while nobody has changed them, and
// applied with Reflect.apply.
const { abortIsolate, DurableObject, WorkerEntrypoint } = runtime;
const { apply, defineProperty, ownKeys } = Reflect;
const { isPrototypeOf } = Object.prototype;
const wait = scheduler.wait;
const SETTLE_STEP_MS = 10;

/** Messages are told of no more often: a use counts for hours. */
const NOTE_MESSAGES_EVERY_MS = 60_000;
const instanceMap = WeakMap;
const { now } = Date;
const promise = Promise;
const toPromise = Promise.resolve;
const { then } = Promise.prototype;
const { get: readMap, set: writeMap } = WeakMap.prototype;

/** Imports the app and wraps what `parts` names. Never throws: what went wrong is in the report. */
export async function wrapApp(importApp: () => Promise<Exports>, parts: AppParts): Promise<WrappedApp> {
  const report: { -readonly [Key in keyof StartReport]: StartReport[Key] } = { exports: [] };
  const note = (phase: NonNullable<StartReport["phase"]>, error: unknown): void => {
    if (report.phase !== undefined) return;
    report.phase = phase;
    report.thrown = describeThrown(error);
  };
  const { flushConsole, tellUncaught, noteMessage } = takeLogs();
  const prepare = takeObjects(parts);
  const pending = { count: 0 };
  const wrapping: Wrapping = {
    report,
    note,
    accepted: watchAccepted(noteMessage),
    flushConsole,
    tellUncaught,
    noteMessage,
    prepare,
    alarms: takeAlarms(),
  };
  let App: AppClass = unstartableClass();
  let Worker: EntrypointClass = UnstartableWorker;
  const objects: Record<string, AppClass> = {};
  let defaultExport: unknown;
  try {
    const exports = await importApp();
    report.exports = describeExports(exports);
    defaultExport = exports["default"];
    const exported = exports[parts.entry];
    if (parts.entry === "default") {
      const prepareRequest = (ctx: ExecutionContext, env: Env): void => {
        watchContext(ctx, pending, tellUncaught);
        prepare(ctx, env);
      };
      const wrapped = wrapWorker(exported, prepareRequest, tellUncaught);
      if (wrapped === undefined) report.phase = "export";
      else Worker = wrapped;
    } else if (isDurableObjectClass(exported)) App = wrapClass(exported, wrapping);
    else report.phase = "export";
    for (let at = 0; at < parts.classes.length; at += 1) {
      const name = parts.classes[at];
      const Class = name === undefined ? undefined : exports[exportOf(parts, name)];
      if (name === undefined || !isClass(Class)) continue;
      objects[name] = wrapClass(isDurableObjectClass(Class) ? Class : adoptClass(Class), wrapping, name);
    }
  } catch (error) {
    note("module scope", error);
  }
  return { App, Worker, objects, Control: makeControl({ ...wrapping, pending, defaultExport }) };
}

/** What the supervisor calls in the isolate itself. */
function makeControl({
  report,
  accepted,
  pending,
  prepare,
  flushConsole,
  tellUncaught,
  defaultExport,
}: Pick<Wrapping, "report" | "accepted" | "prepare" | "flushConsole" | "tellUncaught"> & {
  readonly pending: { readonly count: number };
  readonly defaultExport: unknown;
}): WrappedApp["Control"] {
  return class Control extends WorkerEntrypoint {
    report(): StartReport {
      void flushConsole();
      return report;
    }

    /** What requests handed to waitUntil is waited for, `limitMs` at most; then the WebSockets that they accepted close. */
    async settle(close: SocketClose, limitMs: number): Promise<void> {
      // Looked at again and again: a promise of one request does not wake another.
      for (let waitedMs = 0; pending.count > 0 && waitedMs < limitMs; waitedMs += SETTLE_STEP_MS) {
        // oxlint-disable-next-line no-await-in-loop -- a poll
        await apply(wait, scheduler, [SETTLE_STEP_MS]);
      }
      await accepted.closeAll(close);
    }

    /** false: the default export has no scheduled(). */
    async runScheduled(run: CronRun): Promise<boolean> {
      prepare(this.ctx, this.env);
      const { ctx, env } = this;
      return telling(tellUncaught, () => runDefault(defaultExport, run, { ctx, env }));
    }

    /**
     * Ends this isolate right after the call, which aborting at once would fail. Where the runtime has no abortIsolate nothing
     * happens, and the isolate waits for the runtime to drop it.
     */
    end(): void {
      this.ctx.waitUntil(endLater());
    }
  };
}

/** What the wrapper calls in the host. */
interface LogsEntrypoint {
  write: SendLines;
  noteMessage(): Promise<void>;
}

/** What tells the host of what happens here, by a stub that the app does not find. */
interface Telling {
  /** Sends the lines of the console that wait. */
  readonly flushConsole: () => Promise<void>;
  readonly tellUncaught: TellUncaught;
  readonly noteMessage: () => void;
}

/** In a rehearsal. */
const NOBODY: Telling = { flushConsole: async () => undefined, tellUncaught: doNothing, noteMessage: doNothing };

function takeLogs(): Telling {
  const { env } = runtime;
  const logs: unknown = Reflect.get(env, LOGS_BINDING);
  if (!isLogsEntrypoint(logs)) return NOBODY;
  Reflect.deleteProperty(env, LOGS_BINDING);
  let notedAtMs = 0;
  const noteMessage = (): void => {
    const atMs = now();
    if (atMs < notedAtMs + NOTE_MESSAGES_EVERY_MS) return;
    notedAtMs = atMs;
    void apply(then, apply(toPromise, promise, [logs.noteMessage()]), [undefined, () => undefined]);
  };
  const capture = captureConsole((lines, droppedCount) => logs.write(lines, droppedCount));
  return { flushConsole: capture.flush, tellUncaught: hearUncaught(capture.tellUncaught), noteMessage };
}

function doNothing(): void {}

function isLogsEntrypoint(value: unknown): value is LogsEntrypoint {
  return typeof value === "object" && value !== null && "write" in value;
}

async function endLater(): Promise<void> {
  await apply(wait, scheduler, [0]);
  abortIsolate("this version was replaced");
}

/** What every wrapped class has a part in. */
interface Wrapping {
  readonly report: StartReport;
  readonly note: (phase: "constructor", error: unknown) => void;
  readonly accepted: AcceptedSockets;
  readonly flushConsole: () => Promise<void>;
  readonly tellUncaught: TellUncaught;
  readonly noteMessage: () => void;
  /** Gives `env` and `ctx` the app's namespaces. */
  readonly prepare: Prepare;
  readonly alarms: AlarmsStub | undefined;
}

/** What is known of an instance beside what the app knows. */
interface Known {
  readonly goodbye: Goodbye;
  readonly data: DataAccess;
  readonly alarm: FacetAlarm;
}

/** The subclass that runs: the app's class in everything but the two calls of the supervisor. */
function wrapClass(Base: AppClass, wrapping: Wrapping, className?: string): AppClass {
  const { report, accepted, flushConsole, tellUncaught, noteMessage, prepare, alarms } = wrapping;
  const note: Wrapping["note"] = (phase, error) => {
    // An instance whose constructor failed sends nothing.
    tellUncaught(error, "later");
    wrapping.note(phase, error);
  };
  const instances = new instanceMap<object, Known>();
  const find = (instance: object): Known | undefined => apply(readMap, instances, [instance]);
  class Hosted extends Base {
    constructor(ctx: DurableObjectState, env: Env) {
      refuseFacets(ctx);
      const goodbye = watchInstance(ctx, accepted, tellUncaught);
      const data = accessData(ctx);
      prepare(ctx, env);
      const objectId = className === undefined ? undefined : takeObjectId(ctx, className);
      const alarm = giveAlarm(ctx, objectId === undefined ? "" : `/${className}/${objectId}`, alarms);
      const known: Known = { goodbye, data, alarm };
      noteBlockedConcurrency(ctx, (error) => {
        note("constructor", error);
        return flushConsole();
      });
      try {
        super(ctx, env);
      } catch (error) {
        note("constructor", error);
        throw error;
      }
      apply(writeMap, instances, [this, known]);
      known.alarm.begin(this);
    }

    [START](): StartReport {
      void flushConsole();
      return report;
    }

    /** A request that only the rehearsal makes. */
    [PROBE](url: string): Promise<ProbeReport> {
      return answerProbe(this, url);
    }

    /** Once the alarms that were set before are on disk. */
    async [SIZE](): Promise<number | undefined> {
      const known = find(this);
      await known?.alarm.unconfirmed();
      return known?.data.sizeBytes();
    }

    /** Where the runtime does not copy databases: see facet-data.ts. */
    async [DUMP](sink: DumpSink, limitMs: number): Promise<DumpOutcome | undefined> {
      return await find(this)?.data.dump(sink, limitMs);
    }

    /** The last call to this instance: see goodbye.ts. */
    async [GOODBYE](code: number, reason: string, limitMs: number): Promise<void> {
      await find(this)?.goodbye.say(this, { code, reason }, limitMs);
    }

    /** false: the class has no alarm(). */
    async [ALARM](info: AlarmInvocationInfo): Promise<boolean> {
      return telling(tellUncaught, async () => (await find(this)?.alarm.ring(info)) ?? false);
    }

    /** false: the class has no scheduled(). */
    async [SCHEDULED](run: CronRun): Promise<boolean> {
      return telling(tellUncaught, () => runScheduled(this, run));
    }
  }
  watchFetch(Hosted, Base, { tellUncaught, unconfirmed: (instance) => find(instance)?.alarm.unconfirmed() });
  watchHandler(Hosted, Base, "webSocketMessage", async (handle) => {
    noteMessage();
    await telling(tellUncaught, handle);
  });
  watchHandler(Hosted, Base, "webSocketClose", (handle) => telling(tellUncaught, handle));
  watchHandler(Hosted, Base, "webSocketError", (handle) => telling(tellUncaught, handle));
  defineProperty(Hosted, "name", { value: Base.name });
  return Hosted;
}

/** What is in a facet of the app's own would be in no archive, and counted by no quota. */
function refuseFacets(ctx: DurableObjectState): void {
  if (!("facets" in ctx)) return;
  const value = { get: refuseFacet, abort: refuseFacet, delete: refuseFacet, clone: refuseFacet };
  defineProperty(ctx, "facets", { value, configurable: true, enumerable: true, writable: true });
}

function refuseFacet(): never {
  throw new Error(
    "An app has no facets of its own here. Bind a Durable Object class in the wrangler configuration: each of its objects has a database.",
  );
}

/** An answer waits until the alarms that were set before it are on disk, as it does by itself for other writes. */
function watchFetch(
  Hosted: AppClass,
  Base: AppClass,
  {
    tellUncaught,
    unconfirmed,
  }: { readonly tellUncaught: TellUncaught; readonly unconfirmed: (instance: object) => Promise<void> | undefined },
): void {
  watchHandler(Hosted, Base, "fetch", async (handle, instance, given) => {
    // An app that calls its own fetch may catch what it throws.
    const answer = await (isOfRuntime(given) ? telling(tellUncaught, handle) : handle());
    await unconfirmed(instance);
    return answer;
  });
}

/** Of its three arguments the runtime leaves the last two undefined where it calls a class. */
function isOfRuntime(given: readonly unknown[]): boolean {
  return given.length === 3 && given[1] === undefined && given[2] === undefined;
}

/** Constructors migrate inside of blockConcurrencyWhile, and what is thrown there does not reach the constructor, but ends the instance. */
function noteBlockedConcurrency(ctx: DurableObjectState, note: (error: unknown) => Promise<void>): void {
  const { blockConcurrencyWhile } = ctx;
  const value = <T>(...args: [callback: () => Promise<T>]): Promise<T> => {
    // Refused by the runtime, in its words, before anything is blocked; thrown inside, it would break the object.
    const callback = args[0];
    if (typeof callback !== "function") return apply(blockConcurrencyWhile, ctx, args);
    return apply(blockConcurrencyWhile, ctx, [
      async function called(this: unknown): Promise<T> {
        try {
          return await apply(callback, this, []);
        } catch (error) {
          // Nothing can be sent any more once this is thrown.
          await note(error);
          throw error;
        }
      },
    ]);
  };
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

/** What stands in for a Worker that there is not. */
class UnstartableWorker extends WorkerEntrypoint {
  override fetch(): never {
    throw new Error("This version of the app does not start.");
  }
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
    if (isEntrypointClass(value)) return "class extends WorkerEntrypoint";
    return isClass(value) ? "class" : "function";
  }
  if (typeof value !== "object" || value === null) return "value";
  return "fetch" in value && typeof value.fetch === "function" ? "object with fetch" : "object";
}
