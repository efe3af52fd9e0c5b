// An app made of an archive: settings and variables first, then the repository by the stages of a push, then the data. Read as it comes, in
// the order in which archive-export.ts writes it. Where a part fails the app that was begun is removed: the whole app is there, or none.
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { readAddress, type ObjectAddress } from "./app/object-address.ts";
import type { Supervisor } from "./app/supervisor.ts";
import {
  ALARMS_ENTRY,
  BUNDLE_ENTRY,
  CONFIG_ENTRY,
  dataEntry,
  objectEntry,
  OBJECTS_ENTRY,
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
  config: ArchivedConfig | undefined;
  push: MadePushReport | null;
  refCount: number;
  /** The databases that are to come, by entry. undefined: production's own. */
  readonly awaited: Map<string, ObjectAddress | undefined>;
  databaseCount: number;
  alarms: Parameters<Supervisor["replaceAlarms"]>[0] | undefined;
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
}

/**
 * The whole app, or none.
 * @throws HostingError "app-exists", "app-deleted", "archive-invalid", "sql-failed", or as a push
 */
export async function importApp(
  request: MadePushRequest,
  host: Host,
  { archive, readConfig, setsQuotas }: ArchiveInput,
): Promise<ImportReport> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const state: Import = {
    request,
    host,
    supervisor,
    readConfig,
    setsQuotas,
    config: undefined,
    push: null,
    refCount: 0,
    awaited: new Map(),
    databaseCount: 0,
    alarms: undefined,
  };
  const file = await openArchive(archive);
  try {
    // oxlint-disable-next-line no-await-in-loop -- entry after entry
    for (let entry = await file.next(); entry !== undefined; entry = await file.next()) await takeEntry(state, entry);
    return await finish(state);
  } catch (error) {
    await file.cancel();
    if (state.config !== undefined) await supervisor.destroy();
    const reason = file.failure();
    throw reason === undefined ? error : invalid(reason, error);
  }
}

/** Alarms last, so that none rings on half of the data. An older archive has none: the app has those that it set itself. */
async function finish(state: Import): Promise<ImportReport> {
  const { request, host, supervisor, config, awaited, push, refCount, databaseCount, alarms } = state;
  if (config === undefined) throw invalid(`it has no ${CONFIG_ENTRY}`);
  const [missing] = awaited.keys();
  if (missing !== undefined) throw invalid(`${missing} is missing`);
  if (alarms !== undefined && config.live !== null) await supervisor.replaceAlarms(alarms);
  await settleApp(request, host, setupOf(state, config));
  const secrets = config.variables.filter(({ value }) => value === null).map(({ name }) => name);
  const missingQuotas = state.setsQuotas ? [] : Object.keys(config.ownQuotas ?? {});
  const alarmCount = alarms?.length ?? 0;
  return {
    app: request.app,
    push,
    refCount,
    databaseCount,
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
  if (!state.awaited.has(name)) return body.cancel();
  const outcome = await state.supervisor.replaceData(
    state.awaited.get(name),
    // The runtime passes only streams of bytes on.
    body.pipeThrough(new IdentityTransformStream()),
  );
  if (outcome.kind === "no-data") throw invalid("it has data, and nothing in it deploys that could have any");
  if (outcome.kind === "failed") {
    throw new HostingError("sql-failed", `${name} could not be loaded: ${outcome.message}`);
  }
  state.awaited.delete(name);
  state.databaseCount += 1;
}

async function begin(state: Import, value: unknown): Promise<void> {
  if (state.config !== undefined) throw invalid(`it has two ${CONFIG_ENTRY}`);
  const config = state.readConfig(value);
  await beginApp(state.request, state.host, setupOf(state, config));
  state.config = config;
  if (config.live !== null) state.awaited.set(dataEntry("production"), undefined);
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
  if (second.length > 0) {
    await runMade(request, host, { commands: second.map(create), pushOptions: ["store"], pack: undefined });
  }
  state.refCount = all.length;
}

function create({ name, id }: BundleRef) {
  return { name, oldId: ZERO_ID, newId: id };
}

/** What each name of production is. Previews begin anew with a copy of production's data, so that theirs stays in the archive. */
function expectObjects(state: Import, value: unknown): void {
  for (const object of productionOf(value)) {
    try {
      const address = readAddress({ ...object, name: object.name ?? undefined });
      state.awaited.set(objectEntry("production", address), address);
    } catch (error) {
      throw invalid(`${OBJECTS_ENTRY} lists what is no object`, error);
    }
  }
}

/** Production's alarms: those of its own class and of its objects. */
function expectAlarms(state: Import, value: unknown): void {
  state.alarms = productionOf(value).map(({ at, ...address }) => {
    const atMs = Date.parse(at);
    try {
      const { className, objectId } = address.className === null ? {} : readAddress(address);
      if (Number.isNaN(atMs)) throw new TypeError(`${String(at)} is no time.`);
      const object = className === undefined || objectId === undefined ? undefined : { className, objectId };
      return { object, atMs };
    } catch (error) {
      throw invalid(`${ALARMS_ENTRY} lists what is no alarm`, error);
    }
  });
}

/** What an entry by environment lists for production. */
function productionOf(value: unknown) {
  const production: unknown = typeof value === "object" && value !== null && "production" in value && value.production;
  return Array.isArray(production) ? production : [];
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
