// The variables and secrets of an app, beside the `vars` of its repository. A secret's value comes back to nobody but the app.
import { createRoute, z } from "@hono/zod-openapi";
import type { AppName } from "../../app/app-name.ts";
import type { Supervisor } from "../../app/supervisor.ts";
import { HostingError } from "../../errors.ts";
import { changeVariables } from "../../push-variables.ts";
import { Next, pageQuery, slicePage, TextCursor } from "./paging.ts";
import { DEPLOY_CODES, refuses } from "./refusals.ts";
import { AppPath, isoTime, json, jsonBody, makeRouter, needs, noSuchApp, Time } from "./resource.ts";
import { pushAs } from "./commits.ts";

type VariableList = NonNullable<Awaited<ReturnType<Supervisor["readVariables"]>>>;
type VariableChange = Parameters<Supervisor["prepareVariables"]>[0][number];

/** Of a value, in UTF-8; Cloudflare's own limit. */
const MAX_VALUE_BYTES = 5 * 1024;

/** What the host itself puts into `env`, and what no object should have. */
const RESERVED = ["SLIPWAY", "__proto__"];

/** What a variable may be called. */
export const VariableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "must be letters, digits and _, at most 64, the first no digit")
  .refine((name) => !RESERVED.includes(name), "is a name that the host keeps for itself");

const NamePath = AppPath.extend({
  name: VariableName.openapi({ param: { name: "name", in: "path" }, type: "string", example: "API_KEY" }),
});

const Scope = z.enum(["production", "preview"]).default("production").openapi({
  description: "preview: for previews and old deploys on show, which else have production's plain values.",
});

/** What it may be. */
export const VariableValue = z
  .string()
  .refine((value) => value.isWellFormed(), "must be text that is valid Unicode")
  .refine(
    (value) => Buffer.byteLength(value) <= MAX_VALUE_BYTES,
    `must have at most ${MAX_VALUE_BYTES} bytes in UTF-8`,
  );

const Secret = z.boolean().optional().openapi({
  description: "Sealed, and never shown again. Without it: as it was, and plain where it is new.",
});

const NewVariable = z.object({ value: VariableValue, secret: Secret, scope: Scope }).strict().openapi("NewVariable");

const VariableJson = z
  .object({
    name: z.string(),
    scope: z.enum(["production", "preview"]),
    kind: z.enum(["plain", "secret"]),
    value: z.string().nullable().openapi({ description: "null: it is secret." }),
    setAt: Time,
    setBy: z.string().openapi({ description: "The name of a token." }),
  })
  .openapi("Variable");

const VariablesJson = z
  .object({
    variables: z.array(VariableJson),
    next: Next,
    live: z
      .object({
        deploy: z.int(),
        changed: z.array(z.string()).openapi({ description: "What it has otherwise, since it was gone back to." }),
      })
      .nullable()
      .openapi({ description: "What answers visitors." }),
  })
  .openapi("Variables");

/** All variables, and one. */
export type VariablesAnswer = z.infer<typeof VariablesJson>;

const ChangeReport = z
  .looseObject({
    deploy: z.int().nullable().openapi({ description: "The deploy that is live with it; null: none was needed." }),
  })
  .openapi("VariablesReport", { description: "Where there was a deploy: what a push with -o json says of one." });

export const variables = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/env",
  summary: "The variables of an app: plain values, and of secrets that they are set",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath, query: pageQuery(TextCursor) },
  responses: { 200: json(VariablesJson, "A page of them, by name.") },
});

variables.openapi(listRoute, async (c) => {
  const { variables: listed, live } = await readList(c.env.host.env, c.req.valid("param").app);
  const shown = live && { deploy: live.deployNumber, changed: [...live.changed] };
  const keyOf = ({ name, scope }: (typeof listed)[number]): string => `${name}/${scope}`;
  const { page, next } = slicePage(c, listed, { ...c.req.valid("query"), keyOf });
  return c.json({ variables: page.map(variableJson), next, live: shown ?? null }, 200);
});

