// Previews of an app's branches: which there are, other data for one, its end. They are made by pushing a branch.
import { createRoute, z } from "@hono/zod-openapi";
import type { Supervisor } from "../../app/supervisor.ts";
import { HostingError } from "../../errors.ts";
import { appUrl } from "../host-name.ts";
import { Next, pageQuery, slicePage, TextCursor } from "./paging.ts";
import { DEPLOY_CODES, refuses } from "./refusals.ts";
import { AppPath, isoTime, json, jsonBody, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

type Preview = Awaited<ReturnType<Supervisor["listPreviews"]>>[number];

const PreviewJson = z
  .object({
    branch: z.string().openapi({ example: "feature/x" }),
    slug: z.string().openapi({ description: "What the branch is called in addresses.", example: "feature-x" }),
    url: z.string().openapi({ description: "Where it answers." }),
    state: z.enum(["alive", "expired"]),
    deploy: z.int().nullable().openapi({ description: "The deploy that it runs." }),
    commit: z.string().nullable(),
    createdAt: Time,
    usedAt: Time.openapi({ description: "The last request or push, to a few minutes." }),
    expiresAt: Time.nullable().openapi({ description: "When it goes if no request comes." }),
  })
  .openapi("Preview");

/** One preview. */
export type PreviewAnswer = z.infer<typeof PreviewJson>;

const PreviewPath = AppPath.extend({
  slug: z.string().openapi({ param: { name: "slug", in: "path" }, type: "string", example: "feature-x" }),
});

export const previews = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/previews",
  summary: "The app's previews, those used last first",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath, query: pageQuery(TextCursor) },
  responses: { 200: json(z.object({ previews: z.array(PreviewJson), next: Next }), "A page of them.") },
});

previews.openapi(listRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { env } = c.env.host;
  const supervisor = env.SUPERVISOR.getByName(app);
  if ((await supervisor.describe()) === undefined) throw noSuchApp(app);
  const url = new URL(c.req.url);
  const query = { ...c.req.valid("query"), keyOf: ({ label }: Preview) => slugOf(label) };
  const { page, next } = slicePage(c, await supervisor.listPreviews(), query);
  return c.json({ previews: page.map((preview) => previewJson(preview, url, env.HOST)), next }, 200);
});

const forkRoute = createRoute({
  method: "post",
  path: "/apps/{app}/previews",
  summary:
    "Give a branch's preview a fresh copy of production's data, or none; one that expired or was deleted comes back",
  ...needs("push"),
  ...refuses("preview-not-found", ...DEPLOY_CODES),
  request: {
    params: AppPath,
    body: jsonBody(
      z
        .object({
          branch: z.string().openapi({ example: "feature/x" }),
          data: z.enum(["fork", "empty"]).default("fork"),
        })
        .openapi("PreviewFork"),
    ),
  },
  responses: { 200: json(PreviewJson, "The preview as it is now.") },
});

previews.openapi(forkRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { branch, data } = c.req.valid("json");
  const { env } = c.env.host;
  const supervisor = env.SUPERVISOR.getByName(app);
  if ((await supervisor.describe()) === undefined) throw noSuchApp(app);
  const outcome = await supervisor.forkPreview(branch, data);
  if (outcome.kind === "not-deployed") {
    const message = `The commit that ${branch} is at has no deploy whose code is kept. Pushing a commit to the branch makes its preview.`;
    throw new HostingError("preview-not-found", message);
  }
  if (outcome.kind === "failed") {
    const message = `The preview does not start on such data, and has what it had. ${outcome.failure.reason}`;
    throw new HostingError(outcome.failure.code, message);
  }
  return c.json(previewJson(outcome.preview, new URL(c.req.url), env.HOST), 200);
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/apps/{app}/previews/{slug}",
  summary: "Remove a preview and its data; the branch stays",
  ...needs("push"),
  ...refuses("not-found", "preview-not-found"),
  request: { params: PreviewPath },
  responses: { 204: { description: "It is gone." } },
});

previews.openapi(deleteRoute, async (c) => {
  const { app, slug } = c.req.valid("param");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if ((await supervisor.describe()) === undefined) throw noSuchApp(app);
  const preview = (await supervisor.listPreviews()).find(({ label }) => slugOf(label) === slug);
  if (preview === undefined || !(await supervisor.deletePreview(preview.branch))) {
    throw new HostingError("preview-not-found", `${app} has no preview ${slug}.`);
  }
  return c.body(null, 204);
});

function previewJson(preview: Preview, url: URL, hostName: string): z.infer<typeof PreviewJson> {
  const { branch, label, state, deploy, createdAtMs, usedAtMs, expiresAtMs } = preview;
  return {
    branch,
    slug: slugOf(label),
    url: appUrl(url, hostName, label),
    state,
    deploy: deploy?.number ?? null,
    commit: deploy?.commitId ?? null,
    createdAt: isoTime(createdAtMs),
    usedAt: isoTime(usedAtMs),
    expiresAt: expiresAtMs === undefined ? null : isoTime(expiresAtMs),
  };
}

/** Neither a slug nor an app's name has "--". */
function slugOf(label: string): string {
  return label.slice(0, label.indexOf("--"));
}
