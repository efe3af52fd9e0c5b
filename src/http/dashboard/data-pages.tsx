// The copies of an app's data that are kept, and putting one of them back.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { SnapshotAnswer } from "../api/snapshots.ts";
import { AppFrame } from "./app-frame.tsx";
import { callApi, getApi, MOST, type Problem } from "./api-client.ts";
import { FormToken } from "./layout.tsx";
import { Ago, Confirm, Empty, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import { mayAdminister, mayPush, type DashboardEnv, type Session } from "./session.ts";
import { curl, size } from "./words.ts";

const DONE: Readonly<Record<string, string>> = {
  take: "The data as it is now is kept, until the snapshot is deleted.",
  delete: "The snapshot is gone.",
};

export function addDataPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/data", async (c) => c.html(await dataPage(c)));
  pages.post("/apps/:app/data", async (c) => {
    const app = `/apps/${encodeURIComponent(c.req.param("app"))}`;
    const { action = "", id = "" } = c.get("form");
    const answer =
      action === "delete"
        ? await callApi(c, "DELETE", `${app}/snapshots/${encodeURIComponent(id)}`)
        : await callApi(c, "POST", `${app}/snapshots`);
    if (answer.kind === "ok") return c.redirect(`${app}/data?done=${action === "delete" ? "delete" : "take"}`, 303);
    return c.html(await dataPage(c, answer.problem), 409);
  });
  pages.get("/apps/:app/data/restore/:id{[0-9]+}", async (c) => c.html(await restorePage(c)));
  pages.post("/apps/:app/data/restore/:id{[0-9]+}", async (c) => {
    const { app, id } = c.req.param();
    const answer = await callApi(c, "POST", `/apps/${encodeURIComponent(app)}/snapshots/${id}/restore`);
    if (answer.kind === "ok") return c.redirect(`/apps/${encodeURIComponent(app)}?done=restore`, 303);
    return c.html(await restorePage(c, answer.problem), 409);
  });
}

async function dataPage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const { snapshots } = await getApi<{ snapshots: SnapshotAnswer[] }>(c, `${base}/snapshots?limit=${MOST}`);
  const done = DONE[c.req.query("done") ?? ""];
  const session = c.get("session");
  const { origin } = new URL(c.req.url);
  return (
    <AppFrame c={c} app={app} section="data" title="Snapshots">
      {problem ? <ProblemNotice problem={problem} /> : null}
      {done === undefined ? null : (
        <Notice tone="good">
          <p>{done}</p>
        </Notice>
      )}
      <p class="lead">
        Copies of production's data. Each deploy takes one just before its code starts; those go when they are over the
        limits. One that was taken by hand stays.
      </p>
      {mayPush(session) ? (
        <form method="post" action={`${base}/data`}>
          <FormToken session={session} />
          <p class="actions">
            <button name="action" value="take" data-busy="Copying …">
              Take one now
            </button>
          </p>
        </form>
      ) : null}
      <SnapshotTable base={base} snapshots={snapshots} session={session} />
      <FromTerminal text={curl(origin, { method: "POST", path: `${base}/snapshots` })} />
    </AppFrame>
  );
}

const SnapshotTable: FC<{
  readonly base: string;
  readonly snapshots: readonly SnapshotAnswer[];
  readonly session: Session;
}> = ({ base, snapshots, session }) => {
  if (snapshots.length === 0) return <Empty title="No snapshots yet" />;
  return (
    <div class="scroll" role="region" aria-label="Snapshots" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Snapshot</th>
            <th scope="col">Taken</th>
            <th scope="col">Data of</th>
            <th scope="col">Why</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">
              <span class="visually-hidden">What to do with it</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {snapshots.map((snapshot) => (
            <tr>
              <td>{snapshot.id}</td>
              <td class="nowrap">
                <Ago at={snapshot.takenAt} />
              </td>
              <td>
                <a href={`${base}/deploys/${snapshot.deploy}`}>#{snapshot.deploy}</a>
              </td>
              <td>{snapshot.reason}</td>
              <td class="number nowrap">{snapshot.bytes === null ? "–" : size(snapshot.bytes)}</td>
              <td>
                <div class="row-actions">
                  {mayPush(session) ? (
                    <a
                      class="button small"
                      href={`${base}/data/restore/${snapshot.id}`}
                      aria-label={`Restore snapshot ${snapshot.id}`}
                    >
                      Restore …
                    </a>
                  ) : null}
                  {mayAdminister(session) ? (
                    <Confirm label="Delete …" name={`Delete snapshot ${snapshot.id}`}>
                      <form method="post" action={`${base}/data`}>
                        <FormToken session={session} />
                        <input type="hidden" name="id" value={String(snapshot.id)} />
                        <p>This copy of the data is gone for good.</p>
                        <button class="danger" name="action" value="delete">
                          Delete snapshot {snapshot.id}
                        </button>
                      </form>
                    </Confirm>
                  ) : null}
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

async function restorePage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "", id = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const { snapshots } = await getApi<{ snapshots: SnapshotAnswer[] }>(c, `${base}/snapshots?limit=${MOST}`);
  const snapshot = snapshots.find((kept) => String(kept.id) === id);
  return (
    <AppFrame c={c} app={app} section="data" title={`Restore snapshot ${id}`}>
      <p class="back">
        <a href={`${base}/data`}>All snapshots</a>
      </p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {snapshot === undefined ? (
        <p>Snapshot {id} is not kept any more.</p>
      ) : (
        <>
          <h3>What will happen</h3>
          <ul class="plain">
            <li>
              The app's data becomes what it was <Ago at={snapshot.takenAt} />, when #{snapshot.deploy} ran.
            </li>
            <li>What was written since then is no longer in the app. It is kept as a snapshot of its own.</li>
            <li>
              The code stays: what is live is started again on the older data, after it was tried on a copy of it.
            </li>
          </ul>
          <form method="post" action={`${base}/data/restore/${id}`}>
            <FormToken session={c.get("session")} />
            <p class="actions">
              <button class="primary" type="submit" data-busy="Restoring …">
                Restore snapshot {id}
              </button>
              <a class="button" href={`${base}/data`}>
                Cancel
              </a>
            </p>
          </form>
        </>
      )}
      <FromTerminal
        text={curl(new URL(c.req.url).origin, { method: "POST", path: `${base}/snapshots/${id}/restore` })}
      />
    </AppFrame>
  );
}
