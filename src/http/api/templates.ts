// The starter templates.
import { createRoute, z } from "@hono/zod-openapi";
import { listTemplates } from "../../repo/template-list.ts";
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
  responses: { 200: json(z.object({ templates: z.array(TemplateJson) }), "All of them, by name.") },
});

templates.openapi(listRoute, (c) => {
  const { origin } = new URL(c.req.url);
  const listed = listTemplates().map((template) => ({
    ...template,
    repository: `${origin}/templates/${template.name}.git`,
  }));
  return c.json({ templates: listed }, 200);
});
