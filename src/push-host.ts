// What the Worker holds for as long as its isolate lives, made once by index.ts and passed down.
import { Builder } from "../build/builder.ts";
import { readLimits } from "../build/limits.ts";
import type { PackageHost } from "../build/npm/package-store.ts";
import { ClientRates } from "./app/client-rates.ts";
import { KnownTokens } from "./app/known-tokens.ts";
import { ProvenTokens } from "./app/proven-tokens.ts";
import { createPackageHost } from "./push-npm.ts";
import { createPackHost, type PackHost } from "./repo/repository.ts";

/** The bindings, what this isolate remembers of R2, and its way to the builder isolate. */
export interface Host {
  readonly env: Env;
  readonly packs: PackHost;
  readonly builder: Builder;
  /** Where builds have their npm packages from. */
  readonly npm: PackageHost;
  readonly tokens: KnownTokens;
  readonly limits: Limits;
}

/** What each client of the host's own routes is held to. Visitors of apps are not counted here. */
export interface Limits {
  /** Wrong tokens. */
  readonly guesses: ClientRates;
  /** Who gave which right token: for them the limit on guesses, which others at the same address may have used up, does not count. */
  readonly proven: ProvenTokens;
  /** Requests without a token. git begins with one each time, before it is asked for its token. */
  readonly anonymous: ClientRates;
}

function createLimits(): Limits {
  return {
    guesses: new ClientRates({ burst: 30, perSecond: 0.2 }),
    proven: new ProvenTokens(),
    anonymous: new ClientRates({ burst: 1200, perSecond: 20 }),
  };
}

export function createHost(env: Env): Host {
  return {
    env,
    packs: createPackHost(env.BUCKET),
    builder: new Builder(env.LOADER, readLimits(env.BUILD_LIMITS)),
    npm: createPackageHost(env),
    tokens: new KnownTokens(env),
    limits: createLimits(),
  };
}
