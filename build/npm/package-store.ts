// Packages, unpacked, in R2 by what their tarballs hash to: a package that any build of this host had before is one read, and asks
// the network nothing. The cache is the whole host's; what is in it was verified against its own key.
import { formatIntegrity, integrityKey, parseIntegrity, type Integrity } from "./integrity.ts";
import type { LayoutPackage } from "./layout.ts";
import { ARCHIVE_FORMAT, openArchive, type OpenArchive, writeArchive } from "./package-archive.ts";
import { failed, type Failed, missingPackage, missingVersion, noIntegrity, unreachable } from "./package-failure.ts";
import { type Limiter, makeLimiter } from "./limiter.ts";
import { openTarball, type Packument, readPackument, type Registry } from "./registry.ts";
import { TARBALL_LIMITS, unpackTarball, type TarballLimits } from "./tarball.ts";

/** What a build needs of its host for packages. */
export interface PackageHost {
  readonly bucket: R2Bucket;
  readonly registry: Registry;
  readonly limits?: Partial<TarballLimits>;
}

/** The same with what bounds its use, for one build. */
export interface PackageStore {
  readonly host: PackageHost;
  readonly limits: TarballLimits;
  /** A Worker has six connections at once. */
  readonly downloads: Limiter;
  readonly large: Limiter;
  /** Documents are large as values, so that few are read at a time. */
  readonly documents: Limiter;
  readonly packuments: Map<string, Promise<Packument | Failed>>;
}

/** A package that can be read from. */
export interface StoredPackage extends OpenArchive {
  readonly kind: "stored";
  readonly key: string;
  /** The beginning of the archive: for most packages all of it. */
  readonly head: Uint8Array;
}

const HEAD_BYTES = 1024 * 1024;
const READ_AHEAD_BYTES = 64 * 1024;
const SPAN_BYTES = 4 * 1024 * 1024;

export function openPackageStore(host: PackageHost): PackageStore {
  return {
    host,
    limits: { ...TARBALL_LIMITS, ...host.limits },
    downloads: makeLimiter(6),
    large: makeLimiter(1),
    documents: makeLimiter(3),
    packuments: new Map(),
  };
}

/** A package's document, read once for a build. */
export function findPackument(store: PackageStore, name: string): Promise<Packument | Failed> {
  const known = store.packuments.get(name);
  if (known !== undefined) return known;
  const read = store.documents(() => readPackument(store.host.registry, name));
  store.packuments.set(name, read);
  return read;
}

/** A package from the cache, else from the registry by way of the cache. */
export async function openPackage(store: PackageStore, wanted: LayoutPackage): Promise<StoredPackage | Failed> {
  const integrity = await integrityOf(store, wanted);
  if ("kind" in integrity) return integrity;
  const key = `npm/packages/${ARCHIVE_FORMAT}/${integrityKey(integrity)}`;
  const cached = await openStored(store.host.bucket, key);
  if (cached !== undefined) return cached;
  const problem = await store.downloads(() => download(store, wanted, integrity, key));
  if (problem !== undefined) return problem;
  const stored = await openStored(store.host.bucket, key);
  if (stored === undefined) throw new Error(`${key} is not in the bucket right after it was put there.`);
  return stored;
}

async function integrityOf(store: PackageStore, wanted: LayoutPackage): Promise<Integrity | Failed> {
  if (wanted.integrity !== undefined) return parseIntegrity(wanted.integrity) ?? noIntegrity(wanted);
  // A lockfile may do without: then the registry's word is all there is.
  const key = `npm/integrity/${wanted.name}@${wanted.version}`;
  const known = await store.host.bucket.get(key);
  if (known !== null) return parseIntegrity(await known.text()) ?? noIntegrity(wanted);
  const packument = await findPackument(store, wanted.name);
  if ("kind" in packument) return packument;
  const manifest = packument.versions.get(wanted.version);
  if (manifest === undefined) return missingVersion(wanted.name, wanted.version, packument.tags["latest"]);
  const integrity = parseIntegrity(manifest.integrity ?? "");
  if (integrity === undefined) return noIntegrity(wanted);
  await store.host.bucket.put(key, formatIntegrity(integrity));
  return integrity;
}

async function openStored(bucket: R2Bucket, key: string): Promise<StoredPackage | undefined> {
  const head = await readRange(bucket, key, 0, HEAD_BYTES);
  if (head === undefined) return undefined;
  const archive = openArchive(head);
  if (typeof archive !== "number") return { kind: "stored", key, head, ...archive };
  const longer = await readRange(bucket, key, 0, archive);
  const opened = longer === undefined ? undefined : openArchive(longer);
  if (longer === undefined || opened === undefined || typeof opened === "number") throw new Error(`${key} is cut off.`);
  return { kind: "stored", key, head: longer, ...opened };
}

