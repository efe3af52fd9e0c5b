// An unpacked package as one object of the cache: the length of an index, the index as JSON, then the files one after another.
// One read of its beginning has the index and, for all but large packages, every file too.
import type { PackedFile } from "./tarball.ts";

/** What an archive's index says. Offsets count from the end of the index. */
export interface ArchiveIndex {
  readonly name: string;
  readonly version: string;
  /** Path, size, and offset; without an offset the content was left out. */
  readonly files: readonly (readonly [path: string, sizeBytes: number, offset?: number])[];
  readonly hasInstallScript: boolean;
  readonly isNative: boolean;
}

/** An index, and where the contents begin in the object. */
export interface OpenArchive {
  readonly index: ArchiveIndex;
  readonly contentsAt: number;
}

/** Part of the cache's keys: an archive of another format is another object. */
export const ARCHIVE_FORMAT = 1;

const LENGTH_BYTES = 4;
/** 30,000 files with long names. */
const MAX_INDEX_BYTES = 16 * 1024 * 1024;

/** The archive's parts, in order. */
export function writeArchive(
  name: { readonly name: string; readonly version: string },
  packed: readonly PackedFile[],
): Uint8Array[] {
  let offset = 0;
  const files = packed.map(({ path, bytes }) => {
    if (bytes === undefined) return [path, 0] as const;
    offset += bytes.byteLength;
    return [path, bytes.byteLength, offset - bytes.byteLength] as const;
  });
  const { hasInstallScript, isNative } = readScripts(packed);
  const index: ArchiveIndex = { name: name.name, version: name.version, files, hasInstallScript, isNative };
  const json = new TextEncoder().encode(JSON.stringify(index));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, json.byteLength);
  return [length, json, ...packed.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]))];
}

/** What npm would run after unpacking: scripts, and node-gyp where there is a binding.gyp. */
function readScripts(packed: readonly PackedFile[]): Pick<ArchiveIndex, "hasInstallScript" | "isNative"> {
  const isNative = packed.some(({ path }) => path === "binding.gyp");
  const bytes = packed.find(({ path }) => path === "package.json")?.bytes;
  try {
    const manifest: unknown = bytes === undefined ? {} : JSON.parse(new TextDecoder().decode(bytes));
    const scripts = typeof manifest === "object" && manifest !== null && "scripts" in manifest ? manifest.scripts : {};
    const names = typeof scripts === "object" && scripts !== null ? Object.keys(scripts) : [];
    return { isNative, hasInstallScript: names.some((script) => /^(pre|post)?install$/.test(script)) };
  } catch {
    // A package.json that is no JSON names no scripts; whoever imports the package is told what is wrong with it.
    return { isNative, hasInstallScript: false };
  }
}

/** Reads the beginning of an archive; a number is how many bytes of it are needed, if these are too few. */
export function openArchive(head: Uint8Array): OpenArchive | number {
  if (head.byteLength < LENGTH_BYTES) throw new Error("A package in the cache is cut off.");
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
  if (length > MAX_INDEX_BYTES) throw new Error("A package in the cache has no index.");
  const contentsAt = LENGTH_BYTES + length;
  if (head.byteLength < contentsAt) return contentsAt;
  const index: ArchiveIndex = JSON.parse(new TextDecoder().decode(head.subarray(LENGTH_BYTES, contentsAt)));
  return { index, contentsAt };
}
