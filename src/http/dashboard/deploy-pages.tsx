// An app's first page, the timeline of its deploys, and one deploy with everything that was said of it.
import { createHash } from "node:crypto";
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { AppAnswer } from "../api/apps.ts";
import type { HistoryAnswer } from "../api/deploys.ts";
import { AppFrame } from "./app-frame.tsx";
import { appState, deployState, environmentName, failureReason, tookMs } from "./app-state.ts";
import { cursorQuery, fetchApi, getApi } from "./api-client.ts";
import { followState, htmlOf, type Shown } from "./event-follow.ts";
import { Ago, Badge, Command, CommitId, Empty, Fact, FromTerminal, Notice } from "./parts.tsx";
import { mayPush, type DashboardEnv } from "./session.ts";
import { canGoBack, Timeline } from "./timeline.tsx";
import { curl, duration } from "./words.ts";

const PAGE_SIZE = 30;

/** What just happened, by the word that the action's redirect puts into the address. */
const DONE: Readonly<Record<string, string>> = {
  rollback: "It is live again. The timeline has it as a deploy of its own, so that it can be undone in the same way.",
  redeploy: "It was deployed once more.",
  restore: "The data is back. What it was before is kept as a snapshot.",
};

export function addDeployPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app", async (c) => c.html(await overview(c, c.req.param("app"))));
  pages.get("/apps/:app/deploys/live", (c) => {
    const app = c.req.param("app");
    return followState(async () => (await readTimeline(c, app)).shown, c.req.query("known") ?? "");
  });
  pages.get("/apps/:app/deploys/:number{[0-9]+}", async (c) => c.html(await onePage(c)));
  pages.get("/apps/:app/deploys/:number{[0-9]+}/live", (c) => {
    const path = `/apps/${c.req.param("app")}/deploys/${c.req.param("number")}`;
    return followState(async () => (await readDeploy(c, path)).shown, c.req.query("known") ?? "");
  });
}

async function overview(c: Context<DashboardEnv>, app: string) {
  const cursor = c.req.query("cursor");
  const { deploys, next, shown } = await readTimeline(c, app, cursor);
  const done = DONE[c.req.query("done") ?? ""];
  const url = new URL(c.req.url);
  return (
    <AppFrame c={c} app={app} section="" title="Deploys">
      {done === undefined ? null : (
        <Notice tone="good">
          <p>{done}</p>
        </Notice>
      )}
      <h2 class="visually-hidden">Deploys</h2>
      <div
        id="timeline"
        {...(cursor === undefined ? { "data-follow": `/apps/${app}/deploys/live?known=${shown.key}` } : {})}
      >
        {deploys.length === 0 ? <NothingYet app={app} url={url} /> : timelineOf(c, app, deploys)}
      </div>
      <div class="visually-hidden" id="announce" aria-live="polite"></div>
      {next === undefined ? null : (
        <p>
          <a class="button" href={`/apps/${app}?cursor=${next}`}>
            Older deploys
          </a>
        </p>
      )}
      <FromTerminal
        text={`git clone ${url.protocol}//x:$TOKEN@${url.host}/${app}.git\n${curl(url.origin, { method: "GET", path: `/apps/${app}/deploys` })}`}
      />
    </AppFrame>
  );
}

const NothingYet: FC<{ readonly app: string; readonly url: URL }> = ({ app, url }) => (
  <Empty title="Nothing was deployed yet">
    <p>Push a commit, and watch it arrive here:</p>
    <Command text={`git push ${url.protocol}//x:$TOKEN@${url.host}/${app}.git main`} />
  </Empty>
);

function timelineOf(c: Context<DashboardEnv>, app: string, deploys: readonly HistoryAnswer[]) {
  return <Timeline app={app} deploys={deploys} canPush={mayPush(c.get("session"))} />;
}

async function readTimeline(c: Context<DashboardEnv>, app: string, cursor?: string) {
  const base = `/apps/${encodeURIComponent(app)}`;
  const query = `?limit=${PAGE_SIZE}${cursorQuery(cursor)}`;
  const [page, described] = await Promise.all([
    getApi<{ deploys: HistoryAnswer[]; next?: string }>(c, `${base}/deploys${query}`),
    getApi<AppAnswer>(c, base),
  ]);
  const [newest] = page.deploys;
  const state = appState(described, newest);
  const announce = newest === undefined ? "" : `Deploy ${newest.number}: ${deployState(newest).text}.`;
  const shown: Shown = {
    key: keyOf(page.deploys.map(({ number, state: of, endedAt }) => [number, of, endedAt])),
    parts: {
      timeline: page.deploys.length === 0 ? "" : await htmlOf(timelineOf(c, app, page.deploys)),
      "app-state": await htmlOf(<Badge tone={state.tone} text={state.text} />),
      announce,
    },
  };
  return { ...page, shown };
}

