// An app made of an archive: settings and variables first, then the repository by the stages of a push, then the data. Read as it comes, in
// the order in which archive-export.ts writes it. Where a part fails the app that was begun is removed: the whole app is there, or none.
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { parseLabel, PRODUCTION_FACET } from "./app/environment.ts";
import { readAddress, type ObjectAddress } from "./app/object-address.ts";
import type { KeptAlarm } from "./app/app-alarms.ts";
import type { Filling } from "./app/data-import.ts";
import type { Supervisor } from "./app/supervisor.ts";
import {
  ALARMS_ENTRY,
  BUNDLE_ENTRY,
  CONFIG_ENTRY,
  dataEntry,
  objectEntry,
  OBJECTS_ENTRY,
  previewName,
  PRODUCTION_NAME,
  type ArchivedAlarm,
  type ArchivedConfig,
} from "./archive-format.ts";
import { HostingError } from "./errors.ts";
import { readBundle, type BundleRef } from "./git/bundle.ts";
import { ZERO_ID } from "./git/object-id.ts";
import type { Host } from "./push-host.ts";
import { runMade, type MadePushReport, type MadePushRequest } from "./push-made.ts";
import { beginApp, settleApp, type AppSetup } from "./push-setup.ts";

/** What was made, and what the archive could not bring. */
export interface ImportReport {
  readonly app: string;
  /** What the push of the production branch came to; null: the archive has no branches. */
  readonly push: MadePushReport | null;
  readonly refCount: number;
  readonly databaseCount: number;
  readonly previewCount: number;
  readonly alarmCount: number;
  /** Names of secrets that are to be set anew. */
  readonly missingSecrets: readonly string[];
  /** Names of caps that whoever runs the host has to set. */
  readonly missingQuotas: readonly string[];
}

/** How far an import has come. */
interface Import {
  readonly request: MadePushRequest;
  readonly host: Host;
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly readConfig: (value: unknown) => ArchivedConfig;
  readonly setsQuotas: boolean;
  readonly bringsPreviews: boolean;
  config: ArchivedConfig | undefined;
  push: MadePushReport | null;
  refCount: number;
  /** The facets of what has data here, by the names of the archive. */
  readonly environments: Map<string, string>;
  /** The databases that are to come, by entry. */
  readonly awaited: Map<string, DataTarget>;
  databaseCount: number;
  /** Those of which data has come, by facet; and the alarms that they are to have. */
  readonly fillings: Map<string, Rpc.Stub<Filling>>;
  readonly alarms: Map<string, readonly KeptAlarm[]>;
}

/** A database: an environment's own, or that of one of its objects. */
interface DataTarget {
  readonly facet: string;
  readonly object: ObjectAddress | undefined;
}

const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** What is imported, and by whom. */
export interface ArchiveInput {
  /** A tar file, also gzipped. */
  readonly archive: ReadableStream<Uint8Array>;
  /** Throws a HostingError for what is no configuration. */
  readonly readConfig: (value: unknown) => ArchivedConfig;
  /** Whether the caller may set caps. */
  readonly setsQuotas: boolean;
  /** Whether previews come along: they are deployed, then have their data. */
  readonly bringsPreviews: boolean;
}

/**
 * The whole app, or none.
 * @throws HostingError "app-exists", "app-deleted", "archive-invalid", "sql-failed", or as a push
 */
export async function importApp(
  request: MadePushRequest,
  host: Host,
  { archive, ...choices }: ArchiveInput,
): Promise<ImportReport> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const state: Import = {
    request,
    host,
    supervisor,
    ...choices,
    config: undefined,
    push: null,
    refCount: 0,
    environments: new Map(),
    awaited: new Map(),
    databaseCount: 0,
    fillings: new Map(),
    alarms: new Map(),
  };
  const file = await openArchive(archive);
  try {
    // oxlint-disable-next-line no-await-in-loop -- entry after entry
    for (let entry = await file.next(); entry !== undefined; entry = await file.next()) await takeEntry(state, entry);
    return await finish(state);
  } catch (error) {
    await file.cancel();
    for (const filling of state.fillings.values()) filling[Symbol.dispose]();
    if (state.config !== undefined) await supervisor.undoCreation();
    const reason = file.failure();
    throw reason === undefined ? error : invalid(reason, error);
  }
}

