// From code to a Dynamic Worker: the app's modules, the wrapper around its class, its variables, and what it has of the network.
import { createHash } from "node:crypto";
import { type CodeDefinition, type CodeModule, WORKER_ENTRY } from "../store/code.ts";
import type { CronRun } from "./cron-handler.ts";
import type { SocketClose } from "./goodbye.ts";
import { OBJECTS_BINDING } from "./object-address.ts";
import { ALARMS_BINDING, LOGS_BINDING, PROBE, readStartReport, type StartReport } from "./start-report.ts";
import wrapper from "./wrapper.generated.json" with { type: "json" };

/** What the supervisor calls in an app's isolate, beside the class itself. */
interface ControlEntrypoint extends Rpc.WorkerEntrypointBranded {
  report(): StartReport;
  settle(close: SocketClose, limitMs: number): Promise<void>;
  runScheduled(run: CronRun): Promise<boolean>;
  end(): void;
}

interface ProbedEntrypoint {
  [PROBE](url: string): Promise<unknown>;
}

/**
 * What the wrapper needs of the runtime, and from which date on code has it by itself. It calls the host by RPC, and tells requests of an
 * ordinary Worker from another one to close their WebSockets. Older code sees no difference but that.
 */
const NEEDED_FLAGS = [
  ["rpc", "2024-04-03"],
  ["handle_cross_request_promise_resolution", "2024-10-14"],
] as const;

const MAIN_MODULE = "slipway-main.js";
const WRAPPER_MODULE = "slipway-wrapper.js";

/** What an isolate is made of. */
export interface WorkerParts {
  readonly definition: CodeDefinition;
  /** A JSON object, the app's `env`. */
  readonly envJson: string;
  /** What the owner set for it: these hide variables of `envJson`, and no binding. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Stubs, by their names in `env`. A variable of `envJson` of the same name comes before. */
  readonly bindings?: Readonly<Record<string, Fetcher>>;
  /** Where its requests to elsewhere go; undefined: nowhere, they fail. */
  readonly egress?: Fetcher;
  /** Who is told what the app says and throws. */
  readonly logs?: Fetcher;
  /** Who is told of every event, for its CPU time. */
  readonly tail?: Fetcher;
  /** Of one request; the runtime's own limit if it is not given. */
  readonly cpuMs?: number;
  /** Who has the objects of its classes. */
  readonly objects?: Fetcher;
  /** Who has the alarms of its objects; undefined: they are remembered and never ring. */
  readonly alarms?: Fetcher;
}

/** The isolate's definition. */
export function makeWorkerCode({
  definition,
  envJson,
  variables = {},
  bindings = {},
  egress,
  logs,
  tail,
  cpuMs,
  objects,
  alarms,
}: WorkerParts): WorkerLoaderWorkerCode {
  const owned = Object.fromEntries(Object.entries(variables).filter(([name]) => !Object.hasOwn(bindings, name)));
  const stubs = {
    ...(logs === undefined ? {} : { [LOGS_BINDING]: logs }),
    ...(objects === undefined ? {} : { [OBJECTS_BINDING]: objects }),
    ...(alarms === undefined ? {} : { [ALARMS_BINDING]: alarms }),
  };
  const modules = Object.entries(definition.modules).map(([name, module]) => [name, toLoaderModule(module)] as const);
  return {
    compatibilityDate: definition.compatibilityDate,
    compatibilityFlags: withNeededFlags(definition),
    mainModule: MAIN_MODULE,
    modules: {
      ...Object.fromEntries(modules),
      [MAIN_MODULE]: { js: mainModule(definition) },
      [WRAPPER_MODULE]: { js: wrapper.wrapper },
    },
    env: { ...bindings, ...JSON.parse(envJson), ...owned, ...stubs },
    globalOutbound: egress ?? null,
    ...(cpuMs === undefined ? {} : { limits: { cpuMs } }),
    ...(tail === undefined ? {} : { tails: [tail] }),
  };
}

