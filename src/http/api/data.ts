// An app's data as its owner sees and mends it: SQL on its databases, their tables, and what it keeps by key.
import { createRoute, z } from "@hono/zod-openapi";
import { permit } from "../../app/access.ts";
import type { AppName } from "../../app/app-name.ts";
import type { Supervisor } from "../../app/supervisor.ts";
import { CopyTooSlow } from "../../app/copy-too-slow.ts";
import { HostingError } from "../../errors.ts";
import { linkNext, Next, pageQuery, slicePage, TextCursor } from "./paging.ts";
import { refuses } from "./refusals.ts";
import { AppPath, json, jsonBody, makeRouter, needs, noSuchApp } from "./resource.ts";

type SqlFailure = Extract<
  Extract<Awaited<ReturnType<Supervisor["runSql"]>>, { kind: "answered" }>["answer"],
  { kind: "failed" }
>;

const MAX_SQL_LENGTH = 100_000;
const MAX_ROWS = 10_000;

/** Of a key of ctx.storage: the runtime's own limit. */
const MAX_KEY_LENGTH = 2048;

const Environment = z
  .string()
  .max(100)
  .default("production")
  .openapi({ description: '"production", or the slug of a preview.', example: "production" });

const ObjectText = z
  .string()
  .regex(/^[^/]+\/.+$/)
  .max(1500)
  .optional()
  .openapi({
    description: "A named Durable Object of that environment: its class, a slash, its id or name.",
    example: "Room/lobby",
  });

/** "Room/lobby" as the supervisor is asked. */
function choose(environment: string, object: string | undefined) {
  if (object === undefined) return { environment };
  const split = object.indexOf("/");
  return { environment, object: { className: object.slice(0, split), idOrName: object.slice(split + 1) } };
}

const Blob = z.object({ base64: z.base64() });

const Cell = z
  .union([z.null(), z.number(), z.string(), Blob, z.object({ integer: z.string() }), z.object({ real: z.string() })])
  .openapi("SqlCell", {
    description:
      "A blob is base64; an integer that a JSON number does not hold exactly is {integer}, an infinite number {real}.",
  });

const SqlBody = z
  .object({
    sql: z.string().min(1).max(MAX_SQL_LENGTH).openapi({ example: "SELECT * FROM notes WHERE id > ?" }),
    params: z
      .array(z.union([z.null(), z.number(), z.string(), z.boolean(), Blob]))
      .max(100)
      .default([])
      .openapi({
        description:
          "For the question marks, in their order. The runtime binds numbers as REAL; write CAST(? AS INTEGER) for an integer " +
          "beyond 2^53, with its digits as a string.",
        example: [3],
      }),
    environment: Environment,
    object: ObjectText,
    write: z
      .boolean()
      .default(false)
      .openapi({ description: "true: what it changes stays changed; needs a token that may administer." }),
    limit: z.int().min(1).max(MAX_ROWS).default(1000).openapi({ description: "How many rows at most." }),
  })
  .openapi("SqlCall");

const SqlJson = z
  .object({
    columns: z.array(
      z.object({
        name: z.string(),
        type: z
          .enum(["integer", "real", "text", "blob", "null", "mixed"])
          .openapi({ description: "Of the values in this answer." }),
      }),
    ),
    rows: z.array(z.array(Cell)),
    truncated: z
      .enum(["rows", "bytes", "time"])
      .nullable()
      .openapi({ description: "The limit that cut the rows off." }),
    rowsRead: z.int(),
    rowsWritten: z.int(),
    snapshot: z.int().nullable().openapi({ description: "Production's data from just before a change." }),
  })
  .openapi("SqlAnswer");

/** What a statement answered, and one of its values. */
export type SqlAnswer = z.infer<typeof SqlJson>;
export type SqlCell = z.infer<typeof Cell>;

export const data = makeRouter();

