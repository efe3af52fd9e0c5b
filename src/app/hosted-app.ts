// One app as its supervisor holds it: the handle that every verb is given. What is in memory here is what a request needs without a
// read of the database; the database has the rest, and all of it that must survive.
import type { CodeDefinition } from "../store/code.ts";
import type { Database } from "../store/database.ts";
import { openDatabase } from "../store/database.ts";
import { findLiveDeploy, type Deploy } from "../store/deploys.ts";
import type { Repository } from "../store/settings.ts";
import { PackCache } from "../store/pack-cache.ts";
import { findRepository } from "../store/settings.ts";
import { isMigrated, migrate, SUPERVISOR_MIGRATIONS } from "../store/schema.ts";
import { environmentKind, PRODUCTION_FACET } from "./environment.ts";
import { openActivity, type Activity } from "./activity-memory.ts";
import { openAlarmMemory, type AlarmMemory } from "./alarm-memory.ts";
import type { AssetCache } from "./asset-cache.ts";
import type { EgressEvent } from "./egress-event.ts";
import type { PushUnderWay } from "./push-turns.ts";
import type { Quotas } from "./quota-table.ts";
import type { RateState } from "./rate.ts";
import type { StartFailure } from "./start-failure.ts";

/** A deploy as a facet runs it. One object for each deploy of an instance, so that versions are compared by identity. */
export interface Version {
  readonly deploy: Deploy;
  /** The environment that runs it: not always the one that it was deployed to. */
  readonly facet: string;
  /** Whether it ever ran as the live version. One that never did is undone if it does not start. */
  hasRun: boolean;
  /** How many starts of it failed in this instance. */
  failedStarts: number;
  /** Who receives its requests, once it was asked for: see receiver.ts. */
  entry?: Pick<CodeDefinition, "className" | "objects">;
  /** The entrypoint of an ordinary Worker, once it was used. */
  worker?: Fetcher;
}

/** A named object that this instance started. */
export interface RunningObject {
  readonly name: string | undefined;
  /** When its use was last written down. */
  readonly notedAtMs: number;
  /** Whether it may have WebSockets open, as the database has it. */
  hasSockets: boolean;
  /** Whether it was called since it was measured, and when it was. */
  mayHaveGrown: boolean;
  measuredAtMs: number;
}

/** What bringing a facet to its live version came to. */
export type Arrival = { readonly kind: "ready" } | { readonly kind: "failed"; readonly failure: StartFailure };

/** A start that failed, of a version that ran before: it is tried again, at a rate that does no harm. */
export interface FailedStart {
  readonly version: Version;
  readonly failure: StartFailure;
  /** How many such there were, one after the other. */
  readonly count: number;
  readonly retryAtMs: number;
}

/**
 * A facet in the memory of one supervisor instance. Requests go through while `running` is `live`; as soon as the live pointer moves
 * on they wait, and whoever comes first brings the facet to where the pointer is. So a Worker that dies between the commit and
 * the cutover leaves nothing stuck.
 */
export interface FacetRuntime {
  readonly facet: string;
  /** The live pointer, as the database has it. undefined: nothing is deployed. */
  live: Version | undefined;
  /** What this instance started and did not stop. */
  running: Version | undefined;
  /** The last request that was written down; for environments beside production. */
  usedAtMs: number;
  /** Requests whose answer has not been sent to its end. */
  inFlightCount: number;
  /** Calls to named objects that wait for their answer. */
  objectCallCount: number;
  /** The named objects that run, by facet. */
  readonly objects: Map<string, RunningObject>;
  /** Called when inFlightCount and objectCallCount both got to 0. */
  onIdle: (() => void) | undefined;
  /** Ends each event stream that is open. They do not count as in flight: they have no end to wait for. */
  readonly eventStreams: Set<() => void>;
  /** Whether WebSockets may be open, as the database has it. */
  hasSockets: boolean;
  /** Under way from `running` to `live`; one at a time. */
  arrival: Promise<Arrival> | undefined;
  /** Until its retryAtMs, requests are answered with it. */
  failedStart: FailedStart | undefined;
  /** The data is being read while nothing runs there; nothing is to start until then. Never throws. */
  reading: Promise<void> | undefined;
  /** When the first of the requests that wait for it came. */
  heldSinceMs: number | undefined;
  /** Requests that waited for it until they might not wait any longer. */
  turnedAwayCount: number;
  /** How large its data is with that of its objects; undefined: the database is to be asked. See stored-data.ts. */
  storedBytes: number | undefined;
  /** When that was last measured, and whether it is being measured or about to be. */
  measuredAtMs: number;
  isMeasuring: boolean;
}