/** An older archive has no alarms: the app has those that it sets itself. */
async function finish(state: Import): Promise<ImportReport> {
  const { request, host, config, awaited, push, refCount, databaseCount, fillings, alarms } = state;
  if (config === undefined) throw invalid(`it has no ${CONFIG_ENTRY}`);
  const [missing] = awaited.keys();
  if (missing !== undefined) throw invalid(`${missing} is missing`);
  for (const [facet, filling] of fillings) {
    // oxlint-disable-next-line no-await-in-loop -- few, and one app starts all
    await filling.finish(alarms.get(facet) ?? []);
    filling[Symbol.dispose]();
  }
  await settleApp(request, host, setupOf(state, config));
  const secrets = config.variables.filter(({ value }) => value === null).map(({ name }) => name);
  const missingQuotas = state.setsQuotas ? [] : Object.keys(config.ownQuotas ?? {});
  const alarmCount = [...alarms.values()].flat().length;
  const previewCount = [...state.environments.keys()].filter((name) => name !== PRODUCTION_NAME).length;
  return {
    app: request.app,
    push,
    refCount,
    databaseCount,
    previewCount,
    alarmCount,
    missingSecrets: [...new Set(secrets)],
    missingQuotas,
  };
}

function setupOf({ setsQuotas }: Import, config: ArchivedConfig): AppSetup {
  const { settings, retention = {}, ownQuotas = {}, egress, variables } = config;
  const plain = variables.flatMap(({ name, scope, value }) => {
    return value === null ? [] : [{ name, scope, value, isSecret: false }];
  });
  const deploys = config.live !== null;
  return { deploys, settings, retention, quotas: setsQuotas ? ownQuotas : {}, egress, variables: plain };
}

/** A tar file as it comes. */
interface ArchiveFile {
  /** The next entry, once the one before was read or cancelled. undefined: there are no more. */
  next(): Promise<ParsedTarEntry | undefined>;
  cancel(): Promise<void>;
  /** Why it could not be read on, also where that was heard by whoever reads an entry. */
  failure(): string | undefined;
}

async function openArchive(archive: ReadableStream<Uint8Array>): Promise<ArchiveFile> {
  const source = archive.getReader();
  const first = await source.read();
  const bytes = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      if (!first.done) controller.enqueue(Uint8Array.from(first.value));
    },
    async pull(controller) {
      const { done, value } = await source.read();
      if (done) controller.close();
      // What is read next may be put where this was.
      else controller.enqueue(Uint8Array.from(value));
    },
  });
  const isGzip = first.value?.[0] === 0x1f && first.value[1] === 0x8b;
  const tar: ReadableStream<Uint8Array> = isGzip ? bytes.pipeThrough(new DecompressionStream("gzip")) : bytes;
  const entries = tar.pipeThrough(createTarDecoder({ strict: true })).getReader();
  let failure: string | undefined;
  const noting = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      failure ??= error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
      throw error;
    }
  };
  return {
    async next() {
      const { value } = await noting(entries.read());
      return value && { header: value.header, body: watch(value.body, noting) };
    },
    cancel: () => entries.cancel().catch(() => undefined),
    failure: () => failure,
  };
}

