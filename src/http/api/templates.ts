// The starter templates.
import { createRoute, z } from "@hono/zod-openapi";
import { listTemplates } from "../../repo/template-list.ts";
import { Next, pageQuery, slicePage, TextCursor } from "./paging.ts";
import { json, makeRouter, needs } from "./resource.ts";

const TemplateJson = z
  .object({
    name: z.string().openapi({ example: "counter" }),
    title: z.string(),
    text: z.string().openapi({ description: "What it shows." }),
    repository: z.string().openapi({ description: "What git clones, without a token." }),
  })
  .openapi("Template");

export const templates = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/templates",
  summary: "What an app can begin as",
  ...needs("any"),
  request: { query: pageQuery(TextCursor) },
  responses: { 200: json(z.object({ templates: z.array(TemplateJson), next: Next }), "A page of them, by name.") },
});

templates.openapi(listRoute, (c) => {
  const { origin } = new URL(c.req.url);
  const { page, next } = slicePage(c, listTemplates(), { ...c.req.valid("query"), keyOf: ({ name }) => name });
  const listed = page.map((template) => ({
    ...template,
    repository: `${origin}/templates/${template.name}.git`,
  }));
  return c.json({ templates: listed, next }, 200);
});