/** The handle. Mutable fields are the memory of this one instance of the supervisor. */
export interface HostedApp {
  readonly name: string;
  readonly ctx: DurableObjectState;
  readonly env: Env;
  readonly db: Database;
  /** Random: what tells this instance of the supervisor from those before it. */
  readonly instanceId: string;
  /** Stands still between I/O. */
  readonly now: () => number;
  production: FacetRuntime;
  readonly assets: AssetCache;
  /** Small contents of assets, by blob ID. */
  readonly assetContents: PackCache;
  /** Every other environment that was asked for, by facet: see runtimeOf. */
  readonly environments: Map<string, FacetRuntime>;
  /** Those that are about to deploy, in the order in which they came. */
  readonly pushes: Set<PushUnderWay>;
  /** Ids of snapshots whose copies are not whole yet, and which have no rows. */
  readonly snapshotsUnderWay: Set<number>;
  /** The rehearsal that is under way, and those that wait for it. */
  lastRehearsal: Promise<unknown>;
  /** The same for copies of data that are read. */
  lastReading: Promise<unknown>;
  /** What is being rehearsed, for its constructors to reach objects. */
  rehearsed: { readonly worker: WorkerStub; readonly classes: readonly string[] } | undefined;
  /** The newest last; bounded. */
  readonly recentEgress: EgressEvent[];
  readonly activity: Activity;
  /** The secrets of deploys that said something: see maskSecretsOf. */
  readonly secrets: Map<string, readonly string[]>;
  /** undefined: to be read. */
  quotas: Quotas | undefined;
  readonly requestRate: RateState;
  readonly egressRate: RateState;
  readonly alarms: AlarmMemory;
  /** The deletion that is under way. */
  deletion: Promise<void> | undefined;
}

/** Bounded, because an isolate may hold the supervisors of many apps. */
const ASSET_CONTENT_BYTES = 1024 * 1024;

/** The handle of a supervisor that was just constructed. Writes nothing where nothing was written before. */
export function openHostedApp(ctx: DurableObjectState, env: Env): HostedApp {
  const db = openDatabase(ctx.storage);
  const isStored = isMigrated(db);
  if (isStored) migrate(db, SUPERVISOR_MIGRATIONS);
  const repository = isStored ? findRepository(db) : undefined;
  const app: HostedApp = {
    // The runtime does not always know the name where an alarm woke the object.
    name: ctx.id.name ?? repository?.appName ?? "",
    ctx,
    env,
    db,
    instanceId: crypto.randomUUID(),
    now: () => Date.now(),
    production: openFacetRuntime(PRODUCTION_FACET),
    environments: new Map(),
    assets: new Map(),
    pushes: new Set(),
    assetContents: new PackCache(ASSET_CONTENT_BYTES),
    snapshotsUnderWay: new Set(),
    lastRehearsal: Promise.resolve(),
    lastReading: Promise.resolve(),
    rehearsed: undefined,
    recentEgress: [],
    activity: openActivity(),
    secrets: new Map(),
    quotas: undefined,
    requestRate: { left: 0, atMs: 0 },
    egressRate: { left: 0, atMs: 0 },
    alarms: openAlarmMemory(),
    deletion: undefined,
  };
  if (repository !== undefined && !repository.isDeleting) readLive(app, app.production);
  return app;
}

/** A facet of which nothing is known yet. */
export function openFacetRuntime(facet: string): FacetRuntime {
  return {
    facet,
    live: undefined,
    running: undefined,
    usedAtMs: 0,
    inFlightCount: 0,
    objectCallCount: 0,
    objects: new Map(),
    onIdle: undefined,
    eventStreams: new Set(),
    hasSockets: false,
    arrival: undefined,
    failedStart: undefined,
    reading: undefined,
    heldSinceMs: undefined,
    turnedAwayCount: 0,
    storedBytes: undefined,
    measuredAtMs: 0,
    isMeasuring: false,
  };
}

/** The environment in memory. One that nothing is live in is remembered too: look with findRuntime where anybody may ask. */
export function runtimeOf(app: HostedApp, facet: string): FacetRuntime {
  if (facet === PRODUCTION_FACET) return app.production;
  const known = app.environments.get(facet);
  if (known !== undefined) return known;
  const runtime = openFacetRuntime(facet);
  readLive(app, runtime);
  app.environments.set(facet, runtime);
  return runtime;
}

/** The environment if there is one, without a trace if there is none. */
export function findRuntime(app: HostedApp, facet: string): FacetRuntime | undefined {
  if (facet === PRODUCTION_FACET) return app.production;
  const known = app.environments.get(facet);
  if (known !== undefined) return known;
  if (findExisting(app) === undefined || findLiveDeploy(app.db, facet) === undefined) return undefined;
  return runtimeOf(app, facet);
}

/** Takes the live pointer over from the database. Call it whenever a transaction moved the pointer, in the same turn. */
export function readLive(app: HostedApp, runtime: FacetRuntime): void {
  const row = findLiveDeploy(app.db, runtime.facet);
  runtime.hasSockets = row?.hasSockets ?? false;
  if (row?.deploy.number === runtime.live?.deploy.number) return;
  const isRunning = row !== undefined && row.deploy.number === runtime.running?.deploy.number;
  runtime.live = isRunning ? runtime.running : row && openVersion(row.deploy, runtime.facet);
}

/** A deploy that nothing is known of but what its row says. */
export function openVersion(deploy: Deploy, facet: string): Version {
  // An old deploy that is only on show is not undone.
  const hasRun = deploy.state === "started" || environmentKind(facet) === "version";
  return { deploy, facet, hasRun, failedStarts: 0 };
}

/** The repository's row if the app exists: created, and not being deleted. */
export function findExisting(app: HostedApp): (Repository & { readonly createdAtMs: number }) | undefined {
  if (!isMigrated(app.db)) return undefined;
  const repository = findRepository(app.db);
  if (repository === undefined || repository.isDeleting || repository.createdAtMs === undefined) return undefined;
  return { ...repository, createdAtMs: repository.createdAtMs };
}