/** The same stream, each of its reads given to `noting`. */
function watch(body: ReadableStream<Uint8Array>, noting: <T>(work: Promise<T>) => Promise<T>): typeof body {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await noting(reader.read());
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** What is for people, and what this version does not know, is passed over. */
async function takeEntry(state: Import, { header, body }: ParsedTarEntry): Promise<void> {
  const { name } = header;
  if (name === CONFIG_ENTRY) return begin(state, await readJson(name, header.size, body));
  if (name === BUNDLE_ENTRY) return pushBundle(state, body);
  if (name === OBJECTS_ENTRY) return expectObjects(state, await readJson(name, header.size, body));
  if (name === ALARMS_ENTRY) return expectAlarms(state, await readJson(name, header.size, body));
  const target = state.awaited.get(name);
  if (target === undefined) return body.cancel();
  const filling = await fillingOf(state, target.facet);
  // The runtime passes only streams of bytes on.
  const outcome = await filling.load(target.object, body.pipeThrough(new IdentityTransformStream()));
  if (outcome.kind === "failed") {
    throw new HostingError("sql-failed", `${name} could not be loaded: ${outcome.message}`);
  }
  state.awaited.delete(name);
  state.databaseCount += 1;
}

async function fillingOf({ fillings, supervisor }: Import, facet: string): Promise<Rpc.Stub<Filling>> {
  const known = fillings.get(facet);
  if (known !== undefined) return known;
  const begun = await supervisor.beginFilling(facet);
  if (begun === undefined) throw invalid("it has data, and nothing in it deploys that could have any");
  fillings.set(facet, begun);
  return begun;
}

async function begin(state: Import, value: unknown): Promise<void> {
  if (state.config !== undefined) throw invalid(`it has two ${CONFIG_ENTRY}`);
  const config = state.readConfig(value);
  await beginApp(state.request, state.host, setupOf(state, config));
  state.config = config;
  if (config.live !== null) expectData(state, PRODUCTION_NAME, PRODUCTION_FACET);
}

/** The production branch comes first, as in a push by hand, and deploys if it did where it comes from. */
async function pushBundle(state: Import, body: ReadableStream<Uint8Array>): Promise<void> {
  const { config, request, host } = state;
  if (config === undefined) throw invalid(`${BUNDLE_ENTRY} comes before ${CONFIG_ENTRY}`);
  const { refs, pack } = await readBundle(body);
  const all = refs.filter(({ name }) => name !== "HEAD");
  const head = all.filter(({ name }) => name === config.productionBranch);
  const rest = all.filter(({ name }) => name !== config.productionBranch);
  const [first, second] = head.length === 0 ? [rest, []] : [head, rest];
  state.push = await runMade(request, host, { commands: first.map(create), pushOptions: [], pack });
  const previews = state.bringsPreviews && config.live !== null ? (config.previews ?? []) : [];
  const branches = new Set(previews.map(({ branch }) => `refs/heads/${branch}`));
  const parts = Map.groupBy(second, ({ name }) => (branches.has(name) ? "data=empty" : "store"));
  for (const [option, part] of parts) {
    // oxlint-disable-next-line no-await-in-loop -- two pushes to one app
    await runMade(request, host, { commands: part.map(create), pushOptions: [option], pack: undefined });
  }
  state.refCount = all.length;
  await expectPreviews(state, previews);
}

/** A branch may be called otherwise in addresses here than where it comes from. */
async function expectPreviews(state: Import, previews: NonNullable<ArchivedConfig["previews"]>): Promise<void> {
  if (previews.length === 0) return;
  for (const { branch, label } of await state.supervisor.listPreviews()) {
    const archived = previews.find((preview) => preview.branch === branch);
    if (archived !== undefined) expectData(state, previewName(archived.slug), parseLabel(label)?.facet ?? "");
  }
}

/** An environment of the archive whose data is to come. */
function expectData({ environments, awaited }: Import, name: string, facet: string): void {
  environments.set(name, facet);
  awaited.set(dataEntry(name), { facet, object: undefined });
}

function create({ name, id }: BundleRef) {
  return { name, oldId: ZERO_ID, newId: id };
}

/** What each name of an environment's objects is. */
function expectObjects(state: Import, value: unknown): void {
  for (const [environment, facet] of state.environments) {
    for (const object of listedFor(environment, value)) {
      try {
        const address = readAddress({ ...object, name: object.name ?? undefined });
        state.awaited.set(objectEntry(environment, address), { facet, object: address });
      } catch (error) {
        throw invalid(`${OBJECTS_ENTRY} lists what is no object`, error);
      }
    }
  }
}

/** The alarms of an environment: those of its own class and of its objects. */
function expectAlarms(state: Import, value: unknown): void {
  for (const [environment, facet] of state.environments) {
    state.alarms.set(facet, listedFor(environment, value).map(readAlarm));
  }
}

function readAlarm({ at, ...address }: ArchivedAlarm): KeptAlarm {
  const atMs = Date.parse(at);
  try {
    if (Number.isNaN(atMs)) throw new TypeError(`${at} is no time.`);
    if (address.className === null) return { object: undefined, atMs };
    const { className, objectId } = readAddress(address);
    return { object: { className, objectId }, atMs };
  } catch (error) {
    throw invalid(`${ALARMS_ENTRY} lists what is no alarm`, error);
  }
}

/** What an entry lists for an environment. */
function listedFor(environment: string, value: unknown) {
  const byName = new Map(Object.entries(typeof value === "object" && value !== null ? value : {}));
  const listed: unknown = byName.get(environment);
  return Array.isArray(listed) ? listed : [];
}

async function readJson(name: string, size: number, body: ReadableStream<Uint8Array>): Promise<unknown> {
  if (size > MAX_JSON_BYTES) throw invalid(`${name} is over ${MAX_JSON_BYTES} bytes`);
  const text = await new Response(body).text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${name} is not JSON`, error);
  }
}

function invalid(why: string, cause?: unknown): HostingError {
  return new HostingError("archive-invalid", `The archive cannot be imported: ${why}. Nothing was made.`, { cause });
}
