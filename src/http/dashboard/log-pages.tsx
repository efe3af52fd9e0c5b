// An app's log: what it said and threw, and who asked for what, filtered, and going on by itself where the script runs.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import { LOG_KINDS, LOG_LEVELS } from "../../app/log-line.ts";
import { PRODUCTION_FACET, previewFacet } from "../../app/environment.ts";
import type { LogLineAnswer } from "../api/logs.ts";
import type { PreviewAnswer } from "../api/previews.ts";
import { AppFrame } from "./app-frame.tsx";
import { fetchApi, findApi, getApi, MOST } from "./api-client.ts";
import { environmentName } from "./app-state.ts";
import { FromTerminal } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";
import { curl } from "./words.ts";

const PAGE_SIZE = 200;

/** What can be asked for, by the names of the API's query. */
const FILTERS = ["level", "kind", "deploy", "environment", "text"] as const;

type Filters = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

const KIND_NAMES: Readonly<Record<(typeof LOG_KINDS)[number], string>> = {
  console: "console",
  exception: "exceptions",
  request: "requests",
  egress: "egress",
  alarm: "alarms and cron triggers",
  host: "host",
};

export function addLogPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/logs", async (c) => c.html(await logsPage(c)));
  pages.get("/apps/:app/logs/stream", (c) => {
    const query = queryOf(readFilters(c), { follow: "1", after: c.req.query("after") ?? "0" });
    const lastEventId = c.req.header("last-event-id");
    const headers = {
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    };
    return fetchApi(c, "GET", `/apps/${encodeURIComponent(c.req.param("app"))}/logs?${query}`, { headers });
  });
}

function readFilters(c: Context<DashboardEnv>): Filters {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = c.req.query(name)?.trim() ?? "";
      return value === "" ? [] : [[name, value]];
    }),
  );
}

function queryOf(filters: Filters, more: Readonly<Record<string, string>>): string {
  return new URLSearchParams({ ...filters, ...more }).toString();
}

interface LogAnswer {
  readonly lines: readonly LogLineAnswer[];
  readonly last: number;
  readonly next?: string;
}

async function logsPage(c: Context<DashboardEnv>) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}/logs`;
  const filters = readFilters(c);
  const cursor = c.req.query("cursor");
  const query = queryOf(filters, { limit: String(PAGE_SIZE), ...(cursor === undefined ? {} : { cursor }) });
  const [{ lines, last, next }, listed] = await Promise.all([
    getApi<LogAnswer>(c, `${base}?${query}`),
    findApi<{ previews: PreviewAnswer[] }>(c, `/apps/${encodeURIComponent(app)}/previews?limit=${MOST}`),
  ]);
  const previews = (listed?.previews ?? []).map(({ slug }) => previewFacet(slug));
  const isFollowing = cursor === undefined;
  return (
    <AppFrame c={c} app={app} section="logs" title="Logs">
      <FilterForm path={base} filters={filters} previews={previews} />
      <div class="heading log-head">
        {isFollowing ? (
          <span class="fine" id="log-state" role="status">
            The newest lines. Load the page again for more.
          </span>
        ) : (
          <a href={`${base}?${queryOf(filters, {})}`}>Newest lines</a>
        )}
        <button class="small" id="log-pause" type="button" hidden>
          Pause
        </button>
        {next === undefined ? null : <a href={`${base}?${queryOf(filters, { cursor: next })}`}>Older lines</a>}
      </div>
      {lines.length === 0 ? (
        <p class="fine" id="log-empty">
          Nothing yet. What the app writes with console, what it throws and each request that it answers appears here.
        </p>
      ) : null}
      <div
        class="log log-lines"
        id="log-lines"
        role="log"
        aria-label="Log"
        tabindex={0}
        {...(isFollowing ? { "data-stream": `${base}/stream?${queryOf(filters, { after: String(last) })}` } : {})}
      >
        {lines.map((line) => (
          <Line line={line} />
        ))}
      </div>
      <FromTerminal
        text={curl(new URL(c.req.url).origin, {
          method: "GET",
          path: `/apps/${app}/logs?${queryOf(filters, { follow: "1" })}`,
        })}
      />
    </AppFrame>
  );
}

/** As the script makes those that come later. */
const Line: FC<{ readonly line: LogLineAnswer }> = ({ line }) => (
  <div class={`log-line ${line.level}`}>
    <time datetime={line.at}>{line.at.slice(11, 23)}</time>
    <span>
      <span class="meta">
        #{line.deploy} {line.kind === "console" ? line.level : line.kind}{" "}
        {line.environment === "app" ? "" : `${environmentName(line.environment)} `}
      </span>
      <span class="text">{line.text}</span>
    </span>
  </div>
);

interface FilterFormProps {
  readonly path: string;
  readonly filters: Filters;
  /** The environments that the app has beside production. */
  readonly previews: readonly string[];
}

const FilterForm: FC<FilterFormProps> = ({ path, filters, previews }) => (
  <form class="filters" method="get" action={path} role="search" aria-label="Filter the log">
    <div>
      <label for="text">Text</label>
      <input id="text" name="text" type="search" maxlength={200} value={filters.text ?? ""} />
    </div>
    <div>
      <label for="level">Level</label>
      <select id="level" name="level">
        <option value="">all</option>
        {LOG_LEVELS.slice(1).map((level) => (
          <option value={level} selected={filters.level === level}>
            {level === "error" ? "error" : `${level} and above`}
          </option>
        ))}
      </select>
    </div>
    <div>
      <label for="kind">Of</label>
      <select id="kind" name="kind">
        <option value="">everything</option>
        {LOG_KINDS.map((kind) => (
          <option value={kind} selected={filters.kind === kind}>
            {KIND_NAMES[kind]}
          </option>
        ))}
      </select>
    </div>
    <div>
      <label for="environment">Environment</label>
      <select id="environment" name="environment">
        <option value="">all</option>
        {[...new Set([PRODUCTION_FACET, ...previews, filters.environment ?? PRODUCTION_FACET])].map((environment) => (
          <option value={environment} selected={filters.environment === environment}>
            {environmentName(environment)}
          </option>
        ))}
      </select>
    </div>
    <div>
      <label for="deploy">Deploy</label>
      <input id="deploy" name="deploy" inputmode="numeric" pattern="[0-9]*" value={filters.deploy ?? ""} />
    </div>
    <button type="submit">Filter</button>
  </form>
);
