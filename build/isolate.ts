// The builder isolate's program: esbuild-wasm in a Dynamic Worker of its own, without network, for one build at a time.
// scripts/generate.ts bundles this file to text. It runs apart from everything else of the host, so its module state is its own.
// oxlint-disable-next-line no-restricted-imports -- this program is no module of the host: it is a Worker, with a Worker's imports
import { abortIsolate, WorkerEntrypoint } from "cloudflare:workers";
import * as esbuild from "./esbuild.js";
import wasmModule from "./esbuild.wasm";
import { bundleTree, type TreePort } from "./bundle-tree.ts";
import type {
  BuildHost,
  BundleOutcome,
  BundleRequest,
  IsolateAnswer,
  WriteOutcome,
  WriteRequest,
} from "./bundle-request.ts";
import { FileReader } from "./file-reader.ts";
import { PackageFolders } from "./npm/package-folders.ts";
import type { PackagesPort } from "./npm/packages-port.ts";
import { startTreeFiles } from "./tree-files.ts";
import { writeTree } from "./write-tree.ts";

/** esbuild, whose start is awaited by the first build; the build that is under way; and how many have ended. */
const service: {
  started?: Promise<WebAssembly.Memory>;
  /** When it began, and later by what it waited for packages. */
  busyFromMs?: number | undefined;
  /** How many answers it waits for, and since when. */
  holds: number;
  heldFromMs: number;
  builds: number;
} = { holds: 0, heldFromMs: 0, builds: 0 };

/**
 * esbuild's browser build sends each answer to its Go half with a setTimeout that has no delay, so as not to call into Go from
 * Go. The runtime takes about a millisecond for each, several for every import; a microtask is as safe, and takes none.
 */
function hurryMessages(): void {
  const setTimer = globalThis.setTimeout;
  const hurried = (callback: () => void, ms?: number): unknown =>
    ms === undefined ? queueMicrotask(callback) : setTimer(callback, ms);
  Object.assign(globalThis, { setTimeout: hurried });
}

/**
 * The file system of Go's half: none of its own, whatever it looks for. Without this every look is an error, where an import that nothing
 * here could resolve is left to esbuild. What is written is its output, and goes through a `writeSync` that it puts in by itself.
 */
function hideFileSystem(): void {
  const flags = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_EXCL", "O_DIRECTORY"];
  const present = {
    constants: Object.fromEntries(flags.map((flag) => [flag, -1])),
    writeSync: (_file: number, bytes: Uint8Array): number => bytes.byteLength,
    write(file: number, bytes: Uint8Array, ...rest: readonly unknown[]): void {
      answerLast(rest, null, this.writeSync(file, bytes));
    },
    fsync: (...args: readonly unknown[]): void => answerLast(args, null),
  };
  const fs = new Proxy(present, { get: (target, name) => Reflect.get(target, name) ?? answerAbsent });
  Object.assign(globalThis, { fs });
}

function answerAbsent(...args: readonly unknown[]): void {
  answerLast(args, Object.assign(new Error("There are no files."), { code: "ENOENT" }));
}

/** Calls back as Node does. */
function answerLast(args: readonly unknown[], ...answers: readonly unknown[]): void {
  const callback = args.at(-1);
  if (typeof callback === "function") callback(...answers);
}

/** Starts esbuild and gives its memory, which it keeps to itself: so instantiation is watched while it starts. */
async function startEsbuild(): Promise<WebAssembly.Memory> {
  const instantiate = WebAssembly.instantiate;
  let memory: unknown;
  hurryMessages();
  hideFileSystem();
  WebAssembly.instantiate = async (module: WebAssembly.Module, imports?: WebAssembly.Imports) => {
    const instance = await instantiate(module, imports);
    memory = instance.exports["mem"];
    return instance;
  };
  try {
    await esbuild.initialize({ wasmModule, worker: false });
  } finally {
    WebAssembly.instantiate = instantiate;
  }
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("esbuild did not show its memory.");
  return memory;
}

/** Waits for an answer whose time does not count: it is the network's, and a build that waits for it is not stuck. */
async function hold<T>(work: Promise<T>): Promise<T> {
  if (service.holds++ === 0) service.heldFromMs = Date.now();
  try {
    return await work;
  } finally {
    const heldMs = Date.now() - service.heldFromMs;
    if (--service.holds === 0 && service.busyFromMs !== undefined) service.busyFromMs += heldMs;
  }
}

function untimed(port: PackagesPort): PackagesPort {
  return {
    layout: () => hold(port.layout()),
    install: (folders) => hold(port.install(folders)),
    want: (name) => port.want(name),
  };
}

function busyMs(busyFromMs: number): number {
  return (service.holds > 0 ? service.heldFromMs : Date.now()) - busyFromMs;
}

/** Does one build at a time: esbuild's memory is not for more. */
async function answer<Outcome>(
  request: BundleRequest,
  host: BuildHost,
  work: (port: TreePort) => Promise<Outcome>,
): Promise<IsolateAnswer<Outcome>> {
  if (service.busyFromMs !== undefined) return { kind: "busy", sinceMs: busyMs(service.busyFromMs) };
  service.busyFromMs = Date.now();
  try {
    service.started ??= startEsbuild();
    const memory = await service.started;
    const reader = new FileReader(request.contents, host.readMore);
    const files = startTreeFiles(request, reader, () => memory.buffer.byteLength);
    const packages = new PackageFolders(files.index, untimed(host.packages), (contents) => reader.take(contents));
    const outcome = await work({ files, packages });
    if (reader.isBroken || packages.isBroken) return { kind: "unread" };
    service.builds += 1;
    return { kind: "done", outcome, memoryBytes: memory.buffer.byteLength, builds: service.builds };
  } catch (error) {
    return { kind: "crashed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    service.busyFromMs = undefined;
  }
}

/** What the host calls. */
export default class BuilderIsolate extends WorkerEntrypoint {
  /** Bundles one tree, or says that another build is under way. */
  bundle(request: BundleRequest, host: BuildHost): Promise<IsolateAnswer<BundleOutcome>> {
    const answered = answer(request, host, (port) => bundleTree(esbuild, request, port));
    // A pusher who goes away cancels this call. The build then still ends in order, and does not leave the isolate busy.
    this.ctx.waitUntil(answered);
    return answered;
  }

  /** The same for a run whose outputs are files. */
  write(request: WriteRequest, host: BuildHost): Promise<IsolateAnswer<WriteOutcome>> {
    const answered = answer(request, host, (port) => writeTree(esbuild, request, port));
    this.ctx.waitUntil(answered);
    return answered;
  }

  /** Ends this isolate and frees its memory, right after the call: ending at once would fail the call and fill the host's log. */
  end(): void {
    this.ctx.waitUntil(endLater());
  }
}

async function endLater(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  abortIsolate("The builder isolate is replaced.");
}
