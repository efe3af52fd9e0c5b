// An app as one archive. Each part is measured before it is written, because tar has the size first, so that nothing is ever whole in memory
// or left behind in the bucket where a reader goes away.
import { createTarPacker } from "modern-tar";
import type { AppName } from "./app/app-name.ts";
import { CopyTooSlow } from "./app/copy-too-slow.ts";
import type { AppDescription } from "./app/description.ts";
import { PRODUCTION_FACET, previewFacet } from "./app/environment.ts";
import type { Supervisor } from "./app/supervisor.ts";
import {
  ALARMS_ENTRY,
  BUNDLE_ENTRY,
  CONFIG_ENTRY,
  dataEntry,
  describeArchive,
  HISTORY_ENTRY,
  objectEntry,
  OBJECTS_ENTRY,
  previewName,
  PRODUCTION_NAME,
  README_ENTRY,
  type ArchivedAlarm,
  type ArchivedObject,
} from "./archive-format.ts";
import type { Host } from "./push-host.ts";
import { makeBundle } from "./repo/whole-pack.ts";
import { openRepository } from "./repo/repository.ts";

/** One file of the archive. */
interface Entry {
  readonly name: string;
  readonly sizeBytes: number;
  open(): ReadableStream<Uint8Array>;
}

/** An environment as the archive and the supervisor name it. */
interface ArchivedEnvironment {
  readonly name: string;
  readonly choice: string;
  readonly facet: string;
}

type AppStub = DurableObjectStub<Supervisor>;
type DatabaseChoice = Parameters<Supervisor["measureDump"]>[0];

const PAGE_SIZE = 1000;

/**
 * The archive, written as it is read. undefined: there is no such app. Where a part fails the stream breaks off.
 * @throws HostingError "copy-too-slow" where that is known before
 */
export async function exportApp(
  app: AppName,
  host: Host,
  nowMs: number,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const supervisor = host.env.SUPERVISOR.getByName(app);
  const description = await supervisor.describe();
  if (description === undefined) return undefined;
  for (const { choice } of await listEnvironments(supervisor, description)) {
    // oxlint-disable-next-line no-await-in-loop -- each copies a database
    const asked = await supervisor.readDatabase({ environment: choice });
    if (asked.kind === "too-slow") throw new CopyTooSlow(asked.sizeBytes);
  }
  const { readable, controller } = createTarPacker();
  const mtime = new Date(nowMs);
  const write = async (): Promise<void> => {
    for await (const entry of listEntries(supervisor, host, description)) {
      const { name, sizeBytes } = entry;
      await entry.open().pipeTo(controller.add({ name, size: sizeBytes, mtime, mode: 0o600, type: "file" }));
    }
    controller.finalize();
  };
  write().catch((error: unknown) => controller.error(error));
  return readable;
}

async function* listEntries(supervisor: AppStub, host: Host, description: AppDescription): AsyncGenerator<Entry> {
  const { name: app } = description;
  yield textEntry(README_ENTRY, describeArchive(app));
  yield jsonEntry(CONFIG_ENTRY, await readConfig(supervisor, description));
  const state = await supervisor.readRepository();
  const bundle = state && (await makeBundle(openRepository(host.packs, state)));
  if (bundle !== undefined) yield { name: BUNDLE_ENTRY, ...bundle };
  yield jsonEntry(HISTORY_ENTRY, await readHistory(supervisor));
  const environments = await listEnvironments(supervisor, description);
  const objects = new Map<string, readonly ArchivedObject[]>();
  for (const { name, facet } of environments) {
    // oxlint-disable-next-line no-await-in-loop -- few, and one object answers all
    objects.set(name, await readObjects(supervisor, facet));
  }
  yield jsonEntry(OBJECTS_ENTRY, Object.fromEntries(objects));
  const alarms: Record<string, ArchivedAlarm[]> = {};
  for (const { name, choice } of environments) {
    const listed: ArchivedAlarm[] = [];
    alarms[name] = listed;
    yield* dumpEntry(supervisor, { name: dataEntry(name), choice: { environment: choice }, alarms: listed });
    for (const object of objects.get(name) ?? []) {
      const { className, objectId } = object;
      const of = { environment: choice, object: { className, idOrName: objectId } };
      yield* dumpEntry(supervisor, { name: objectEntry(name, object), choice: of, alarms: listed });
    }
  }
  yield jsonEntry(ALARMS_ENTRY, alarms);
}