function withNeededFlags({ compatibilityDate, compatibilityFlags }: CodeDefinition): string[] {
  const missing = NEEDED_FLAGS.filter(
    ([flag, since]) =>
      compatibilityDate < since && !compatibilityFlags.includes(flag) && !compatibilityFlags.includes(`no_${flag}`),
  );
  return [...compatibilityFlags, ...missing.map(([flag]) => flag)];
}

/** The wrapper comes first and imports the app by itself, so that what the app throws is caught and told. */
function mainModule({ className, objects = { classes: [], bindings: [] } }: CodeDefinition): string {
  const { classes, bindings, exports = {} } = objects;
  const parts = JSON.stringify({ entry: className, classes, bindings, exports });
  const declared = classes.map(
    (name) => `export const ${objectExport(name)} = wrapped.objects[${JSON.stringify(name)}];`,
  );
  return `import { wrapApp } from "./${WRAPPER_MODULE}";
const wrapped = await wrapApp(() => import("./index.js"), ${parts});
export const { ${className === WORKER_ENTRY ? "Worker" : "App"}, Control } = wrapped;
${declared.join("\n")}
`;
}

/** The export of the main module that a class of objects is. Beside "App", which a class may be called too. */
export function objectExport(className: string): string {
  return `Object_${className}`;
}

function toLoaderModule(module: CodeModule): WorkerLoaderModule {
  if (module.kind === "esm") return { js: module.text };
  if (module.kind === "text") return { text: module.text };
  if (module.kind === "data") return { data: Uint8Array.from(module.bytes).buffer };
  return { wasm: module.bytes };
}

/** What an isolate that stays is known by. */
export interface IsolateIdentity {
  readonly repositoryId: string;
  /** The environment: each has an isolate of its own, which ends when the environment does. */
  readonly facet: string;
  readonly codeId: string;
  readonly envJson: string;
  /** The configuration: its random id stands for the values, of which nothing may show here. */
  readonly envId: string | undefined;
  readonly deployNumber: number;
  /** Counts starts that failed: the runtime remembers a failure under its name until the process ends. */
  readonly attempt: string;
}

/**
 * The loader's name for a version. The loader shares an isolate, `env` included, between all who ask for the same name: so it
 * binds everything that makes the isolate what it is, and no two apps have a name in common.
 */
export function isolateName(identity: IsolateIdentity): string {
  const { repositoryId, facet, codeId, envJson, envId = "", deployNumber, attempt } = identity;
  const configId = createHash("sha256").update(envJson).digest("hex").slice(0, 16);
  return [repositoryId, facet, deployNumber, codeId, configId, envId, wrapper.version, attempt].join("/");
}

/** An ordinary Worker, for a rehearsal to make a request inside of it. */
export function getProbed(worker: WorkerStub): ProbedEntrypoint {
  return worker.getEntrypoint<ProbedEntrypoint & Rpc.WorkerEntrypointBranded>("Worker");
}

/** How far the isolate has come, in the wrapper's words. Throws what the runtime says where it did not load at all. */
export async function readReport(worker: WorkerStub): Promise<StartReport> {
  return readStartReport(await worker.getEntrypoint<ControlEntrypoint>("Control").report());
}

/** Ends an isolate that is not needed any more; locally nothing else ever would. Fails quietly: there may be none. */
export async function endIsolate(worker: WorkerStub): Promise<void> {
  try {
    await worker.getEntrypoint<ControlEntrypoint>("Control").end();
  } catch {
    // It does not load, or ends already.
  }
}

/** Waits for what the requests of an ordinary Worker left to be done, and closes the WebSockets that they accepted. Fails quietly: its isolate may have ended. */
export async function settleIsolate(worker: WorkerStub, close: SocketClose, limitMs: number): Promise<void> {
  try {
    await worker.getEntrypoint<ControlEntrypoint>("Control").settle(close, limitMs);
  } catch {
    // There is nobody to wait for.
  }
}

/** Calls scheduled() of the default export. false: it has none. Throws what it throws. */
export async function runDefaultScheduled(worker: WorkerStub, run: CronRun): Promise<boolean> {
  return await worker.getEntrypoint<ControlEntrypoint>("Control").runScheduled(run);
}
