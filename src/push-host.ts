// What the Worker holds for as long as its isolate lives, made once by index.ts and passed down.
import { Builder } from "../build/builder.ts";
import { createPackHost, type PackHost } from "./repo/repository.ts";

/** The bindings, what this isolate remembers of R2, and its way to the builder isolate. */
export interface Host {
  readonly env: Env;
  readonly packs: PackHost;
  readonly builder: Builder;
}

export function createHost(env: Env): Host {
  return { env, packs: createPackHost(env.BUCKET), builder: new Builder(env.LOADER) };
}
