// A package's tarball as it streams in: verified, inflated, and of its files those that a bundle can be made of. Links, devices
// and names that leave the package are dropped: npm's own client does not unpack them either.
import type { Hash } from "node:crypto";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { extensionOf, joinPath } from "../tree-path.ts";
import { formatIntegrity, type Integrity, startDigest } from "./integrity.ts";
import { type Failed, invalidTarball, mismatch, type PackageName, tooLarge } from "./package-failure.ts";

/** One file. `bytes` is undefined where only its name is of use. */
export interface PackedFile {
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

/** Bounds on one package. */
export interface TarballLimits {
  readonly files: number;
  /** Everything in the tarball, inflated. */
  readonly unpackedBytes: number;
  /** What is kept of it. */
  readonly keptBytes: number;
  /** A package that is larger than this waits until no other such one is in memory. */
  readonly smallBytes: number;
}

const MIB = 1024 * 1024;
export const TARBALL_LIMITS: TarballLimits = {
  files: 30_000,
  unpackedBytes: 256 * MIB,
  keptBytes: 24 * MIB,
  smallBytes: 2 * MIB,
};

/** What is never bundled, and is more than half of most packages. */
const LEFT_OUT = /\.(d\.[cm]?ts|map|flow|md|markdown|tsbuildinfo|png|jpe?g|gif|webp|ico|ttf|woff2?)$/i;

/** Unpacks a stream. `turn` is asked once by a package that turns out large, and given back by the caller. */
export async function unpackTarball(
  name: PackageName,
  body: ReadableStream<Uint8Array>,
  integrity: Integrity,
  options: { readonly limits: TarballLimits; readonly takeTurn: () => Promise<void> },
): Promise<readonly PackedFile[] | Failed> {
  const digest = startDigest(integrity);
  const unpacked = await readEntries(name, hashed(body, digest), options).catch((error: unknown) => {
    return invalidTarball(name, error instanceof Error ? error.message.replace(/\.$/, "") : "it is damaged");
  });
  // A tarball that is not the right one is that before it is anything else; of one that was left early nothing is known.
  if ("kind" in unpacked && unpacked.failure.code === "build-limit") return unpacked;
  const actual = formatIntegrity({ algorithm: integrity.algorithm, base64: digest.digest("base64") });
  return actual === formatIntegrity(integrity) ? unpacked : mismatch(name, formatIntegrity(integrity), actual);
}

/** The same bytes, with every one of them hashed: also those after the archive's end, or after an error in it. */
function hashed(body: ReadableStream<Uint8Array>, digest: Hash): HashedStream {
  const reader = body.getReader();
  const pull = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await reader.read();
    if (done) return undefined;
    digest.update(value);
    return value;
  };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = await pull();
      if (chunk === undefined) controller.close();
      else controller.enqueue(Uint8Array.from(chunk));
    },
  });
  const drain = async (): Promise<void> => {
    while ((await pull()) !== undefined);
  };
  return { stream, drain, cancel: () => reader.cancel() };
}

interface HashedStream {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Reads what is left. */
  drain(): Promise<void>;
  cancel(): Promise<void>;
}

interface Unpacking {
  readonly name: PackageName;
  readonly limits: TarballLimits;
  readonly takeTurn: () => Promise<void>;
  readonly files: Map<string, PackedFile>;
  count: number;
  unpackedBytes: number;
  keptBytes: number;
}

async function readEntries(
  name: PackageName,
  source: HashedStream,
  options: { readonly limits: TarballLimits; readonly takeTurn: () => Promise<void> },
): Promise<readonly PackedFile[] | Failed> {
  const unpacking: Unpacking = { name, ...options, files: new Map(), count: 0, unpackedBytes: 0, keptBytes: 0 };
  try {
    const tar = source.stream.pipeThrough(new DecompressionStream("gzip"));
    for await (const entry of tar.pipeThrough(createTarDecoder({ strict: true }))) {
      const problem = await takeEntry(unpacking, entry);
      if (problem === undefined) continue;
      await source.cancel();
      return problem;
    }
  } catch (error) {
    await source.drain().catch(() => undefined);
    throw error;
  }
  await source.drain();
  return [...unpacking.files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function takeEntry(unpacking: Unpacking, { header, body }: ParsedTarEntry): Promise<Failed | undefined> {
  const { name, limits, files } = unpacking;
  unpacking.count += 1;
  unpacking.unpackedBytes += header.size;
  if (unpacking.count > limits.files) return tooLarge(name, "files", limits.files);
  if (unpacking.unpackedBytes > limits.unpackedBytes) return tooLarge(name, "bytes", limits.unpackedBytes);
  const path = header.type === "file" || header.type === undefined ? packagePath(header.name) : undefined;
  const isNamed = path !== undefined && !LEFT_OUT.test(path);
  if (!isNamed || extensionOf(path) === ".node") {
    await body.cancel();
    if (isNamed) files.set(path, { path, bytes: undefined });
    return undefined;
  }
  const wasSmall = unpacking.keptBytes <= limits.smallBytes;
  unpacking.keptBytes += header.size;
  if (unpacking.keptBytes > limits.keptBytes) return tooLarge(name, "bytes", limits.keptBytes);
  if (wasSmall && unpacking.keptBytes > limits.smallBytes) await unpacking.takeTurn();
  files.set(path, { path, bytes: new Uint8Array(await new Response(body).arrayBuffer()) });
  return undefined;
}

/** The path without its first folder, which is "package" or whatever the packer called it; undefined where it leaves the package. */
function packagePath(entryName: string): string | undefined {
  const slash = entryName.indexOf("/");
  const rest = slash < 0 ? "" : entryName.slice(slash + 1);
  if (rest === "" || rest.includes("\\") || rest.includes("\0")) return undefined;
  return joinPath("", rest) || undefined;
}
