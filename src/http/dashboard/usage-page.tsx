// What an app used: requests over days, what they cost, what is stored.
import type { Context, Hono } from "hono";
import { sumCounts } from "../../app/usage.ts";
import type { FC } from "hono/jsx";
import type { QuotasAnswer } from "../api/quotas.ts";
import type { UsageAnswer } from "../api/usage.ts";
import { AppFrame } from "./app-frame.tsx";
import { findApi, getApi } from "./api-client.ts";
import { Caps } from "./caps.tsx";
import { BarChart } from "./chart.tsx";
import { Fact, FromTerminal } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";
import { byDay, type UsageTotals } from "./usage-numbers.ts";
import { count, curl, duration, size } from "./words.ts";

const SPANS = [7, 30, 90];
const DEFAULT_SPAN = 30;

/** What of an app is stored, by the API's names. */
const STORED: Readonly<Record<string, string>> = {
  repository: "Repository",
  assets: "Assets",
  snapshots: "Snapshots",
  data: "Data",
  objects: "Objects' data",
  previews: "Previews",
};

export function addUsagePage(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/usage", async (c) => c.html(await usagePage(c)));
}

async function usagePage(c: Context<DashboardEnv>) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}/usage`;
  const days = SPANS.find((span) => String(span) === c.req.query("days")) ?? DEFAULT_SPAN;
  const [answer, quotas] = await Promise.all([
    getApi<UsageAnswer>(c, `${base}?days=${days}`),
    findApi<QuotasAnswer>(c, `/apps/${encodeURIComponent(app)}/quotas`),
  ]);
  const { usage, storedBytes } = answer;
  const perDay = byDay(usage, days, Date.now());
  const total = sumCounts(usage);
  const bars = perDay.map(({ day, requests, errors }) => ({ day, value: requests, bad: errors }));
  return (
    <AppFrame c={c} app={app} section="usage" title="Usage">
      <p class="spans">
        {SPANS.map((span) => (
          <a
            class="button small"
            href={`${base}?days=${span}`}
            {...(span === days ? { "aria-current": "true" as const } : {})}
          >
            {span} days
          </a>
        ))}
      </p>
      <dl class="facts large">
        <Fact label="Requests">{count(total.requests)}</Fact>
        <div class={total.errors > 0 ? "is-bad" : ""}>
          <dt>Errors</dt>
          <dd>{count(total.errors)}</dd>
        </div>
        <Fact label="Time at work">{duration(total.wallMs)}</Fact>
        <Fact label="Deploys">{count(total.deploys)}</Fact>
        {Object.entries(storedBytes).map(([name, bytes]) => (
          <Fact label={STORED[name] ?? name}>{size(bytes)}</Fact>
        ))}
      </dl>
      <h3>Requests per day</h3>
      <BarChart
        bars={bars}
        label={`Requests per day over ${days} days: ${count(total.requests)} in all, ${count(total.errors)} of them errors.`}
      />
      <DayTable perDay={perDay.toReversed()} />
      {quotas === undefined ? null : <Caps quotas={quotas} usage={answer} />}
      <FromTerminal
        text={curl(new URL(c.req.url).origin, { method: "GET", path: `/apps/${app}/usage?days=${days}` })}
      />
    </AppFrame>
  );
}

const DayTable: FC<{ readonly perDay: readonly (UsageTotals & { readonly day: string })[] }> = ({ perDay }) => (
  <details class="terminal">
    <summary>Day by day</summary>
    <div class="scroll" role="region" aria-label="Usage day by day" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Day (UTC)</th>
            <th scope="col" class="number">
              Requests
            </th>
            <th scope="col" class="number">
              Errors
            </th>
            <th scope="col" class="number">
              Time
            </th>
            <th scope="col" class="number">
              CPU
            </th>
            <th scope="col" class="number">
              Calls out
            </th>
            <th scope="col" class="number">
              Log lines
            </th>
            <th scope="col" class="number">
              Deploys
            </th>
          </tr>
        </thead>
        <tbody>
          {perDay.map((row) => (
            <tr>
              <td class="nowrap">{row.day}</td>
              <td class="number">{count(row.requests)}</td>
              <td class="number">{count(row.errors)}</td>
              <td class="number nowrap">{duration(row.wallMs)}</td>
              <td class="number nowrap">{duration(row.cpuMs)}</td>
              <td class="number">{count(row.egressRequests)}</td>
              <td class="number">{count(row.logLines)}</td>
              <td class="number">{count(row.deploys)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </details>
);