const sqlRoute = createRoute({
  method: "post",
  path: "/apps/{app}/sql",
  summary: "Run SQL on an app's database: read, or with write change it",
  description:
    "Reads see the data as it is now and run on a copy; the app does not notice. With write the running requests end first, " +
    "production's data is kept as a snapshot, all statements are one transaction, and the app starts again.",
  ...needs("push"),
  ...refuses(
    "not-found",
    "app-not-deployed",
    "preview-not-found",
    "copy-too-slow",
    "sql-timeout",
    "sql-failed",
    "sql-read-only",
  ),
  request: { params: AppPath, body: jsonBody(SqlBody) },
  responses: { 200: json(SqlJson, "The rows of the last statement.") },
});

data.openapi(sqlRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { sql, params, environment, object, write, limit } = c.req.valid("json");
  if (write) permit(c.get("caller"), { app, action: "admin" });
  const request = { sql, params, maxRows: limit, mayWrite: write };
  const asked = await c.env.host.env.SUPERVISOR.getByName(app).runSql(choose(environment, object), request);
  const answer = readAnswer(asked, { app, environment, object });
  if (answer.kind === "failed") throw sqlFailed(answer, sql);
  if (answer.kind === "writes") {
    const message = 'This changes the database. Nothing was changed; send "write": true to do it.';
    throw new HostingError("sql-read-only", message);
  }
  const { columns, rows, truncated, rowsRead, rowsWritten, snapshot } = answer;
  return c.json(
    {
      columns: [...columns],
      rows: rows.map((row) => [...row]),
      truncated: truncated ?? null,
      rowsRead,
      rowsWritten,
      snapshot: snapshot ?? null,
    },
    200,
  );
});

const TableJson = z
  .object({
    name: z.string(),
    kind: z
      .enum(["table", "view", "virtual", "shadow"])
      .openapi({ description: "shadow: a virtual table keeps its content there." }),
    sql: z.string(),
    columns: z
      .array(
        z.object({
          name: z.string(),
          type: z.string(),
          notNull: z.boolean(),
          default: z.string().nullable(),
          primaryKey: z.int().openapi({ description: "The place in the primary key, from 1; 0: not in it." }),
          generated: z.boolean(),
        }),
      )
      .readonly(),
    indexes: z
      .array(
        z.object({
          name: z.string(),
          unique: z.boolean(),
          columns: z.array(z.string().nullable()).readonly(),
          sql: z.string(),
        }),
      )
      .readonly(),
    rowCount: z.int().nullable(),
    isRowCountCapped: z.boolean().openapi({ description: "There are more rows: counting stops at some number." }),
  })
  .openapi("Table");

/** One table of a database. */
export type TableAnswer = z.infer<typeof TableJson>;

const tablesRoute = createRoute({
  method: "get",
  path: "/apps/{app}/tables",
  summary: "The tables and views of an app's database, with columns, indexes and how many rows",
  ...needs("read"),
  ...refuses("not-found", "app-not-deployed", "preview-not-found", "copy-too-slow", "sql-timeout"),
  request: { params: AppPath, query: pageQuery(TextCursor).extend({ environment: Environment, object: ObjectText }) },
  responses: {
    200: json(
      z.object({
        databaseBytes: z.int(),
        tables: z.array(TableJson).readonly(),
        next: Next,
        isCut: z.boolean().openapi({ description: "There are more tables than are listed at all." }),
      }),
      "The database.",
    ),
  },
});

data.openapi(tablesRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { environment, object, limit, cursor } = c.req.valid("query");
  const asked = await c.env.host.env.SUPERVISOR.getByName(app).readDatabase(choose(environment, object));
  const { sizeBytes, tables, isCut } = readAnswer(asked, { app, environment, object });
  const { page, next } = slicePage(c, tables, { limit, cursor, keyOf: ({ name }) => name });
  return c.json({ databaseBytes: sizeBytes, tables: page, next, isCut }, 200);
});

