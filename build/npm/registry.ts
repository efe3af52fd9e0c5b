// The npm registry's client. Every address is made of the configured registry's own: none is ever taken from a lockfile, and a
// token goes to no other origin, redirects included.
import { PackumentScan } from "./packument-scan.ts";
import { type Failed, missingPackage, noRegistry, unauthorized, unreachable } from "./package-failure.ts";

/** The registries of a host, as its npm is configured. */
export interface RegistryConfig {
  /** Undefined: none. With a slash at the end. */
  readonly url: string | undefined;
  /** Registries of scopes: "@a" and the address. */
  readonly scopes: Readonly<Record<string, string>>;
  /** Bearer tokens by registry address. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** What a build needs of the network. */
export interface Registry {
  readonly config: RegistryConfig;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** A package in the registry: of its document, what resolving needs. */
export interface Packument {
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: ReadonlyMap<string, Manifest>;
}

/** One version. */
export interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  /** Without those that are optional. */
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly isDeprecated: boolean;
  /** Only for some operating system or processor, so that it is no JavaScript for this runtime. */
  readonly isForPlatform: boolean;
  readonly integrity: string | undefined;
  readonly tarball: string | undefined;
}

const TRIES = 2;
const RETRY_MS = 300;
const TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 4;
/** The whole documents of packages with many versions have 50 MB; not every registry has the short ones. */
const PACKUMENT_BYTES = 256 * 1024 * 1024;

/** The address of a package's registry, or undefined. */
function registryOf(config: RegistryConfig, name: string): string | undefined {
  const scope = name.startsWith("@") ? name.slice(0, name.indexOf("/")) : undefined;
  return (scope === undefined ? undefined : config.scopes[scope]) ?? config.url;
}

/** A package's document. */
export async function readPackument(registry: Registry, name: string): Promise<Packument | Failed> {
  const base = registryOf(registry.config, name);
  const what = `"${name}"`;
  if (base === undefined) return noRegistry(what);
  const answer = await request(registry, {
    base,
    url: new URL(name.replace("/", "%2f"), base),
    what,
    accept: ABBREVIATED,
  });
  if ("kind" in answer) return answer;
  if (answer.status === 404) return dropBody(answer, missingPackage(name, []));
  try {
    return await scanPackument(answer);
  } catch (error) {
    return unreachable(
      what,
      error instanceof SyntaxError ? "its answer is no JSON" : "its answer broke off or is too long",
    );
  }
}

const ABBREVIATED = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/** A tarball under way; undefined where the registry has none at this address. `path` is that of the registry's own document. */
export async function openTarball(
  registry: Registry,
  { name, version }: { readonly name: string; readonly version: string },
  path?: string,
): Promise<Response | Failed | undefined> {
  const base = registryOf(registry.config, name);
  const what = `${name} ${version}`;
  if (base === undefined) return noRegistry(what);
  const standard = new URL(`${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`, base);
  const url = path === undefined ? standard : rebase(path, base);
  if (url === undefined) return undefined;
  const answer = await request(registry, { base, url, what, accept: "*/*" });
  if ("kind" in answer) return answer;
  return answer.status === 404 ? dropBody(answer, undefined) : answer;
}

/** A document's address on the configured registry's origin: mirrors copy documents that name the original. */
function rebase(tarball: string, base: string): URL | undefined {
  if (!URL.canParse(tarball, base)) return undefined;
  const { pathname, search } = new URL(tarball, base);
  return new URL(pathname + search, base);
}

interface RegistryRequest {
  readonly base: string;
  readonly url: URL;
  readonly what: string;
  readonly accept: string;
}

/** An answer of 200 or 404. What may pass by itself is tried again once. */
async function request(registry: Registry, asked: RegistryRequest): Promise<Response | Failed> {
  for (let tried = 1; ; tried++) {
    const answer = await follow(registry, asked).catch((error: unknown) => error);
    if (answer instanceof Response) {
      if (answer.status === 200 || answer.status === 404) return answer;
      await answer.body?.cancel();
      if (answer.status === 401 || answer.status === 403) return unauthorized(asked.what, answer.status);
    }
    const reason = answer instanceof Response ? `it answered ${answer.status}` : "it could not be reached";
    const isFinal = answer instanceof Response && answer.status < 500 && answer.status !== 429;
    if (isFinal || tried === TRIES) return unreachable(asked.what, reason);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function follow(registry: Registry, { base, url, accept }: RegistryRequest): Promise<Response> {
  const token = registry.config.tokens[base];
  for (let at = url, hops = 0; ; hops++) {
    const isOwn = at.origin === new URL(base).origin;
    const headers = { accept, ...(isOwn && token !== undefined ? { authorization: `Bearer ${token}` } : {}) };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await registry.fetch(at.href, { headers, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null || hops === MAX_REDIRECTS) return response;
    await response.body?.cancel();
    at = new URL(location, at);
  }
}

async function dropBody<T>(response: Response, value: T): Promise<T> {
  await response.body?.cancel();
  return value;
}

/** Whatever is not of the documented shape counts as not there. */
async function scanPackument(response: Response): Promise<Packument> {
  const versions = new Map<string, Manifest>();
  let tags: Readonly<Record<string, string>> = {};
  const scan = new PackumentScan((version, value) => {
    if (version === undefined) tags = asStrings(value);
    else versions.set(version, parseManifest(version, asRecord(value)));
  });
  const decoder = new TextDecoder();
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > PACKUMENT_BYTES) throw new RangeError("The answer is too long.");
    scan.write(decoder.decode(chunk, { stream: true }));
  }
  if (!scan.isComplete) throw new SyntaxError("The answer ends too early, or is no JSON object.");
  return { tags, versions };
}

function parseManifest(version: string, manifest: Readonly<Record<string, unknown>>): Manifest {
  const { integrity, shasum, tarball } = asStrings(manifest["dist"]);
  const sha1 = shasum !== undefined && /^[0-9a-f]{40}$/.test(shasum) ? Buffer.from(shasum, "hex") : undefined;
  const meta = asRecord(manifest["peerDependenciesMeta"]);
  const peers = Object.entries(asStrings(manifest["peerDependencies"])).filter(
    ([name]) => asRecord(meta[name])["optional"] !== true,
  );
  const optionalDependencies = asStrings(manifest["optionalDependencies"]);
  // The registry repeats optional dependencies among the others.
  const dependencies = Object.entries(asStrings(manifest["dependencies"])).filter(
    ([name]) => !(name in optionalDependencies),
  );
  return {
    version,
    dependencies: Object.fromEntries(dependencies),
    optionalDependencies,
    peerDependencies: Object.fromEntries(peers),
    isDeprecated: typeof manifest["deprecated"] === "string",
    isForPlatform: Array.isArray(manifest["os"]) || Array.isArray(manifest["cpu"]),
    integrity: integrity ?? (sha1 === undefined ? undefined : `sha1-${sha1.toString("base64")}`),
    tarball,
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function asStrings(value: unknown): Readonly<Record<string, string>> {
  const strings = Object.entries(asRecord(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(strings);
}
