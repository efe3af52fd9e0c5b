// The bounds of one build. Each is a build-limit or bundle-too-large message with the figure in it, never a crash.

/** Every bound, in the unit that its name says. */
export interface BuildLimits {
  /** Files in the commit, of any kind. */
  readonly treeFiles: number;
  /** Files that are served as they are. */
  readonly assetFiles: number;
  /** One of them. */
  readonly assetBytes: number;
  /** Modules that the entry reaches, packages included. */
  readonly modules: number;
  /** One source file. */
  readonly fileBytes: number;
  /**
   * All source that the entry reaches. esbuild needs some fifty times as much memory, so that about 2 MiB fit into an isolate
   * of 128 MB. Where the runtime enforces that, more ends the isolate, which is a build-limit too.
   */
  readonly sourceBytes: number;
  /** All modules of the bundle, wasm and data included. */
  readonly bundleBytes: number;
  /** From the request to the bundle, a cold start of the builder isolate included. */
  readonly timeMs: number;
  /** esbuild's memory while it reads. An isolate of the runtime's own limit ends before that, which is a build-limit too. */
  readonly memoryBytes: number;
  /** A builder isolate whose wasm memory has grown past this is replaced after its build: the memory never shrinks. */
  readonly isolateBytes: number;
  /**
   * A builder isolate is also replaced after this many builds: builder.ts says why. V8 needs about ten builds until esbuild's machine
   * code is its best and stays; from then on a build takes a third of the time, and adds some 4 MB.
   */
  readonly isolateBuilds: number;
}

const MIB = 1024 * 1024;

/** One configuration file: no one that people write is larger. */
export const CONFIG_BYTES = MIB;

/** The bounds of a host that says nothing else. */
export const DEFAULT_LIMITS: BuildLimits = {
  treeFiles: 50_000,
  assetFiles: 20_000,
  assetBytes: 25 * MIB,
  modules: 2_000,
  fileBytes: 4 * MIB,
  sourceBytes: 8 * MIB,
  bundleBytes: 10 * MIB,
  timeMs: 20_000,
  memoryBytes: 512 * MIB,
  isolateBytes: 96 * MIB,
  isolateBuilds: 64,
};

/** The bounds of a host with those that it was given: a table by the names above. Throws where that is not what it is. */
export function readLimits(given: unknown): BuildLimits {
  if (given === undefined) return DEFAULT_LIMITS;
  if (typeof given !== "object" || given === null) throw new TypeError("BUILD_LIMITS must be a table of numbers.");
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) throw new TypeError(`BUILD_LIMITS has no ${name}.`);
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new TypeError(`BUILD_LIMITS.${name} must be a whole number over 0.`);
  }
  return { ...DEFAULT_LIMITS, ...given };
}

/** What one build used. */
export type LimitUse = Readonly<Pick<BuildLimits, "treeFiles" | "modules" | "sourceBytes" | "bundleBytes">>;

const USES: Readonly<Record<keyof LimitUse, (value: number) => string>> = {
  treeFiles: (value) => `${value} files in the commit`,
  modules: (value) => `${value} modules`,
  sourceBytes: (value) => `${formatBytes(value)} of source`,
  bundleBytes: (value) => `${formatBytes(value)} of bundle`,
};

/** A sentence for each limit of which more than half is used, so that nobody meets it by surprise. */
export function nearLimits(use: LimitUse, limits: BuildLimits): string[] {
  const names: readonly (keyof LimitUse)[] = ["treeFiles", "modules", "sourceBytes", "bundleBytes"];
  return names
    .filter((name) => use[name] > limits[name] / 2)
    .map(
      (name) => `The app has ${USES[name](use[name])}, more than half of the limit of ${amount(name, limits[name])}.`,
    );
}

function amount(name: keyof LimitUse, value: number): string {
  return name === "treeFiles" || name === "modules" ? String(value) : formatBytes(value);
}

/** A size for a sentence: "812 bytes", "3.4 KiB", "10 MiB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const [value, unit] = bytes < MIB ? [bytes / 1024, "KiB"] : [bytes / MIB, "MiB"];
  return `${value >= 10 ? Math.round(value) : Math.round(value * 10) / 10} ${unit}`;
}
