// The builder isolates as the host has them: Dynamic Workers that are kept warm under names, killed when they take too long and
// replaced when their memory has grown. A stub may not outlive the request that got it, so each build gets its own.
import esbuildWasm from "./esbuild.generated.bin";
import generated from "./isolate.generated.json" with { type: "json" };
import type {
  BuildFailure,
  BuildHost,
  BundleOutcome,
  BundleRequest,
  IsolateAnswer,
  WriteOutcome,
  WriteRequest,
} from "./bundle-request.ts";
import { RUNTIME_COMPATIBILITY_DATE } from "./compatibility.ts";
import type BuilderIsolate from "./isolate.ts";
import { type BuildLimits, DEFAULT_LIMITS } from "./limits.ts";
import type { BuildMessage } from "./messages.ts";
import type { PackagesPort } from "./npm/packages-port.ts";

/** esbuild's version and a hash of this pipeline: the same tree and the same version give the same modules. */
export const BUILDER_VERSION: string = generated.version;

/** How many builds may run at once, each in an isolate of its own. */
const SLOTS = 4;
const BUSY_WAIT_MS = 50;
const ATTEMPTS = 2;

/**
 * The builder isolates of one host isolate. It holds no stubs: only the name of each slot's isolate, which changes when the
 * isolate is ended, since the loader never starts a name again whose isolate has ended itself.
 */
export class Builder {
  readonly limits: BuildLimits;
  readonly #loader: WorkerLoader;
  readonly #names: string[];

  constructor(loader: WorkerLoader, limits: Partial<BuildLimits> = {}) {
    this.#loader = loader;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#names = Array.from({ length: SLOTS }, (_, slot) => `builder-${BUILDER_VERSION}-${slot}`);
  }

  /** The name of a slot's isolate. */
  nameOf(slot: number): string {
    return this.#names[slot % SLOTS] ?? "";
  }

  /** A stub for this request. The isolate starts if it does not run. */
  open(name: string): Fetcher<BuilderIsolate> {
    return this.#loader.get(name, () => workerCode(this.limits)).getEntrypoint<BuilderIsolate>();
  }

  /** Gives the slot of this name a new isolate for its next build. Two builds may both find that an isolate has ended. */
  replace(name: string): void {
    const slot = this.#names.indexOf(name);
    if (slot >= 0) this.#names[slot] = `${name.replace(/\+.*/, "")}+${crypto.randomUUID()}`;
  }
}

