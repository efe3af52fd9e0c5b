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

export const Caps: FC<{ readonly quotas: QuotasAnswer; readonly repositoryBytes: number }> = ({
  quotas,
  repositoryBytes,
}) => (
  <section aria-labelledby="caps">
    <h3 id="caps">Caps</h3>
    <div class="meter">
      <p class="meter-head">
        <span id="cap-repository">Repository</span>
        <span>
          {size(repositoryBytes)} of {size(quotas.repositoryBytes)}
        </span>
      </p>
      <meter
        aria-labelledby="cap-repository"
        min={0}
        max={Math.max(1, quotas.repositoryBytes)}
        high={quotas.repositoryBytes * 0.8}
        value={String(repositoryBytes)}
      ></meter>
    </div>
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
