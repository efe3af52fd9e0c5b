// Caps on what an app may take: one table for the API, the agents' page and the places that enforce them.

/** Every cap, with its unit in its name. */
export interface Quotas {
  readonly requestsPerMinute: number;
  readonly cpuMsPerRequest: number;
  readonly egressRequestsPerMinute: number;
  readonly logLinesPerSecond: number;
  readonly repositoryBytes: number;
  readonly assetBytes: number;
  readonly objects: number;
  readonly databaseBytes: number;
  readonly snapshotBytes: number;
}

/** What a cap is of, and what it is where nobody set it. */
export const QUOTAS: Readonly<Record<keyof Quotas, { readonly value: number; readonly meaning: string }>> = {
  requestsPerMinute: { value: 60_000, meaning: "Requests of visitors; the rest is answered 429." },
  cpuMsPerRequest: {
    value: 30_000,
    meaning: "CPU time of one request, from the app's next start on. A local host cannot enforce it.",
  },
  egressRequestsPerMinute: { value: 600, meaning: "Requests of the app to other hosts; the rest is refused." },
  logLinesPerSecond: {
    value: 200,
    meaning: "Lines of the app's log, over ten seconds; the rest is dropped and counted.",
  },
  repositoryBytes: { value: 2_000_000_000, meaning: "Packs of the app's repository; a push beyond it is refused." },
  assetBytes: { value: 1_000_000_000, meaning: "Static assets of one deploy; a push beyond it is refused." },
  objects: { value: 10_000, meaning: "Named Durable Objects of one environment; no new one is made beyond it." },
  databaseBytes: {
    value: 1_000_000_000,
    meaning:
      "Data of one environment, its objects included, as the app's isolate tells it. Beyond it requests that may add to it are " +
      "answered 507; a tenth beyond it the environment is stopped until a deploy, SQL or a higher cap helps.",
  },
  snapshotBytes: {
    value: 3_000_000_000,
    meaning:
      "All snapshots together: those of deploys go earlier, but for the newest, and none is made by hand beyond it.",
  },
};