/** Where a build's files and packages come from. */
export interface BuildSource {
  read(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  readonly packages: PackagesPort;
}

/** Bundles a Worker: see runInIsolate. */
export function bundleInIsolate(builder: Builder, request: BundleRequest, source: BuildSource): Promise<BundleOutcome> {
  return runInIsolate<BundleOutcome>(builder, source, (stub, host) => stub.bundle(request, host));
}

/** Runs esbuild for its files: see runInIsolate. */
export function writeInIsolate(builder: Builder, request: WriteRequest, source: BuildSource): Promise<WriteOutcome> {
  return runInIsolate<WriteOutcome>(builder, source, (stub, host) => stub.write(request, host));
}

type Ask<Outcome> = (stub: Fetcher<BuilderIsolate>, host: BuildHost) => Promise<IsolateAnswer<Outcome>>;

/**
 * Works in a builder isolate. Fails with build-limit where that takes too long or the isolate dies of it, and throws what
 * reading the tree throws.
 */
async function runInIsolate<Outcome>(
  builder: Builder,
  source: BuildSource,
  ask: Ask<Outcome>,
): Promise<Outcome | BuildFailure> {
  const reading: { error?: unknown } = {};
  const outOfTime = timer(builder.limits.timeMs);
  const guard = <T>(work: () => Promise<T>): Promise<T | undefined> => {
    return work().catch((error: unknown) => {
      reading.error = error;
      return undefined;
    });
  };
  // The network's time is not the build's: its own limits bound it.
  const host: BuildHost = {
    readMore: (paths) => guard(async () => new Map(await source.read(paths))),
    packages: {
      layout: () => outOfTime.hold(guard(() => source.packages.layout())),
      install: (folders) => outOfTime.hold(guard(() => source.packages.install(folders))),
      want: (name) => source.packages.want(name),
    },
  };
  try {
    return await attempt(builder, (stub) => ask(stub, host), outOfTime);
  } catch (error) {
    throw reading.error ?? error;
  } finally {
    outOfTime.stop();
  }
}

interface Timer {
  readonly promise: Promise<{ readonly kind: "out-of-time" }>;
  isOver(): boolean;
  stop(): void;
  /** The same promise; until it settles, time stands still. */
  hold<T>(work: Promise<T>): Promise<T>;
}

type Attempt<Outcome> = IsolateAnswer<Outcome> | { readonly kind: "out-of-time" } | { readonly kind: "died" };

async function attempt<Outcome>(
  builder: Builder,
  ask: (stub: Fetcher<BuilderIsolate>) => Promise<IsolateAnswer<Outcome>>,
  outOfTime: Timer,
): Promise<Outcome | BuildFailure> {
  for (let slot = 0, deaths = 0; ;) {
    const name = builder.nameOf(slot);
    const stub = builder.open(name);
    const answered: Promise<Attempt<Outcome>> = ask(stub).catch(() => ({ kind: "died" }));
    const answer = await Promise.race([answered, outOfTime.promise]);
    switch (answer.kind) {
      case "done":
        if (isWorn(builder.limits, answer)) await endIsolate(builder, name);
        return answer.outcome;
      case "busy":
        if (answer.sinceMs > builder.limits.timeMs) await endIsolate(builder, name);
        slot++;
        if (slot % SLOTS > 0) break;
        await Promise.race([timer(BUSY_WAIT_MS).promise, outOfTime.promise]);
        if (outOfTime.isOver()) return failure(busyMessage(builder.limits.timeMs));
        break;
      case "died":
        builder.replace(name);
        if (++deaths === ATTEMPTS) return failure(diedMessage());
        break;
      case "out-of-time":
        await endIsolate(builder, name);
        return failure(timeMessage(builder.limits.timeMs));
      case "unread":
        throw new Error("The source tree did not read a file that it lists.");
      case "crashed":
        await endIsolate(builder, name);
        throw new Error(`The builder isolate failed: ${answer.reason}`);
    }
  }
}

/**
 * esbuild's wasm memory never shrinks. Nor does the machine code that V8 makes of it: each app that starts makes V8 drop that code
 * for being unused, and make it again with the next build, and the runtime frees it only with the isolate.
 */
function isWorn(limits: BuildLimits, { memoryBytes, builds }: { memoryBytes: number; builds: number }): boolean {
  return memoryBytes > limits.isolateBytes || builds >= limits.isolateBuilds;
}

/** An isolate that does not answer may be beyond answering: it is given up for its slot in any case. */
async function endIsolate(builder: Builder, name: string): Promise<void> {
  builder.replace(name);
  const ended = Promise.resolve(builder.open(name).end()).then(
    () => "answered",
    () => "ended",
  );
  await Promise.race([ended, timer(BUSY_WAIT_MS).promise]);
}

function workerCode(limits: BuildLimits): WorkerLoaderWorkerCode {
  return {
    compatibilityDate: RUNTIME_COMPATIBILITY_DATE,
    compatibilityFlags: ["no_nodejs_compat", "no_nodejs_compat_v2"],
    mainModule: "main.js",
    modules: {
      "main.js": generated.isolate,
      "esbuild.js": generated.esbuild,
      // Bytes, not a compiled module: that would be the host isolate's own, and outlive the isolate with all its machine code.
      "esbuild.wasm": { wasm: esbuildWasm },
    },
    globalOutbound: null,
    // A loop inside esbuild can only be ended by the runtime. workerd does not enforce this by itself; Cloudflare does.
    limits: { cpuMs: limits.timeMs },
  };
}

function timer(ms: number): Timer {
  const { promise, resolve } = Promise.withResolvers<{ kind: "out-of-time" }>();
  let isOver = false;
  let isStopped = false;
  let held = 0;
  let leftMs = ms;
  let sinceMs = Date.now();
  const end = (): void => {
    isOver = true;
    resolve({ kind: "out-of-time" });
  };
  let handle = setTimeout(end, leftMs);
  const pause = (): void => {
    if (held++ > 0) return;
    clearTimeout(handle);
    leftMs -= Date.now() - sinceMs;
  };
  const resume = (): void => {
    if (--held > 0 || isStopped) return;
    sinceMs = Date.now();
    handle = setTimeout(end, Math.max(0, leftMs));
  };
  const hold: Timer["hold"] = (work) => {
    pause();
    return work.finally(resume);
  };
  const stop = (): void => {
    isStopped = true;
    clearTimeout(handle);
  };
  return { promise, hold, isOver: () => isOver, stop };
}

function failure(message: BuildMessage): BuildFailure {
  return { kind: "failed", messages: [message], total: 1 };
}

function timeMessage(timeMs: number): BuildMessage {
  return {
    code: "build-limit",
    text: `The build took longer than ${timeMs / 1000} s, which is the limit, and was stopped.`,
    fix: "Push again. If it happens again, bundle less: large generated files are the usual reason.",
  };
}

function busyMessage(timeMs: number): BuildMessage {
  return {
    code: "build-limit",
    text: `All ${SLOTS} isolates that build were busy for ${timeMs / 1000} s.`,
    fix: "Push again in a moment.",
  };
}

function diedMessage(): BuildMessage {
  return {
    code: "build-limit",
    text: `The isolate that builds ended ${ATTEMPTS} times during this build: most likely its memory was used up.`,
    fix: "Bundle less: large generated files and large packages are the usual reason.",
  };
}
