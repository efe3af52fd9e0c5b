// The environment that a visitor's request is for. Names that nothing is behind are answered without a write; an old deploy gets its
// place when it is first asked for.
import { hasCode } from "../store/code.ts";
import { findDeploy, setLive } from "../store/deploys.ts";
import { findEnvironment, listEnvironments, openEnvironment } from "../store/previews.ts";
import type { VisitorCode } from "./answers.ts";
import { parseLabel, shownDeployNumber } from "./environment.ts";
import { findExisting, findRuntime, readLive, runtimeOf, type FacetRuntime, type HostedApp } from "./hosted-app.ts";
import { noteUse, noteUses, scheduleExpiry } from "./preview-expiry.ts";
import { markEnding, takeAway } from "./preview-removal.ts";

/** So many old deploys are on show at once. */
const MAX_SHOWN = 5;

/** One that was asked for so lately does not make place for another: somebody is looking at it. */
const WATCHED_MS = 60_000;

/**
 * The environment, or why there is none. The host name says it, which http/ came here by too: there is no header that a visitor
 * could forge or an app would see.
 */
export function findVisited(app: HostedApp, url: string): FacetRuntime | VisitorCode {
  // Most requests are for production, whose label has no "--".
  if (!url.includes("--")) return app.production;
  const [label = ""] = new URL(url).hostname.split(".", 1);
  if (!label.includes("--")) return app.production;
  const facet = parseLabel(label)?.facet;
  if (facet === undefined) return "app-not-found";
  const runtime = findRuntime(app, facet);
  if (runtime?.live === undefined) return showDeploy(app, facet) ?? describeAbsence(app, facet);
  noteUse(app, runtime);
  return runtime;
}

/** Why there is nothing at an environment's address. */
export function describeAbsence(app: HostedApp, facet: string): VisitorCode {
  if (findExisting(app) === undefined) return "app-not-found";
  if (facet === app.production.facet) return "app-not-deployed";
  if (shownDeployNumber(facet) !== undefined) return "deploy-not-found";
  const state = findEnvironment(app.db, facet)?.state;
  return state === "expired" || state === "expiring" ? "preview-expired" : "preview-not-found";
}

/** Puts an old deploy on show, on a copy of production's data. undefined: the facet is for no deploy that there is. */
function showDeploy(app: HostedApp, facet: string): FacetRuntime | VisitorCode | undefined {
  const number = shownDeployNumber(facet);
  if (number === undefined || findExisting(app) === undefined) return undefined;
  const deploy = findDeploy(app.db, number);
  if (deploy === undefined || deploy.state === "failed" || !hasCode(app.db, deploy.codeId)) return undefined;
  noteUses(app);
  const shown = listEnvironments(app.db).filter(({ branch, state }) => branch === undefined && state === "alive");
  const oldest = shown.length < MAX_SHOWN ? undefined : shown.at(-1);
  if (oldest !== undefined && oldest.usedAtMs > app.now() - WATCHED_MS) return "app-busy";
  app.db.transaction(() => {
    if (oldest !== undefined) markEnding(app, oldest.facet, "removing");
    openEnvironment(app.db, { facet, branch: undefined, pendingData: "fork" }, app.now());
    setLive(app.db, facet, number);
  });
  if (oldest !== undefined) app.ctx.waitUntil(takeAway(app, oldest.facet));
  scheduleExpiry(app);
  const runtime = runtimeOf(app, facet);
  readLive(app, runtime);
  return runtime;
}
