// The hosts that an app may call. Nothing is allowed where nothing was set; addresses that are not public, and this host itself,
// are refused whatever is set.
import { createRoute, z } from "@hono/zod-openapi";
import { MAX_RULES, formatEgressRule, parseEgressRule } from "../../app/egress-policy.ts";
import { refuses } from "./refusals.ts";
import { AppPath, isoTime, json, jsonBody, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

/** One line of a list, written as the URL standard writes hosts. */
const Rule = z
  .string()
  .refine((text) => parseEgressRule(text) !== undefined, {
    message: 'must be a host such as "api.example.com", "*.example.com", "api.example.com:8443" or "*"',
  })
  .transform((text) => {
    const rule = parseEgressRule(text);
    return rule === undefined ? text : formatEgressRule(rule);
  })
  .openapi({ type: "string", example: "api.example.com" });

/** What an app may call. */
export const RuleList = z.array(Rule).max(MAX_RULES);

const EventJson = z
  .object({
    at: Time,
    environment: z.string().openapi({ description: '"app" is production.' }),
    deploy: z.int(),
    method: z.string(),
    host: z.string(),
    path: z.string(),
    status: z.int().nullable(),
    reason: z.string().nullable().openapi({ description: "Why it was refused, or failed." }),
    sentBytes: z.int(),
    receivedBytes: z.int(),
  })
  .openapi("EgressEvent");

const EgressJson = z
  .object({
    allow: z.array(z.string()).openapi({ description: "What production may call." }),
    previewAllow: z.array(z.string()).openapi({ description: "What previews and old deploys on show may call." }),
    recent: z.array(EventJson).openapi({ description: "The last requests, newest first, since the app was woken." }),
  })
  .openapi("Egress");

/** The lists, and what was called. */
export type EgressAnswer = z.infer<typeof EgressJson>;

export const egress = makeRouter();

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}/egress",
  summary: "Which hosts the app may call, and what it called",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath },
  responses: { 200: json(EgressJson, "The lists.") },
});

egress.openapi(getRoute, async (c) => {
  const { app } = c.req.valid("param");
  return c.json(await readJson(c.env.host.env, app), 200);
});

const putRoute = createRoute({
  method: "put",
  path: "/apps/{app}/egress",
  summary: "Set the hosts that the app may call; a list that is not given stays",
  description: "Holds from the app's next request on, without a deploy.",
  ...needs("admin"),
  ...refuses("not-found"),
  request: {
    params: AppPath,
    body: jsonBody(z.object({ allow: RuleList.optional(), previewAllow: RuleList.optional() }).openapi("EgressChange")),
  },
  responses: { 200: json(EgressJson, "The lists as they are now.") },
});

egress.openapi(putRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { allow, previewAllow } = c.req.valid("json");
  const { env } = c.env.host;
  const lists = {
    ...(allow === undefined ? {} : { allow: unique(allow) }),
    ...(previewAllow === undefined ? {} : { previewAllow: unique(previewAllow) }),
  };
  if (!(await env.SUPERVISOR.getByName(app).changeEgress(lists))) throw noSuchApp(app);
  return c.json(await readJson(env, app), 200);
});

async function readJson(env: Env, app: Parameters<typeof noSuchApp>[0]): Promise<z.infer<typeof EgressJson>> {
  const state = await env.SUPERVISOR.getByName(app).readEgress();
  if (state === undefined) throw noSuchApp(app);
  const recent = state.recent.map(({ atMs, facet, deployNumber, ...event }) => ({
    ...event,
    at: isoTime(atMs),
    environment: facet,
    deploy: deployNumber,
    status: event.status ?? null,
    reason: event.reason ?? null,
  }));
  return { allow: [...state.allow], previewAllow: [...state.previewAllow], recent };
}

function unique(rules: readonly string[]): string[] {
  return [...new Set(rules)];
}
