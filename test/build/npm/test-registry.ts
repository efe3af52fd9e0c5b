// A registry of packages that a test makes itself, tarballs and all, behind the one function that a build's client calls.
import { createHash } from "node:crypto";
import { env } from "cloudflare:workers";
import { packTar, type TarEntry } from "modern-tar";
import type { PackageHost } from "../../../build/npm/package-store.ts";
import type { RegistryConfig } from "../../../build/npm/registry.ts";

export const REGISTRY_URL = "http://registry.test/npm/";

/** One version: its package.json without name and version, and its other files. */
export interface TestPackage {
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Entries that npm would not pack. */
  readonly entries?: readonly TarEntry[];
}

/** A package as the registry has it. */
export interface Published {
  readonly name: string;
  readonly version: string;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly tarball: Uint8Array;
  readonly integrity: string;
}

export interface TestRegistry extends PackageHost {
  readonly published: ReadonlyMap<string, Published>;
  /** The paths that were asked for, with the token where one came. */
  readonly requests: string[];
  /** What answers before the registry does. */
  intercept: ((url: string) => Response | undefined) | undefined;
  /** An entry of package-lock.json's `packages`. */
  locked(key: string): Record<string, unknown>;
}

/** Packages by "name@version". Each registry has a nonce in its tarballs, so that no other test has cached them. */
export async function makeRegistry(
  packages: Readonly<Record<string, TestPackage>>,
  config: Partial<RegistryConfig> = {},
): Promise<TestRegistry> {
  const published = new Map<string, Published>();
  for (const [key, each] of Object.entries(packages)) published.set(key, await publish(key, each));
  const requests: string[] = [];
  const registry: TestRegistry = {
    bucket: env.BUCKET,
    published,
    requests,
    intercept: undefined,
    locked(key) {
      const { version, integrity } = find(published, key);
      return { version, integrity };
    },
    registry: {
      config: { url: REGISTRY_URL, scopes: {}, tokens: {}, ...config },
      fetch: async (url, init) => {
        const token = new Headers(init.headers).get("authorization");
        requests.push(url.replace(REGISTRY_URL, "") + (token === null ? "" : ` ${token}`));
        return registry.intercept?.(url) ?? answer(published, url);
      },
    },
  };
  return registry;
}

function find(published: ReadonlyMap<string, Published>, key: string): Published {
  const found = published.get(key);
  if (found === undefined) throw new Error(`${key} was not published.`);
  return found;
}

function answer(published: ReadonlyMap<string, Published>, url: string): Response {
  const path = decodeURIComponent(new URL(url).pathname).replace(/^\/npm\//, "");
  const all = [...published.values()];
  const tarball = all.find(({ name, version }) => path === `${name}/-/${name.split("/").at(-1)}-${version}.tgz`);
  if (tarball !== undefined) return new Response(Uint8Array.from(tarball.tarball));
  const versions = all.filter(({ name }) => name === path);
  if (versions.length === 0) return new Response("not found", { status: 404 });
  return Response.json({
    name: path,
    "dist-tags": { latest: versions.at(-1)?.version },
    versions: Object.fromEntries(
      versions.map(({ name, version, integrity, manifest }) => [
        version,
        {
          ...manifest,
          name,
          version,
          dist: { integrity, tarball: `https://elsewhere.test/npm/${name}/-/x-${version}.tgz` },
        },
      ]),
    ),
  });
}

async function publish(key: string, { manifest = {}, files = {}, entries = [] }: TestPackage): Promise<Published> {
  const at = key.lastIndexOf("@");
  const [name, version] = [key.slice(0, at), key.slice(at + 1)];
  const all = {
    "package.json": JSON.stringify({ ...manifest, name, version }),
    ".nonce": crypto.randomUUID(),
    ...files,
  };
  const packed = Object.entries(all).map(([path, content]) => {
    const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
    return { header: { name: `package/${path}`, size: body.byteLength, type: "file" as const }, body };
  });
  const tarball = await gzip(await packTar([...packed, ...entries]));
  return { name, version, manifest, tarball, integrity: sha512(tarball) };
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function sha512(bytes: Uint8Array): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}

/** A package-lock.json of version 3. */
export function lockOf(
  packages: Readonly<Record<string, unknown>>,
  root: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify(
    { name: "app", lockfileVersion: 3, requires: true, packages: { "": root, ...packages } },
    undefined,
    2,
  );
}