const kvRoute = createRoute({
  method: "get",
  path: "/apps/{app}/kv",
  summary: "What an app keeps by key in ctx.storage, a page in the order of the keys",
  ...needs("push"),
  ...refuses("not-found", "app-not-deployed", "preview-not-found", "copy-too-slow", "sql-timeout"),
  request: {
    params: AppPath,
    query: pageQuery(z.string().max(MAX_KEY_LENGTH)).extend({
      environment: Environment,
      object: ObjectText,
      prefix: z.string().max(MAX_KEY_LENGTH).optional(),
    }),
  },
  responses: {
    200: json(
      z.object({
        entries: z.array(
          z
            .object({
              key: z.string(),
              text: z
                .string()
                .openapi({ description: "The value as Node's util.inspect shows it, cut where it is long." }),
              value: z.unknown().optional().openapi({ description: "The value, where it is plain JSON." }),
            })
            .openapi("KvEntry"),
        ),
        next: Next,
      }),
      "A page of the entries.",
    ),
  },
});

data.openapi(kvRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { environment, object, prefix, limit, cursor } = c.req.valid("query");
  const question = { prefix, limit, after: cursor };
  const asked = await c.env.host.env.SUPERVISOR.getByName(app).readKv(choose(environment, object), question);
  const { entries, hasMore } = readAnswer(asked, { app, environment, object });
  const shown = entries.map(({ key, text, json: value }) => ({
    key,
    text,
    ...(value === undefined ? {} : { value: JSON.parse(value) }),
  }));
  const last = hasMore ? entries.at(-1) : undefined;
  return c.json({ entries: shown, next: last && linkNext(c, last.key) }, 200);
});

const dumpRoute = createRoute({
  method: "get",
  path: "/apps/{app}/dump",
  summary: "A whole database as SQL, which the sqlite3 shell reads",
  description:
    "Of one moment; the app does not notice. What the app keeps by key is in the table _slipway_kv, its values as text that " +
    "devalue's parse reads.",
  ...needs("push"),
  ...refuses("not-found", "app-not-deployed", "preview-not-found", "copy-too-slow", "sql-timeout"),
  request: { params: AppPath, query: z.object({ environment: Environment, object: ObjectText }) },
  responses: {
    200: { description: "The dump.", content: { "application/sql": { schema: z.string() } } },
  },
});

data.openapi(dumpRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { environment, object } = c.req.valid("query");
  const asked = await c.env.host.env.SUPERVISOR.getByName(app).dumpDatabase(choose(environment, object));
  return c.body(readAnswer(asked, { app, environment, object }).sql, 200, {
    "content-type": "application/sql",
    "content-disposition": `attachment; filename="${app}.sql"`,
  });
});

type Asked<T> =
  | { readonly kind: "no-app" | "no-data" | "late" }
  | { readonly kind: "too-slow"; readonly sizeBytes: number }
  | { readonly kind: "answered"; readonly answer: T };

function readAnswer<T>(
  asked: Asked<T>,
  {
    app,
    environment,
    object,
  }: { readonly app: AppName; readonly environment: string; readonly object: string | undefined },
): T {
  if (asked.kind === "answered") return asked.answer;
  if (asked.kind === "no-app") throw noSuchApp(app);
  if (asked.kind === "too-slow") throw new CopyTooSlow(asked.sizeBytes);
  if (asked.kind === "late") {
    const message = "This took too long and was stopped. Ask for less: a LIMIT, a WHERE that an index serves.";
    throw new HostingError("sql-timeout", message);
  }
  if (object !== undefined)
    throw new HostingError(
      "not-found",
      `There is no object ${JSON.stringify(object)} there. GET …/objects lists them.`,
    );
  if (environment === "production") {
    throw new HostingError("app-not-deployed", `Nothing of ${app} has been deployed yet, so that it has no data.`);
  }
  const slug = JSON.stringify(environment);
  throw new HostingError(
    "preview-not-found",
    `${app} has no preview ${slug} that is alive. GET …/previews lists them.`,
  );
}

/** SQLite's words, and where in the text, where it says so. */
function sqlFailed({ message, sqliteCode, offset }: SqlFailure, sql: string): HostingError {
  const lines = offset === undefined ? undefined : sql.slice(0, offset).split("\n");
  const place = lines && { offset, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  const at = place === undefined ? "" : ` (line ${place.line}, column ${place.column})`;
  return new HostingError("sql-failed", `SQLite says: ${message}${at}.`, { facts: { sqliteCode, ...place } });
}
