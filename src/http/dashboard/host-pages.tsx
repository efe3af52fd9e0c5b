// The pages that are about no one app: all apps, the host's tokens, who did what.
import { Hono } from "hono";
import type { AuditAnswer } from "../api/audit.ts";
import { callApi, cursorQuery, getApi } from "./api-client.ts";
import { ActivityTable } from "./activity.tsx";
import { AppsPage, readApps } from "./apps.tsx";
import { Page } from "./layout.tsx";
import type { DashboardEnv } from "./session.ts";
import { addTokenRoutes } from "./tokens.tsx";

export const hostPages = new Hono<DashboardEnv>();

hostPages.get("/apps", async (c) => {
  const list = await readApps(c, c.req.query("cursor"));
  return c.html(<AppsPage c={c} list={list} />);
});

hostPages.post("/apps", async (c) => {
  const { name = "", template = "" } = c.get("form");
  const answer = await callApi(c, "POST", "/apps", { name: name.trim(), ...(template === "" ? {} : { template }) });
  if (answer.kind === "ok") return c.redirect(`/apps/${encodeURIComponent(name.trim())}`, 303);
  const list = await readApps(c, undefined);
  return c.html(<AppsPage c={c} list={list} refused={{ ...answer.problem, name, template }} />, 400);
});

hostPages.get("/activity", async (c) => {
  const page = await getApi<AuditAnswer>(c, `/audit?limit=100${cursorQuery(c.req.query("cursor"))}`);
  return c.html(
    <Page title="Activity" session={c.get("session")} section="activity">
      <h1>Activity</h1>
      <p class="lead">Who did what on this host in the last 90 days.</p>
      <ActivityTable page={page} path="/activity" />
    </Page>,
  );
});

addTokenRoutes(hostPages, "/tokens");
