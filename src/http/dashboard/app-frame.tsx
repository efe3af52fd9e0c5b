// The frame of every page about one app: its name, state and address, and the way to its other pages.
import type { Context } from "hono";
import type { FC, PropsWithChildren } from "hono/jsx";
import type { AppAnswer } from "../api/apps.ts";
import type { HistoryAnswer } from "../api/deploys.ts";
import { findApi, getApi, hasRoute } from "./api-client.ts";
import { appState } from "./app-state.ts";
import { NavLink, Page } from "./layout.tsx";
import { Badge } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";

interface Section {
  readonly name: string;
  readonly label: string;
  /** What the page reads. A page whose part of the API this host does not have is not offered. */
  readonly reads: string;
  /** Whom the API shows it to; without it whoever may read the app. */
  readonly access?: "admin";
}

const SECTIONS: readonly Section[] = [
  { name: "", label: "Deploys", reads: "/apps/:app/deploys" },
  { name: "logs", label: "Logs", reads: "/apps/:app/logs" },
  { name: "usage", label: "Usage", reads: "/apps/:app/usage" },
  { name: "sql", label: "SQL", reads: "/apps/:app/tables" },
  { name: "data", label: "Snapshots", reads: "/apps/:app/snapshots" },
  { name: "files", label: "Files", reads: "/apps/:app/deploys/:number/files" },
  { name: "previews", label: "Previews", reads: "/apps/:app/previews" },
  { name: "environment", label: "Environment", reads: "/apps/:app/env" },
  { name: "egress", label: "Egress", reads: "/apps/:app/egress" },
  { name: "tokens", label: "Tokens", reads: "/apps/:app/tokens", access: "admin" },
  { name: "activity", label: "Activity", reads: "/apps/:app/audit", access: "admin" },
  { name: "settings", label: "Settings", reads: "/apps/:app" },
];

interface AppFrameProps {
  readonly c: Context<DashboardEnv>;
  readonly app: string;
  /** The name of the page's section; "" is the first. */
  readonly section: string;
  readonly title: string;
}

/** @throws HostingError "not-found" where there is no such app */
export const AppFrame = async ({ c, app, section, title, children }: PropsWithChildren<AppFrameProps>) => {
  const base = `/apps/${encodeURIComponent(app)}`;
  const [shown, history] = await Promise.all([
    getApi<AppAnswer>(c, base),
    findApi<{ deploys: HistoryAnswer[] }>(c, `${base}/deploys?limit=1`),
  ]);
  const state = appState(shown, history?.deploys[0]);
  const { scope } = c.get("session").caller;
  const isAdmin = scope.kind === "host" || scope.access === "admin";
  const sections = SECTIONS.filter(({ reads, access }) => hasRoute("GET", reads) && (access === undefined || isAdmin));
  return (
    <Page title={`${title} · ${shown.name}`} session={c.get("session")} section="apps">
      <div class="app-head">
        <div class="heading">
          <h1>
            <a class="up" href="/apps" aria-label="All apps">
              Apps
            </a>
            <span class="slash" aria-hidden="true">
              /
            </span>
            <a class="self" href={base}>
              {shown.name}
            </a>
          </h1>
          <span id="app-state">
            <Badge tone={state.tone} text={state.text} />
          </span>
        </div>
        <p class="app-address">
          {shown.live ? <a href={shown.url}>{shown.url}</a> : <span class="fine">{shown.url}</span>}
        </p>
      </div>
      <nav class="tabs" aria-label={shown.name}>
        {sections.map(({ name, label }) => (
          <NavLink href={name === "" ? base : `${base}/${name}`} isCurrent={name === section}>
            {label}
          </NavLink>
        ))}
      </nav>
      {section === "" ? null : <SectionTitle title={title} />}
      {children}
    </Page>
  );
};

const SectionTitle: FC<{ readonly title: string }> = ({ title }) => <h2 class="section-title">{title}</h2>;
