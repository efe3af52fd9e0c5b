// The API's operations as programs are told of them, read from its own OpenAPI document: what can be called, with which arguments.
import { api } from "../api/routes.ts";

/** A JSON Schema without references. */
export type Schema = Readonly<Record<string, unknown>>;

/** One argument of a call, wherever it goes. */
export interface Argument {
  readonly name: string;
  readonly place: "path" | "query" | "body";
  readonly isRequired: boolean;
  readonly schema: Schema;
}

export interface Operation {
  /** "GET". */
  readonly method: string;
  /** "/apps/{app}", below /api/v1. */
  readonly path: string;
  readonly summary: string;
  /** What the token must allow: read, push or admin for the app; host; any. */
  readonly access: string;
  readonly args: readonly Argument[];
}

const HEAD = { openapi: "3.1.0", info: { title: "Slipway", version: "1" } };

/** Every operation of the API, in the order of its document. */
export function listOperations(): readonly Operation[] {
  const document = resolve(api.getOpenAPI31Document(HEAD));
  return Object.entries(asRecord(asRecord(document)["paths"])).flatMap(([path, methods]) =>
    Object.entries(asRecord(methods)).map(([method, value]) =>
      readOperation(method.toUpperCase(), path, asRecord(value)),
    ),
  );
}

function readOperation(method: string, path: string, operation: Schema): Operation {
  const parameters = asList(operation["parameters"]).map(asRecord);
  const args = parameters.flatMap((parameter): Argument[] => {
    const place = parameter["in"];
    if (place !== "path" && place !== "query") return [];
    const { description } = parameter;
    const schema = { ...asRecord(parameter["schema"]), ...(description === undefined ? {} : { description }) };
    return [{ name: String(parameter["name"]), place, isRequired: parameter["required"] === true, schema }];
  });
  const content = asRecord(asRecord(operation["requestBody"])["content"]);
  const body = asRecord(asRecord(content["application/json"])["schema"]);
  const required = asList(body["required"]);
  const fields = Object.entries(asRecord(body["properties"])).map(([name, schema]): Argument => {
    return { name, place: "body", isRequired: required.includes(name), schema: asRecord(schema) };
  });
  return {
    method,
    path,
    summary: String(operation["summary"]),
    access: String(operation["x-slipway-access"]),
    args: [...args, ...fields],
  };
}

/** A document with what its references name in their places. `api` has no schema that is within itself. */
function resolve(document: unknown): unknown {
  const schemas = asRecord(asRecord(asRecord(document)["components"])["schemas"]);
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    const reference = asRecord(value)["$ref"];
    if (typeof reference === "string") return visit(schemas[reference.slice(reference.lastIndexOf("/") + 1)]);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, visit(inner)]));
  };
  return visit(document);
}

function asRecord(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
