// The caps of one app: the table's default, what the host's QUOTAS variable says instead, or what was set for this app alone.
import { readQuotasJson, writeQuotasJson } from "../store/settings.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { QUOTAS, type Quotas } from "./quota-table.ts";

const DEFAULTS: Quotas = {
  requestsPerMinute: QUOTAS.requestsPerMinute.value,
  cpuMsPerRequest: QUOTAS.cpuMsPerRequest.value,
  egressRequestsPerMinute: QUOTAS.egressRequestsPerMinute.value,
  logLinesPerSecond: QUOTAS.logLinesPerSecond.value,
  repositoryBytes: QUOTAS.repositoryBytes.value,
  assetBytes: QUOTAS.assetBytes.value,
  objects: QUOTAS.objects.value,
  databaseBytes: QUOTAS.databaseBytes.value,
  snapshotBytes: QUOTAS.snapshotBytes.value,
};

/** The caps of an app. Read from the database once for each instance of its supervisor. */
export function quotasOf(app: HostedApp): Quotas {
  app.quotas ??= { ...hostQuotas(app.env), ...ownQuotas(app) };
  return app.quotas;
}

/** The caps of an app for which nothing else was set. */
export function hostQuotas(env: Pick<Env, "QUOTAS">): Quotas {
  return { ...DEFAULTS, ...readQuotaTable(env.QUOTAS) };
}

/** Sets caps of this app; null: as the host has it. What is not given stays. undefined: the app does not exist. */
export function changeQuotas(
  app: HostedApp,
  changes: { readonly [Name in keyof Quotas]?: number | null | undefined },
): Quotas | undefined {
  if (findExisting(app) === undefined) return undefined;
  const own = new Map<string, number>(Object.entries(ownQuotas(app)));
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) own.delete(name);
    else if (value !== undefined) own.set(name, value);
  }
  writeQuotasJson(app.db, JSON.stringify(Object.fromEntries(own)));
  app.quotas = undefined;
  return quotasOf(app);
}

/** undefined: the app does not exist. */
export function readQuotas(app: HostedApp): Quotas | undefined {
  return findExisting(app) === undefined ? undefined : quotasOf(app);
}

/** The caps that were set for this app alone. */
export function ownQuotas(app: HostedApp): Partial<Quotas> {
  return findExisting(app) === undefined ? {} : readQuotaTable(JSON.parse(readQuotasJson(app.db)));
}

/** What is no cap of the table, or no number, is left out: a variable with a mistake must not stop the host. */
function readQuotaTable(table: unknown): Partial<Quotas> {
  if (typeof table !== "object" || table === null) return {};
  const entries = Object.entries(table).filter(
    ([name, value]) => Object.hasOwn(QUOTAS, name) && typeof value === "number" && value >= 0,
  );
  return Object.fromEntries(entries);
}
