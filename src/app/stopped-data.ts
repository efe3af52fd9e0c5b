// Opening a database that no app runs on: by the host's own class, in its facet.
import type { DataReader } from "./data-reader.ts";
import reader from "./data-reader.generated.json" with { type: "json" };
import type { HostedApp } from "./hosted-app.ts";

/** One call. The facet must not be running an app, nor begin to before this returns. */
export async function readStopped<T>(
  app: HostedApp,
  facet: string,
  call: (stub: Fetcher<DataReader>) => Promise<T>,
): Promise<T> {
  const { facets } = app.ctx;
  // One isolate for all apps: it holds nothing of theirs between two calls.
  const worker = app.env.LOADER.get(`slipway-data-reader/${reader.version}`, readerCode);
  facets.abort(facet, new Error("This facet's data is read."));
  try {
    return await call(
      facets.get<DataReader>(facet, () => ({ class: worker.getDurableObjectClass<DataReader>("DataReader") })),
    );
  } finally {
    facets.abort(facet, new Error("This facet's data was read."));
  }
}

/** The isolate that the class runs in. */
export function readerCode(): WorkerLoaderWorkerCode {
  return {
    compatibilityDate: "2026-11-02",
    compatibilityFlags: ["nodejs_compat"],
    mainModule: "data-reader.js",
    modules: { "data-reader.js": reader.dataReader },
    globalOutbound: null,
  };
}