/** What went away since it was listed is left out. Lists the alarm that goes with the data. */
async function* dumpEntry(
  supervisor: AppStub,
  {
    name,
    choice,
    alarms,
  }: { readonly name: string; readonly choice: DatabaseChoice; readonly alarms: ArchivedAlarm[] },
): AsyncGenerator<Entry> {
  const asked = await supervisor.measureDump(choice);
  if (asked.kind === "too-slow") throw new CopyTooSlow(asked.sizeBytes);
  if (asked.kind !== "answered") return;
  const { sizeBytes, sql, alarmAtMs } = asked.answer;
  if (alarmAtMs !== null) {
    const { className = null, idOrName: objectId = null } = choice.object ?? {};
    alarms.push({ className, objectId, at: new Date(alarmAtMs).toISOString() });
  }
  yield { name, sizeBytes, open: () => sql };
}

/** Production first; only those that have data. */
async function listEnvironments(
  supervisor: AppStub,
  { name: app, live }: AppDescription,
): Promise<readonly ArchivedEnvironment[]> {
  const production = { name: PRODUCTION_NAME, choice: "production", facet: PRODUCTION_FACET };
  const previews = (await listAlive(supervisor, app)).map(({ slug }) => {
    return { name: previewName(slug), choice: slug, facet: previewFacet(slug) };
  });
  return live === undefined ? previews : [production, ...previews];
}

async function listAlive(supervisor: AppStub, app: string) {
  const previews = await supervisor.listPreviews();
  return previews
    .filter(({ state }) => state === "alive")
    .map(({ branch, label }) => ({ branch, slug: label.slice(0, -`--${app}`.length) }));
}

/** How the app is set. No secret's value: supervisors give none. */
async function readConfig(supervisor: AppStub, description: AppDescription): Promise<unknown> {
  const [previews, variables, egress, quotas, ownQuotas, retention] = await Promise.all([
    listAlive(supervisor, description.name),
    supervisor.readVariables(),
    supervisor.readEgress(),
    supervisor.readQuotas(),
    supervisor.readOwnQuotas(),
    supervisor.changeRetention({}),
  ]);
  const { name, settings, productionBranch, live } = description;
  return {
    format: "slipway-app",
    version: 1,
    app: name,
    productionBranch: productionBranch ?? null,
    previews: previews.map(({ branch, slug }) => ({ branch, slug })),
    live: live === undefined ? null : { deploy: live.number, commit: live.commitId },
    settings,
    variables: (variables?.variables ?? []).map((variable) => {
      return { name: variable.name, scope: variable.scope, kind: variable.kind, value: variable.value ?? null };
    }),
    egress: { allow: egress?.allow ?? [], previewAllow: egress?.previewAllow ?? [] },
    retention: retention ?? {},
    quotas: quotas ?? {},
    ownQuotas,
  };
}

async function readHistory(supervisor: AppStub): Promise<readonly unknown[]> {
  const entries: unknown[] = [];
  for (let before: number | undefined; ;) {
    // oxlint-disable-next-line no-await-in-loop -- a page begins behind the one before
    const page = await supervisor.listHistory({ limit: PAGE_SIZE, before });
    for (const { attempt, deploy, state } of page) {
      const { beganAtMs, endedAtMs, end, ...facts } = attempt;
      entries.push({
        ...facts,
        state,
        environment: deploy?.facet ?? null,
        subject: deploy?.subject ?? end?.subject ?? null,
        beganAt: new Date(beganAtMs).toISOString(),
        endedAt: endedAtMs === undefined ? null : new Date(endedAtMs).toISOString(),
        failure: end?.failure ?? null,
        facts: JSON.parse(end?.factsJson ?? "{}"),
      });
    }
    before = page.at(-1)?.attempt.number;
    if (page.length < PAGE_SIZE || before === undefined) return entries;
  }
}

/** The named objects of an environment. */
export async function readObjects(supervisor: AppStub, facet: string): Promise<readonly ArchivedObject[]> {
  const objects: ArchivedObject[] = [];
  for (let after: ArchivedObject | undefined; ;) {
    // oxlint-disable-next-line no-await-in-loop -- a page begins behind the one before
    const page = await supervisor.listObjects({ facet, after, limit: PAGE_SIZE });
    for (const { className, objectId, name } of page?.objects ?? []) {
      objects.push({ className, objectId, name: name ?? null });
    }
    if (page === undefined || page.objects.length < PAGE_SIZE) return objects;
    after = objects.at(-1);
  }
}

function jsonEntry(name: string, value: unknown): Entry {
  return textEntry(name, `${JSON.stringify(value, undefined, 2)}\n`);
}

function textEntry(name: string, text: string): Entry {
  const bytes = new TextEncoder().encode(text);
  return { name, sizeBytes: bytes.byteLength, open: () => new Blob([bytes]).stream() };
}
