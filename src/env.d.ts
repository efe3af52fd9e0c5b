// The Worker's bindings, as wrangler.jsonc names them. Ambient, so that a file that needs them imports nothing for it.

interface Env {
  readonly SUPERVISOR: DurableObjectNamespace<import("./app/supervisor.ts").Supervisor>;
  readonly DIRECTORY: DurableObjectNamespace<import("./app/directory.ts").Directory>;
  readonly BUCKET: R2Bucket;
  readonly LOADER: WorkerLoader;
  /** The host's own name, without port. Apps answer at <app>.HOST. */
  readonly HOST: string;
  /** Bounds of builds other than the default ones: a table by the names of build/limits.ts. */
  readonly BUILD_LIMITS?: unknown;
  /** Caps for every app, a table of the names in src/app/quota-table.ts. */
  readonly QUOTAS?: unknown;
  /** For how many hours the deletion of an app can be undone; 24 where it is not set. */
  readonly UNDELETE_HOURS?: unknown;
  /** "none" where the runtime measures no CPU time, which a local one does not: then nobody has it tell of every event. */
  readonly CPU_TIMES?: string;
  /** The owner's token. Without it everything but the templates is closed. */
  readonly ADMIN_TOKEN?: string;
  /** A secret: what secrets of apps are sealed with; see app/secret-box.ts. Without it there are none. */
  readonly ENV_KEY?: string;
  /** The npm registry's address, and those of scopes as a JSON object, as scripts/npm-registry.ts reads them from npm. */
  readonly NPM_REGISTRY?: string;
  readonly NPM_SCOPES?: string;
  /** Secrets: the registry's token; or a JSON object of tokens by registry address. */
  readonly NPM_TOKEN?: string;
  readonly NPM_TOKENS?: string;
}

declare namespace Cloudflare {
  interface Env {
    readonly SUPERVISOR: DurableObjectNamespace<import("./app/supervisor.ts").Supervisor>;
    readonly DIRECTORY: DurableObjectNamespace<import("./app/directory.ts").Directory>;
    readonly BUCKET: R2Bucket;
    readonly LOADER: WorkerLoader;
    readonly HOST: string;
    readonly CPU_TIMES?: string;
    readonly ADMIN_TOKEN?: string;
    readonly ENV_KEY?: string;
    readonly NPM_REGISTRY?: string;
    readonly NPM_SCOPES?: string;
    readonly NPM_TOKEN?: string;
    readonly NPM_TOKENS?: string;
  }
}

declare namespace Cloudflare {
  /** Types ctx.exports: the Worker's own entrypoints, which need no binding. */
  interface GlobalProps {
    readonly mainModule: {
      readonly Alarms: typeof import("./app/alarms-entrypoint.ts").Alarms;
      readonly Assets: typeof import("./app/assets-entrypoint.ts").Assets;
      readonly Compactor: typeof import("./compactor.ts").Compactor;
      readonly Objects: typeof import("./app/objects-entrypoint.ts").Objects;
      readonly Logs: typeof import("./app/logs-entrypoint.ts").Logs;
      readonly Egress: typeof import("./app/egress-entrypoint.ts").Egress;
    };
  }
}

declare namespace CloudflareWorkersModule {
  /** Ends the isolate that calls it. The runtime has it; its published types do not. */
  export function abortIsolate(reason?: string): never;
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.bin" {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module "*.txt" {
  const text: string;
  export default text;
}
