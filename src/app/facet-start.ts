// Starting a class in a facet, and saying why it did not start. Used for the rehearsal and for the live version alike.
import type { DumpOutcome } from "./data-access.ts";
import type { DumpSink } from "./data-dump.ts";
import { getCodeDefinition, getSourceMap } from "../store/code.ts";
import type { Database } from "../store/database.ts";
import { findRepository } from "../store/settings.ts";
import { appEnvironmentJson } from "./environment.ts";
import { makeAssetBindings } from "./assets.ts";
import type { CronRun } from "./cron-handler.ts";
import type { HostedApp, Version } from "./hosted-app.ts";
import { isolateName, makeWorkerCode, objectExport, readReport } from "./loader.ts";
import type { ObjectAddress } from "./object-address.ts";
import { maskFailure } from "./secret-mask.ts";
import {
  explainLoadError,
  explainReport,
  explainTimeout,
  type FailedCode,
  type StartFailure,
} from "./start-failure.ts";
import { quotasOf } from "./quotas.ts";
import {
  ALARM,
  DUMP,
  GOODBYE,
  PROBE,
  readStartReport,
  SCHEDULED,
  SIZE,
  START,
  type ProbeReport,
  type StartReport,
} from "./start-report.ts";
import { within } from "../store/time-limit.ts";
import { openVariables } from "./variables.ts";

/** What the supervisor calls on a wrapped class. Visitors reach fetch only. */
export interface HostedClass extends Rpc.DurableObjectBranded {
  [START](): StartReport;
  [PROBE](url: string): Promise<ProbeReport>;
  [SIZE](): number;
  [DUMP](sink: DumpSink, limitMs: number): Promise<DumpOutcome>;
  [GOODBYE](code: number, reason: string, limitMs: number): Promise<void>;
  [ALARM](info: AlarmInvocationInfo): Promise<boolean>;
  [SCHEDULED](run: CronRun): Promise<boolean>;
}

/** A facet's stub. */
export type Facet = Fetcher<HostedClass>;

/** How long module scope and constructor may take, with what the constructor waits for. */
export const START_LIMIT_MS = 10_000;

/** After a start that failed the wrapper has this long to say why. */
const REPORT_LIMIT_MS = 2000;

/** What became of a start. */
export type Start =
  | { readonly kind: "started"; readonly report: StartReport }
  | { readonly kind: "failed"; readonly failure: StartFailure };

/** What a start needs beside the facet. */
export interface StartInput {
  readonly openWorker: () => WorkerStub;
  readonly readCode: () => FailedCode;
  /** What an exception of the app must not tell. */
  readonly secrets: readonly string[];
}

/** The facet, running `worker`'s class if it is not running already. */
export function getFacet(app: HostedApp, facet: string, openWorker: () => WorkerStub): Facet {
  return app.ctx.facets.get<HostedClass>(facet, () => ({
    class: openWorker().getDurableObjectClass<HostedClass>("App"),
  }));
}

/** As getFacet, for a named object. */
export function getObjectFacet(
  app: HostedApp,
  facet: string,
  { className, objectId, name }: ObjectAddress,
  openWorker: () => WorkerStub,
): Facet {
  return app.ctx.facets.get<HostedClass>(facet, () => ({
    class: openWorker().getDurableObjectClass<HostedClass>(objectExport(className), { props: { objectId, name } }),
  }));
}

/**
 * Starts the class and waits for its constructor, with everything that the constructor blocks on. A facet whose start failed is
 * stopped again. `address`: of a named object.
 */
export async function startFacet(
  app: HostedApp,
  facet: string,
  { openWorker, readCode, secrets, address }: StartInput & { readonly address?: ObjectAddress | undefined },
): Promise<Start> {
  try {
    const stub =
      address === undefined ? getFacet(app, facet, openWorker) : getObjectFacet(app, facet, address, openWorker);
    const answer = await within(callStart(stub), START_LIMIT_MS);
    if (answer !== "late") return { kind: "started", report: readStartReport(answer) };
    app.ctx.facets.abort(facet, new Error("This version took too long to start."));
    return { kind: "failed", failure: explainTimeout(readCode().className, START_LIMIT_MS) };
  } catch (error) {
    app.ctx.facets.abort(facet, error);
    return { kind: "failed", failure: maskFailure(await explainStart(openWorker(), error, readCode), secrets) };
  }
}

// A stub's call is a thenable of the runtime's own; here it becomes a promise.
async function callStart(facet: Facet): Promise<unknown> {
  return await facet[START]();
}

/** Runs an ordinary Worker's module scope and looks for its default export. Its requests are its own business. */
export async function startWorker({ openWorker, readCode, secrets }: StartInput): Promise<Start> {
  try {
    const report = await within(readReport(openWorker()), START_LIMIT_MS);
    if (report === "late") return { kind: "failed", failure: explainTimeout(readCode().className, START_LIMIT_MS) };
    // What a constructor of one of its objects threw since then is no failure of the Worker.
    const failure = report.phase === "constructor" ? undefined : explainReport(report, readCode());
    return failure === undefined
      ? { kind: "started", report }
      : { kind: "failed", failure: maskFailure(failure, secrets) };
  } catch (error) {
    return { kind: "failed", failure: maskFailure(explainLoadError(error), secrets) };
  }
}

async function explainStart(worker: WorkerStub, error: unknown, readCode: () => FailedCode): Promise<StartFailure> {
  try {
    const report = await within(readReport(worker), REPORT_LIMIT_MS);
    if (report === "late") return explainLoadError(error);
    return explainReport(report, readCode()) ?? explainLoadError(error);
  } catch {
    // The isolate did not load either: the first error says why.
    return explainLoadError(error);
  }
}

/** The isolate of a deploy's version, loaded from the supervisor's own rows if it is not loaded. */
export function openVersionWorker(app: HostedApp, version: Version): WorkerStub {
  const { facet, deploy, failedStarts } = version;
  // After a failure a name that no earlier instance of the supervisor can have used up either.
  const attempt = failedStarts === 0 ? "0" : `${failedStarts}-${app.instanceId}`;
  const { codeId, number: deployNumber } = deploy;
  const repositoryId = findRepository(app.db)?.repositoryId ?? "";
  const envJson = appEnvironmentJson(app.name, facet, deploy);
  const { envId } = deploy;
  const name = isolateName({ repositoryId, facet, codeId, envJson, envId, deployNumber, attempt });
  const props = { app: app.name, facet, deployNumber };
  return app.env.LOADER.get(name, () => {
    const definition = getCodeDefinition(app.db, codeId);
    const logs = app.ctx.exports.Logs({ props });
    return makeWorkerCode({
      definition,
      envJson,
      variables: openVariables(app, envId, facet).values,
      bindings: makeAssetBindings(app, deploy.assetsId, { facet, deployNumber }),
      egress: app.ctx.exports.Egress({ props }),
      logs,
      // A call for each event: only where there is something to hear.
      ...(app.env.CPU_TIMES === "none" ? {} : { tail: logs }),
      cpuMs: quotasOf(app).cpuMsPerRequest,
      alarms: app.ctx.exports.Alarms({ props }),
      ...(definition.objects === undefined ? {} : { objects: app.ctx.exports.Objects({ props }) }),
    });
  });
}

/** Stored code, for explaining its failures. */
export function readStoredCode(db: Database, codeId: string): FailedCode {
  return { className: getCodeDefinition(db, codeId).className, sourceMap: getSourceMap(db, codeId) };
}
