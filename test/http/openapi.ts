// The OpenAPI document as tests read it: its operations without references, and its schemas as checks, by which answers are held against
// it. A field that no schema names is a mistake, unless the schema says that there may be others.
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { z } from "zod";
import { api } from "../../src/http/api/routes.ts";
import { createHost } from "../../src/push-host.ts";

/** A part of the document. */
export type Part = Readonly<Record<string, unknown>>;

interface Content {
  readonly [type: string]: { readonly schema: Part };
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Part }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  readonly "x-slipway-access"?: string;
}

let operations: Promise<readonly Operation[]> | undefined;

/** What the served document lists. */
export function readOperations(): Promise<readonly Operation[]> {
  operations ??= readDocument();
  return operations;
}

async function readDocument(): Promise<readonly Operation[]> {
  const response = await api.fetch(new Request("http://localhost/openapi.json"), { host: createHost(env) });
  const document = await response.json<{
    readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  }>();
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const resolved: Omit<Operation, "method" | "path"> = copy(resolve(operation, document.components.schemas));
      return { ...resolved, method: method.toUpperCase(), path };
    }),
  );
}

/** With what references name in their places, and schemas that are all of several as one. */
function resolve(value: unknown, schemas: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(value)) return value.map((inner) => resolve(inner, schemas));
  if (!isPart(value)) return value;
  const { $ref: reference, allOf, ...rest } = value;
  if (typeof reference === "string") {
    return resolve(schemas[reference.slice(reference.lastIndexOf("/") + 1)], schemas);
  }
  const own = Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, resolve(inner, schemas)]));
  if (!Array.isArray(allOf)) return own;
  const parts = [...allOf.map((part) => resolve(part, schemas)).filter(isPart), own];
  return {
    ...Object.assign({}, ...parts),
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required }) => (Array.isArray(required) ? required : [])),
  };
}

export function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const checks = new WeakMap<Part, z.ZodType>();

/** The schema as a check of values. */
export function checkOf(schema: Part): z.ZodType {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const check = z.fromJSONSchema(copy(tighten(schema)));
  checks.set(schema, check);
  return check;
}

/** As JSON is read: whatever type it is taken for. */
function copy(value: unknown): ReturnType<typeof JSON.parse> {
  return JSON.parse(JSON.stringify(value));
}

function tighten(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tighten);
  if (!isPart(value)) return value;
  const tight = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, tighten(inner)]));
  return isPart(value["properties"]) ? { additionalProperties: false, ...tight } : tight;
}

/** Fails where the document does not say that this call may be answered so. Paths and methods that are not in it pass. */
export async function expectDocumented(method: string, path: string, response: Response): Promise<void> {
  const [pathname = ""] = path.split("?");
  const operation = (await readOperations()).find((each) => each.method === method && patternOf(each).test(pathname));
  if (operation === undefined) return;
  const name = `${method} ${operation.path} ${response.status}`;
  const documented = operation.responses[response.status];
  expect(Object.keys(operation.responses), name).toContain(String(response.status));
  const type = response.headers.get("content-type")?.split(";", 1)[0] ?? "none";
  expect([...Object.keys(documented?.content ?? {}), ...(documented?.content ? [] : ["none"])], name).toContain(type);
  const schema = documented?.content?.[type]?.schema;
  if (schema === undefined || !type.endsWith("json")) return;
  const { error } = checkOf(schema).safeParse(await response.clone().json());
  expect(error?.issues ?? [], name).toEqual([]);
}

function patternOf({ path }: Operation): RegExp {
  return new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`);
}
