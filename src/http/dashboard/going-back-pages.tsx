// Rolling back and redeploying: first a page that says what will happen, then one button that does it.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { AppAnswer } from "../api/apps.ts";
import type { HistoryAnswer } from "../api/deploys.ts";
import type { SnapshotAnswer } from "../api/snapshots.ts";
import { AppFrame } from "./app-frame.tsx";
import { callApi, getApi, MOST, type Problem } from "./api-client.ts";
import { FormToken } from "./layout.tsx";
import { Ago, CommitId, FromTerminal, ProblemNotice } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";
import { curl, plural, size } from "./words.ts";

/** So many later deploys are named. */
const MAX_NAMED = 20;

export function addGoingBackPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/rollback/:number{[0-9]+}", async (c) => c.html(await rollbackPage(c)));
  pages.post("/apps/:app/rollback/:number{[0-9]+}", async (c) => {
    const { app, number } = c.req.param();
    const body = { deploy: Number(number), data: c.get("form")["data"] === "deploy" };
    const answer = await callApi(c, "POST", `/apps/${app}/rollback`, body);
    if (answer.kind === "ok") return c.redirect(`/apps/${app}?done=rollback`, 303);
    return c.html(await rollbackPage(c, answer.problem), 409);
  });
  pages.get("/apps/:app/redeploy", async (c) => c.html(await redeployPage(c)));
  pages.post("/apps/:app/redeploy", async (c) => {
    const app = c.req.param("app");
    const answer = await callApi(c, "POST", `/apps/${app}/redeploy`);
    if (answer.kind === "ok") return c.redirect(`/apps/${app}?done=redeploy`, 303);
    return c.html(await redeployPage(c, answer.problem), 409);
  });
}

async function rollbackPage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "", number = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const [described, target, { snapshots }, history] = await Promise.all([
    getApi<AppAnswer>(c, base),
    getApi<HistoryAnswer>(c, `${base}/deploys/${number}`),
    getApi<{ snapshots: SnapshotAnswer[] }>(c, `${base}/snapshots?limit=${MOST}`),
    getApi<{ deploys: HistoryAnswer[] }>(c, `${base}/deploys?limit=200`),
  ]);
  const later = history.deploys.filter(
    (deploy) => deploy.number > target.number && deploy.environment === "app" && deploy.failure === null,
  );
  const origin = new URL(c.req.url).origin;
  return (
    <AppFrame c={c} app={app} section="" title={`Go back to #${number}`}>
      <p class="back">
        <a href={base}>All deploys</a>
      </p>
      <h2 class="section-title">Go back to #{number}?</h2>
      {problem ? <ProblemNotice problem={problem} /> : null}
      <FromTo live={described.live} target={target} />
      <h3>What will happen</h3>
      <ul class="plain">
        <li>Nothing is built: the code of #{number} is kept, and is started on a copy of the data first.</li>
        <li>Visitors are held for a moment while it takes over. If it does not start, what is live stays live.</li>
        <li>
          The production branch moves to <CommitId id={target.commit} />, so that a clone has what runs.
        </li>
        <li>A snapshot of the present data is taken, and all this can be undone in the same way.</li>
      </ul>
      <Undone app={app} later={later} />
      <form class="stack wide" method="post" action={`${base}/rollback/${number}`}>
        <FormToken session={c.get("session")} />
        <DataChoice snapshot={newestOf(snapshots, target.number)} number={number} />
        <p class="actions">
          <button class="primary" type="submit" data-busy="Going back …">
            Go back to #{number}
          </button>
          <a class="button" href={base}>
            Cancel
          </a>
        </p>
      </form>
      <FromTerminal
        text={curl(origin, {
          method: "POST",
          path: `/apps/${app}/rollback`,
          body: { deploy: Number(number), data: false },
        })}
      />
    </AppFrame>
  );
}

function newestOf(snapshots: readonly SnapshotAnswer[], deploy: number): SnapshotAnswer | undefined {
  return snapshots.find((snapshot) => snapshot.deploy === deploy);
}

