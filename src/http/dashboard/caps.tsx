// What an app may take, and how near it is to that, where that can be told.
import type { FC } from "hono/jsx";
import type { QuotasAnswer } from "../api/quotas.ts";
import { count, size } from "./words.ts";

const RATES: readonly (readonly [keyof QuotasAnswer, string, (value: number) => string])[] = [
  ["requestsPerMinute", "Requests", (value) => `${count(value)} a minute`],
  ["cpuMsPerRequest", "CPU for a request", (value) => `${count(value)} ms`],
  ["egressRequestsPerMinute", "Calls out", (value) => `${count(value)} a minute`],
  ["logLinesPerSecond", "Log lines", (value) => `${count(value)} a second`],
  ["assetBytes", "Assets of a deploy", size],
];

/** What of an app is stored, by the names of the API, and the cap on it. */
const STORED: readonly (readonly [name: string, quota: keyof QuotasAnswer, label: string])[] = [
  ["repository", "repositoryBytes", "Repository"],
  ["data", "databaseBytes", "Data"],
  ["snapshots", "snapshotBytes", "Snapshots"],
];

export const Caps: FC<{
  readonly quotas: QuotasAnswer;
  readonly storedBytes: Readonly<Record<string, number>>;
}> = ({ quotas, storedBytes }) => (
  <section aria-labelledby="caps">
    <h3 id="caps">Caps</h3>
    {STORED.map(([name, quota, label]) => (
      <div class="meter">
        <p class="meter-head">
          <span id={`cap-${name}`}>{label}</span>
          <span>
            {size(storedBytes[name] ?? 0)} of {size(quotas[quota])}
          </span>
        </p>
        <meter
          aria-labelledby={`cap-${name}`}
          min={0}
          max={Math.max(1, quotas[quota])}
          high={quotas[quota] * 0.8}
          value={String(storedBytes[name] ?? 0)}
        ></meter>
      </div>
    ))}
    <dl class="facts">
      {RATES.map(([name, label, say]) => (
        <div>
          <dt>{label}</dt>
          <dd>{say(quotas[name])}</dd>
        </div>
      ))}
    </dl>
  </section>
);
