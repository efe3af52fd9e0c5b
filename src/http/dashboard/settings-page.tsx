// An app's settings, and its end.
import type { Context, Hono } from "hono";
import type { AppAnswer } from "../api/apps.ts";
import type { AuditAnswer } from "../api/audit.ts";
import { ActivityTable } from "./activity.tsx";
import { AppFrame } from "./app-frame.tsx";
import { callApi, cursorQuery, fetchApi, getApi, type Problem } from "./api-client.ts";
import { FormToken } from "./layout.tsx";
import { Command, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import { mayAdminister, type DashboardEnv } from "./session.ts";
import { curl } from "./words.ts";

export function addSettingsPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/settings", async (c) => c.html(await settingsPage(c)));
  pages.post("/apps/:app/settings", async (c) => {
    const base = `/apps/${encodeURIComponent(c.req.param("app"))}`;
    const { deploy, denyNonFastForwards, root = "" } = c.get("form");
    const change = { deploy: deploy === "on", denyNonFastForwards: denyNonFastForwards === "on", root: root.trim() };
    const answer = await callApi(c, "PATCH", base, change);
    if (answer.kind === "ok") return c.redirect(`${base}/settings?done=save`, 303);
    return c.html(await settingsPage(c, answer.problem), 400);
  });
  pages.get("/apps/:app/settings/export", (c) => {
    return fetchApi(c, "GET", `/apps/${encodeURIComponent(c.req.param("app"))}/export`);
  });
  pages.post("/apps/:app/settings/delete", async (c) => {
    const app = c.req.param("app");
    if (c.get("form")["name"] !== app) {
      const detail = `Nothing was deleted: to delete the app, its name has to be typed exactly, ${app}.`;
      return c.html(await settingsPage(c, { status: 400, code: "invalid-request", detail }), 400);
    }
    const answer = await callApi(c, "DELETE", `/apps/${encodeURIComponent(app)}`);
    if (answer.kind === "ok") return c.redirect("/apps", 303);
    return c.html(await settingsPage(c, answer.problem), 409);
  });
  pages.get("/apps/:app/activity", async (c) => {
    const app = c.req.param("app");
    const base = `/apps/${encodeURIComponent(app)}`;
    const page = await getApi<AuditAnswer>(c, `${base}/audit?limit=100${cursorQuery(c.req.query("cursor"))}`);
    return c.html(
      <AppFrame c={c} app={app} section="activity" title="Activity">
        <ActivityTable page={page} path={`${base}/activity`} />
        <FromTerminal text={curl(new URL(c.req.url).origin, { method: "GET", path: `${base}/audit` })} />
      </AppFrame>,
    );
  });
}

async function settingsPage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const described = await getApi<AppAnswer>(c, base);
  const { origin } = new URL(c.req.url);
  return (
    <AppFrame c={c} app={app} section="settings" title="Settings">
      {problem ? <ProblemNotice problem={problem} /> : null}
      {c.req.query("done") === "save" ? (
        <Notice tone="good">
          <p>The settings are saved.</p>
        </Notice>
      ) : null}
      <Command label="Repository" text={described.repository} />
      {mayAdminister(c.get("session")) ? (
        <>
          <SettingsForm c={c} described={described} base={base} />
          <FromTerminal text={curl(origin, { method: "PATCH", path: base, body: { deploy: false } })} />
          <section class="panel" aria-labelledby="export">
            <h3 id="export">Take it with you</h3>
            <p>One archive with the repository, the data as SQL and the configuration without its secrets.</p>
            <p>
              <a href={`${base}/settings/export`} download={`${app}.tar`}>
                Download {app}.tar
              </a>
            </p>
            <FromTerminal text={curl(origin, { method: "GET", path: `${base}/export` })} />
          </section>
          <DeleteForm c={c} app={app} base={base} />
        </>
      ) : (
        <p>Your token may look at this app, and not change its settings.</p>
      )}
    </AppFrame>
  );
}

interface FormProps {
  readonly c: Context<DashboardEnv>;
  readonly base: string;
}

const SettingsForm = ({ c, described, base }: FormProps & { readonly described: AppAnswer }) => (
  <form class="stack" method="post" action={`${base}/settings`}>
    <FormToken session={c.get("session")} />
    <fieldset class="choices">
      <legend>Pushes</legend>
      <label class="choice">
        <input type="checkbox" name="deploy" checked={described.deploy} />
        <span>
          <strong>Deploy what is pushed</strong>
          <span class="fine">Otherwise pushes are stored and nothing goes live.</span>
        </span>
      </label>
      <label class="choice">
        <input type="checkbox" name="denyNonFastForwards" checked={described.denyNonFastForwards} />
        <span>
          <strong>Refuse pushes that take commits away</strong>
          <span class="fine">No forced push rewrites a branch; going back is then done here.</span>
        </span>
      </label>
    </fieldset>
    <label for="root">Folder of the app</label>
    <input
      id="root"
      name="root"
      value={described.root}
      autocomplete="off"
      spellcheck={false}
      aria-describedby="root-hint"
    />
    <p class="fine" id="root-hint">
      In a repository of several apps. Left empty it is found.
    </p>
    <button class="primary" type="submit">
      Save
    </button>
  </form>
);

const DeleteForm = ({ c, app, base }: FormProps & { readonly app: string }) => (
  <section class="panel danger-zone" aria-labelledby="delete">
    <h3 id="delete">Delete {app}</h3>
    <p>
      Its address answers nobody from then on. Code, data, snapshots, history and tokens are kept for a while, a day
      where the host says nothing else, and gone for good after that. This brings it back until then:
    </p>
    <FromTerminal text={curl(new URL(c.req.url).origin, { method: "POST", path: `${base}/undelete` })} />
    <form class="stack" method="post" action={`${base}/settings/delete`}>
      <FormToken session={c.get("session")} />
      <label for="delete-name">
        Type <code>{app}</code> to delete it
      </label>
      <input id="delete-name" name="name" required autocomplete="off" autocapitalize="none" spellcheck={false} />
      <button class="danger" type="submit" data-busy="Deleting …">
        Delete {app}
      </button>
    </form>
    <FromTerminal text={curl(new URL(c.req.url).origin, { method: "DELETE", path: base })} />
  </section>
);
