// What an app may take, and how near it is to that, where that can be told.
import type { FC } from "hono/jsx";
import type { QuotasAnswer } from "../api/quotas.ts";
import type { UsageAnswer } from "../api/usage.ts";
import { count, size } from "./words.ts";

const RATES: readonly (readonly [keyof QuotasAnswer, string, (value: number) => string])[] = [
  ["requestsPerMinute", "Requests", (value) => `${count(value)} a minute`],
  ["cpuMsPerRequest", "CPU for a request", (value) => `${count(value)} ms`],
  ["egressRequestsPerMinute", "Calls out", (value) => `${count(value)} a minute`],
  ["logLinesPerSecond", "Log lines", (value) => `${count(value)} a second`],
];

/** Caps on what is there now, with how much that is. */
const STORES: readonly {
  readonly quota: keyof QuotasAnswer;
  readonly label: string;
  readonly used: (usage: UsageAnswer) => number;
  readonly say: (value: number) => string;
}[] = [
  { quota: "repositoryBytes", label: "Repository", used: ({ storedBytes }) => storedBytes.repository, say: size },
  {
    quota: "databaseBytes",
    label: "Data, with that of objects",
    used: ({ storedBytes: { data, objects } }) => data + objects,
    say: size,
  },
  { quota: "snapshotBytes", label: "Snapshots", used: ({ storedBytes }) => storedBytes.snapshots, say: size },
  { quota: "assetBytes", label: "Assets of what is live", used: ({ storedBytes }) => storedBytes.assets, say: size },
  { quota: "objects", label: "Named objects", used: ({ objects }) => objects, say: count },
];

export const Caps: FC<{ readonly quotas: QuotasAnswer; readonly usage: UsageAnswer }> = ({ quotas, usage }) => (
  <section aria-labelledby="caps">
    <h3 id="caps">Caps</h3>
    {STORES.map(({ quota, label, used, say }) => (
      <div class="meter">
        <p class="meter-head">
          <span id={`cap-${quota}`}>{label}</span>
          <span>
            {say(used(usage))} of {say(quotas[quota])}
          </span>
        </p>
        <meter
          aria-labelledby={`cap-${quota}`}
          min={0}
          max={Math.max(1, quotas[quota])}
          high={quotas[quota] * 0.8}
          value={String(used(usage))}
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