const getRoute = createRoute({
  method: "get",
  path: "/apps/{app}/env/{name}",
  summary: "One variable",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: NamePath, query: z.object({ scope: Scope }) },
  responses: { 200: json(VariableJson, "Its value, unless it is secret.") },
});

variables.openapi(getRoute, async (c) => {
  const { app, name } = c.req.valid("param");
  return c.json(variableJson(await findVariable(c.env.host.env, app, { name, ...c.req.valid("query") })), 200);
});

const putRoute = createRoute({
  method: "put",
  path: "/apps/{app}/env/{name}",
  summary: "Set a variable, which deploys what is live with it",
  ...needs("admin"),
  ...refuses(...DEPLOY_CODES),
  request: { params: NamePath, body: jsonBody(NewVariable) },
  responses: { 200: json(ChangeReport, "It is live, or stored where nothing is.") },
});

variables.openapi(putRoute, async (c) => {
  const { app, name } = c.req.valid("param");
  const { value, secret, scope } = c.req.valid("json");
  const request = pushAs(c.req.raw, c.env.host.env, c.get("caller"), app);
  return c.json(
    await changeVariables({ ...request, changes: [{ name, scope, value, isSecret: secret }] }, c.env.host),
    200,
  );
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/apps/{app}/env/{name}",
  summary: "Delete a variable, which deploys what is live without it",
  ...needs("admin"),
  ...refuses(...DEPLOY_CODES),
  request: { params: NamePath, query: z.object({ scope: Scope }) },
  responses: { 200: json(ChangeReport, "It is gone.") },
});

variables.openapi(deleteRoute, async (c) => {
  const { app, name } = c.req.valid("param");
  const { scope } = c.req.valid("query");
  await findVariable(c.env.host.env, app, { name, scope });
  const request = pushAs(c.req.raw, c.env.host.env, c.get("caller"), app);
  const changes = [{ name, scope, value: undefined, isSecret: undefined }];
  return c.json(await changeVariables({ ...request, changes }, c.env.host), 200);
});

const patchRoute = createRoute({
  method: "patch",
  path: "/apps/{app}/env",
  summary: "Change several variables with one deploy, all or none",
  description: "Without any, the newest variables are deployed where an older deploy with others was gone back to.",
  ...needs("admin"),
  ...refuses(...DEPLOY_CODES),
  request: {
    params: AppPath,
    body: jsonBody(
      z
        .record(VariableName, z.union([NewVariable.extend({ value: VariableValue.nullable() }), z.null()]))
        .openapi("VariableChanges", {
          description: "By name; null, or a value of null, deletes.",
          example: { API_KEY: { value: "s3cret-value", secret: true }, OLD: null },
        }),
    ),
  },
  responses: { 200: json(ChangeReport, "They are live, or stored where nothing is.") },
});

variables.openapi(patchRoute, async (c) => {
  const { app } = c.req.valid("param");
  const changes = Object.entries(c.req.valid("json")).map(([name, change]): VariableChange => {
    const { value, secret, scope = "production" } = change ?? { value: null };
    return { name, scope, value: value ?? undefined, isSecret: secret };
  });
  const request = pushAs(c.req.raw, c.env.host.env, c.get("caller"), app);
  return c.json(await changeVariables({ ...request, changes }, c.env.host), 200);
});

async function readList(env: Env, app: AppName): Promise<VariableList> {
  const list = await env.SUPERVISOR.getByName(app).readVariables();
  if (list === undefined) throw noSuchApp(app);
  return list;
}

async function findVariable(
  env: Env,
  app: AppName,
  { name, scope }: Pick<VariableChange, "name" | "scope">,
): Promise<VariableList["variables"][number]> {
  const { variables: listed } = await readList(env, app);
  const found = listed.find((variable) => variable.name === name && variable.scope === scope);
  if (found === undefined) throw new HostingError("not-found", `There is no variable ${name} for ${scope} of ${app}.`);
  return found;
}

function variableJson(variable: VariableList["variables"][number]): z.infer<typeof VariableJson> {
  const { name, scope, kind, value, setAtMs, setBy } = variable;
  return { name, scope, kind, value: value ?? null, setAt: isoTime(setAtMs), setBy };
}