interface SideProps {
  readonly deploy: Pick<HistoryAnswer, "number" | "subject" | "commit" | "createdAt">;
}

const Side: FC<SideProps> = ({ deploy }) => (
  <p>
    <strong>#{deploy.number}</strong> {deploy.subject}
    <br />
    <span class="fine">
      <CommitId id={deploy.commit} /> <Ago at={deploy.createdAt} />
    </span>
  </p>
);

const FromTo: FC<{ readonly live: AppAnswer["live"]; readonly target: HistoryAnswer }> = ({ live, target }) => (
  <div class="from-to">
    <div>
      <h3>Live now</h3>
      {live === null ? <p>Nothing.</p> : <Side deploy={live} />}
    </div>
    <div class="arrow" aria-hidden="true">
      →
    </div>
    <div>
      <h3>Live after</h3>
      <Side deploy={target} />
    </div>
  </div>
);

const Undone: FC<{ readonly app: string; readonly later: readonly HistoryAnswer[] }> = ({ app, later }) => {
  if (later.length === 0) return null;
  return (
    <details class="terminal">
      <summary>{plural(later.length, "later deploy")} will no longer be what runs</summary>
      <ul class="plain">
        {later.slice(0, MAX_NAMED).map((deploy) => (
          <li>
            <a href={`/apps/${app}/deploys/${deploy.number}`}>#{deploy.number}</a> {deploy.subject ?? ""}
          </li>
        ))}
      </ul>
      {later.length > MAX_NAMED ? <p>and {later.length - MAX_NAMED} more.</p> : null}
    </details>
  );
};

const DataChoice: FC<{ readonly snapshot: SnapshotAnswer | undefined; readonly number: string }> = ({
  snapshot,
  number,
}) => (
  <fieldset class="choices">
    <legend>Which data</legend>
    <label class="choice">
      <input type="radio" name="data" value="present" checked />
      <span>
        <strong>Keep the data as it is now</strong>
        <span class="fine">Only the code goes back. Everything that visitors wrote stays.</span>
      </span>
    </label>
    <label class={`choice ${snapshot === undefined ? "is-off" : ""}`}>
      <input type="radio" name="data" value="deploy" disabled={snapshot === undefined} />
      <span>
        <strong>Bring back the data of #{number}</strong>
        <span class="fine">
          {snapshot === undefined ? (
            `No snapshot of the data of #${number} is kept.`
          ) : (
            <>
              Snapshot {snapshot.id}, taken <Ago at={snapshot.takenAt} />
              {snapshot.bytes === null ? "" : `, ${size(snapshot.bytes)}`}. What was written since then is no longer in
              the app; it is kept as a snapshot.
            </>
          )}
        </span>
      </span>
    </label>
  </fieldset>
);

async function redeployPage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const { live } = await getApi<AppAnswer>(c, base);
  return (
    <AppFrame c={c} app={app} section="" title="Redeploy">
      <p class="back">
        <a href={base}>All deploys</a>
      </p>
      <h2 class="section-title">Redeploy what is live?</h2>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {live === null ? (
        <p>Nothing is live yet.</p>
      ) : (
        <>
          <p>
            <strong>#{live.number}</strong> {live.subject} <CommitId id={live.commit} /> is started once more, on the
            data as it is now. What the app keeps in memory is gone; open WebSockets are closed and may connect again.
          </p>
          <form method="post" action={`${base}/redeploy`}>
            <FormToken session={c.get("session")} />
            <p class="actions">
              <button class="primary" type="submit" data-busy="Redeploying …">
                Redeploy
              </button>
              <a class="button" href={base}>
                Cancel
              </a>
            </p>
          </form>
        </>
      )}
      <FromTerminal text={curl(new URL(c.req.url).origin, { method: "POST", path: `/apps/${app}/redeploy` })} />
    </AppFrame>
  );
}