async function onePage(c: Context<DashboardEnv>) {
  const { app = "", number = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const { deploy, shown, log } = await readDeploy(c, `${base}/deploys/${number}`);
  const origin = new URL(c.req.url).origin;
  return (
    <AppFrame c={c} app={app} section="" title={`Deploy ${number}`}>
      <p class="back">
        <a href={base}>All deploys</a>
      </p>
      <h2 class="section-title">
        #{deploy.number} {deploy.subject ?? "No commit was read"}
      </h2>
      <div
        id="deploy"
        {...(isOver(deploy) ? {} : { "data-follow": `${base}/deploys/${number}/live?known=${shown.key}` })}
      >
        <DeployFacts deploy={deploy} />
      </div>
      {mayPush(c.get("session")) && canGoBack(deploy) ? (
        <p>
          <a class="button" href={`${base}/rollback/${deploy.number}`}>
            Go back to this deploy …
          </a>
        </p>
      ) : null}
      <h3 id="log-title">Log</h3>
      <pre class="log" id="log" role="log" aria-labelledby="log-title" tabindex={0}>
        {log}
      </pre>
      <FromTerminal text={curl(origin, { method: "GET", path: `/apps/${app}/deploys/${number}/log` })} />
    </AppFrame>
  );
}

async function readDeploy(c: Context<DashboardEnv>, path: string) {
  const deploy = await getApi<HistoryAnswer>(c, path);
  const log = await (await fetchApi(c, "GET", `${path}/log`)).text();
  const shown: Shown = {
    key: keyOf([deploy.state, deploy.endedAt, log.length]),
    parts: { deploy: await htmlOf(<DeployFacts deploy={deploy} />), log: await htmlOf(<>{log}</>) },
  };
  return { deploy, log, shown };
}

function isOver(deploy: HistoryAnswer): boolean {
  return deploy.endedAt !== null || deploy.state === "interrupted";
}

function keyOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}

const DeployFacts: FC<{ readonly deploy: HistoryAnswer }> = ({ deploy }) => {
  const state = deployState(deploy);
  const took = tookMs(deploy);
  return (
    <>
      {deploy.failure === null ? null : (
        <Notice tone="bad">
          <p>
            <strong>{deploy.failure.stage}</strong> {failureReason(deploy.failure)}
          </p>
          <p class="fine">
            <code>{deploy.failure.code}</code> Nothing that visitors see was changed.
          </p>
        </Notice>
      )}
      <dl class="facts">
        <Fact label="State">
          <Badge tone={state.tone} text={state.text} />
        </Fact>
        <Fact label="Commit">
          <CommitId id={deploy.commit} />
        </Fact>
        <Fact label="Branch">{deploy.ref.replace("refs/heads/", "")}</Fact>
        <Fact label="Where">{environmentName(deploy.environment)}</Fact>
        <Fact label="By">{deploy.actor}</Fact>
        <Fact label="When">
          <Ago at={deploy.createdAt} />
        </Fact>
        <Fact label="Took">{took === undefined ? "–" : duration(took)}</Fact>
      </dl>
      <Stages stages={readStages(deploy.facts["stagesMs"])} />
    </>
  );
};

/** Where the time went. */
const Stages: FC<{ readonly stages: readonly (readonly [string, number])[] }> = ({ stages }) => {
  if (stages.length === 0) return null;
  return (
    <ul class="stages" aria-label="How long each stage took">
      {stages.map(([name, ms]) => (
        <li>
          {name.replace("cutOver", "cut over")} <strong>{duration(ms)}</strong>
        </li>
      ))}
    </ul>
  );
};

function readStages(stages: unknown): readonly (readonly [string, number])[] {
  if (typeof stages !== "object" || stages === null) return [];
  return Object.entries(stages).flatMap(([name, ms]) => (typeof ms === "number" ? [[name, ms] as const] : []));
}
