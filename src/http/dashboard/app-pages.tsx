// Every page about one app. A page stands in its own file with its routes; what it reads is the API's.
import { Hono } from "hono";
import { addDataPages } from "./data-pages.tsx";
import { addDeployPages } from "./deploy-pages.tsx";
import { addEgressPage } from "./egress-page.tsx";
import { addEnvironmentPage } from "./environment-page.tsx";
import { addFilePages } from "./file-pages.tsx";
import { addGoingBackPages } from "./going-back-pages.tsx";
import { addLogPages } from "./log-pages.tsx";
import { addPreviewPages } from "./preview-pages.tsx";
import type { DashboardEnv } from "./session.ts";
import { addSettingsPages } from "./settings-page.tsx";
import { addSqlPages } from "./sql-console.tsx";
import { addTokenRoutes } from "./tokens.tsx";
import { addUsagePage } from "./usage-page.tsx";

export const appPages = new Hono<DashboardEnv>();

addDeployPages(appPages);
addGoingBackPages(appPages);
addLogPages(appPages);
addUsagePage(appPages);
addSqlPages(appPages);
addDataPages(appPages);
addFilePages(appPages);
addPreviewPages(appPages);
addEnvironmentPage(appPages);
addEgressPage(appPages);
addTokenRoutes(appPages, "/apps/:app/tokens");
addSettingsPages(appPages);
