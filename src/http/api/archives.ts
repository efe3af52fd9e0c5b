// A whole app as one file that does not need this host to be read, and an app made of one.
import { createRoute, z } from "@hono/zod-openapi";
import { exportApp } from "../../archive-export.ts";
import { importApp } from "../../archive-import.ts";
import type { ArchivedConfig } from "../../archive-format.ts";
import { HostingError } from "../../errors.ts";
import { openBody } from "../request-body.ts";
import { given, SettingsJson } from "./apps.ts";
import { pushAs } from "./commits.ts";
import { RuleList } from "./egress.ts";
import { QuotasJson } from "./quotas.ts";
import { RetentionJson } from "./retention.ts";
import { VariableName, VariableValue } from "./env.ts";
import { DEPLOY_CODES, refuses } from "./refusals.ts";
import { AppPath, givenLimits, json, makeRouter, needs, noSuchApp } from "./resource.ts";

const ARCHIVE_TYPES = ["application/x-tar", "application/gzip"];

export const archives = makeRouter();

const exportRoute = createRoute({
  method: "get",
  path: "/apps/{app}/export",
  summary: "The whole app as a tar file: repository, data, settings, history",
  description:
    "repository.bundle is for git clone, data/*.sql for sqlite3; README.txt in it says the rest. Secrets, tokens and snapshots are not in it. It is " +
    "made as it is read: a transfer that breaks off is not whole.",
  ...needs("push"),
  ...refuses("not-found", "copy-too-slow"),
  request: { params: AppPath },
  responses: {
    200: { description: "The archive.", content: { "application/x-tar": { schema: z.string() } } },
  },
});

archives.openapi(exportRoute, async (c) => {
  const { app } = c.req.valid("param");
  const archive = await exportApp(app, c.env.host, Date.now());
  if (archive === undefined) throw noSuchApp(app);
  return c.body(archive, 200, {
    "content-type": "application/x-tar",
    "content-disposition": `attachment; filename="${app}.tar"`,
  });
});

const importRoute = createRoute({
  method: "post",
  path: "/apps/{app}/import",
  summary: "Make an app of an archive, also a gzipped one: repository, production's data and alarms, settings",
  description:
    "The app must not exist. Its production branch is deployed as by a push, then its data replaces what that made, and its alarms. " +
    "Secrets are to be set anew, caps come with a token for the whole host, previews if asked for. Where a part fails there is no app.",
  ...needs("admin"),
  ...refuses("app-exists", "archive-invalid", "sql-failed", "media-type-unsupported", ...DEPLOY_CODES),
  request: {
    params: AppPath,
    query: z.object({
      previews: z
        .enum(["0", "1", "false", "true"])
        .optional()
        .openapi({ description: "1: the branches that were previews are deployed as such, and have their data." }),
    }),
    body: { required: true, content: { "application/x-tar": { schema: z.string().openapi({ format: "binary" }) } } },
  },
  responses: {
    201: json(
      z
        .object({
          app: z.string(),
          push: z
            .looseObject({ ok: z.boolean(), lines: z.array(z.string()).readonly() })
            .nullable()
            .openapi({ description: "What the push of the production branch came to." }),
          refCount: z.int(),
          databaseCount: z.int(),
          previewCount: z.int(),
          alarmCount: z.int(),
          missingSecrets: z.array(z.string()).readonly().openapi({ description: "To be set anew." }),
          missingQuotas: z
            .array(z.string())
            .readonly()
            .openapi({ description: "Caps that only a token for the whole host brings along." }),
        })
        .openapi("ImportReport"),
      "The app is live as it was.",
    ),
  },
});

archives.openapi(importRoute, async (c) => {
  const { app } = c.req.valid("param");
  const bringsPreviews = ["1", "true"].includes(c.req.valid("query").previews ?? "0");
  const type = c.req.header("content-type")?.split(";", 1)[0]?.toLowerCase() ?? "";
  if (!ARCHIVE_TYPES.includes(type)) {
    const types = ARCHIVE_TYPES.join(" or ");
    throw new HostingError("media-type-unsupported", `An archive is sent with the header content-type: ${types}.`);
  }
  const body = openBody(c.req.raw);
  try {
    const caller = c.get("caller");
    const request = pushAs(c.req.raw, c.env.host.env, caller, app);
    const archive = { archive: body.stream, readConfig, setsQuotas: caller.scope.kind === "host", bringsPreviews };
    return c.json(await importApp(request, c.env.host, archive), 201);
  } catch (error) {
    await body.drain().catch(() => undefined);
    throw error;
  }
});

const Config = z.object({
  format: z.literal("slipway-app"),
  version: z.literal(1),
  productionBranch: z.string().nullable(),
  previews: z.array(z.object({ branch: z.string(), slug: z.string() })).optional(),
  live: z.object({}).nullable(),
  settings: SettingsJson.partial(),
  retention: RetentionJson.partial().transform(givenLimits).optional(),
  ownQuotas: QuotasJson.partial().transform(givenLimits).optional(),
  variables: z.array(
    z.object({
      name: VariableName,
      scope: z.enum(["production", "preview"]),
      value: VariableValue.nullable(),
    }),
  ),
  egress: z.object({ allow: RuleList, previewAllow: RuleList }),
});

function readConfig(value: unknown): ArchivedConfig {
  const result = Config.safeParse(value);
  if (result.success) return { ...result.data, settings: given(result.data.settings) };
  const [issue] = result.error.issues;
  const problem = `${issue?.path.map(String).join(".")}: ${issue?.message}`;
  throw new HostingError("archive-invalid", `config.json is not as this host writes it. ${problem}.`);
}