async function readRange(
  bucket: R2Bucket,
  key: string,
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  const object = await bucket.get(key, { range: { offset, length } });
  return object === null ? undefined : new Uint8Array(await object.arrayBuffer());
}

/** Puts the package into the cache, or says why not. */
async function download(
  store: PackageStore,
  wanted: LayoutPackage,
  integrity: Integrity,
  key: string,
): Promise<Failed | undefined> {
  const opened = await findTarball(store, wanted);
  if ("kind" in opened) return opened;
  if (opened.body === null) return unreachable(`${wanted.name} ${wanted.version}`, "its answer is empty");
  const turn = Promise.withResolvers<void>();
  let hasTurn = false;
  const takeTurn = async (): Promise<void> => {
    const taken = Promise.withResolvers<void>();
    hasTurn = true;
    void store.large(async () => {
      taken.resolve();
      await turn.promise;
    });
    await taken.promise;
  };
  try {
    const files = await unpackTarball(wanted, opened.body, integrity, { limits: store.limits, takeTurn });
    if ("kind" in files) return files;
    await putParts(store.host.bucket, key, writeArchive(wanted, files));
    return undefined;
  } finally {
    if (hasTurn) turn.resolve();
  }
}

async function findTarball(store: PackageStore, wanted: LayoutPackage): Promise<Response | Failed> {
  const standard = await openTarball(store.host.registry, wanted);
  if (standard !== undefined) return standard;
  const packument = await findPackument(store, wanted.name);
  if ("kind" in packument) return packument;
  const manifest = packument.versions.get(wanted.version);
  if (manifest === undefined) return missingVersion(wanted.name, wanted.version, packument.tags["latest"]);
  const other =
    manifest.tarball === undefined ? undefined : await openTarball(store.host.registry, wanted, manifest.tarball);
  return other ?? unreachable(`${wanted.name} ${wanted.version}`, "it lists the version, but has no tarball of it");
}

async function putParts(bucket: R2Bucket, key: string, parts: readonly Uint8Array[]): Promise<void> {
  const { readable, writable } = new FixedLengthStream(parts.reduce((sum, part) => sum + part.byteLength, 0));
  const put = bucket.put(key, readable);
  const writer = writable.getWriter();
  const written = (async () => {
    for (const part of parts) await writer.write(part);
    await writer.close();
  })();
  await Promise.all([put, written]);
}

/** Contents by path within the package; a path whose content was left out is not among them. */
export async function readPackageFiles(
  store: PackageStore,
  stored: StoredPackage,
  paths: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const wanted = new Set(paths);
  const contents = new Map<string, Uint8Array>();
  const beyond: { path: string; from: number; to: number }[] = [];
  for (const [path, sizeBytes, offset] of stored.index.files) {
    if (!wanted.has(path) || offset === undefined) continue;
    const from = stored.contentsAt + offset;
    const to = from + sizeBytes;
    if (to <= stored.head.byteLength) contents.set(path, stored.head.subarray(from, to));
    else beyond.push({ path, from, to });
  }
  const spans = joinSpans(beyond);
  await Promise.all(
    spans.map(async (files) => {
      const from = files[0]?.from ?? 0;
      const bytes = await readRange(store.host.bucket, stored.key, from, (files.at(-1)?.to ?? from) - from);
      if (bytes === undefined) throw new Error(`${stored.key} is not in the bucket any more.`);
      for (const file of files) contents.set(file.path, bytes.subarray(file.from - from, file.to - from));
    }),
  );
  return contents;
}

/** Files that lie near each other are read together. */
function joinSpans<T extends { readonly from: number; readonly to: number }>(files: readonly T[]): T[][] {
  const spans: T[][] = [];
  for (const file of files.toSorted((a, b) => a.from - b.from)) {
    const span = spans.at(-1);
    const isNear =
      span !== undefined &&
      file.from - (span.at(-1)?.to ?? 0) <= READ_AHEAD_BYTES &&
      file.to - (span[0]?.from ?? 0) <= SPAN_BYTES;
    if (isNear) span.push(file);
    else spans.push([file]);
  }
  return spans;
}

/** The failure of a package that the registry does not have, with the names that may have been meant. */
export function withNearest(problem: Failed, name: string, known: Iterable<string>): Failed {
  return problem.failure.code === "dependency-missing" ? failed(missingPackage(name, known).failure) : problem;
}
