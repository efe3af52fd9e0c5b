// SQL on an app's database: its tables, a field for statements, and their rows. What reads runs at once; what changes is told so
// first, and runs when it is asked for a second time.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { SqlAnswer, SqlCell, TableAnswer } from "../api/data.ts";
import type { PreviewAnswer } from "../api/previews.ts";
import { AppFrame } from "./app-frame.tsx";
import { type ApiAnswer, callApi, findApi, MOST, type Problem } from "./api-client.ts";
import { FormToken } from "./layout.tsx";
import { Empty, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import { mayAdminister, mayPush, type DashboardEnv, type Session } from "./session.ts";
import { count, curl, plural, size } from "./words.ts";

/** More rows make a page that nobody reads. */
const MAX_ROWS = 200;

const CUT: Readonly<Record<NonNullable<SqlAnswer["truncated"]>, string>> = {
  rows: `Only the first ${MAX_ROWS} rows are shown.`,
  bytes: "The rows are cut off: they were too large together.",
  time: "The rows are cut off: reading them took too long.",
};

interface Database {
  readonly databaseBytes: number;
  readonly tables: readonly TableAnswer[];
  readonly isCut: boolean;
}

/** What was asked, and what came of it. */
interface Asked {
  readonly sql: string;
  readonly environment: string;
  readonly answer: ApiAnswer<SqlAnswer> | undefined;
}

export function addSqlPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/sql", async (c) => {
    const asked = { sql: "", environment: c.req.query("environment") ?? "production", answer: undefined };
    return c.html(await sqlPage(c, asked));
  });
  pages.post("/apps/:app/sql", async (c) => {
    const { sql = "", environment = "production", action = "" } = c.get("form");
    const body = { sql, environment, write: action === "write", limit: MAX_ROWS };
    const answer = await callApi<SqlAnswer>(c, "POST", `/apps/${encodeURIComponent(c.req.param("app"))}/sql`, body);
    return c.html(await sqlPage(c, { sql, environment, answer }), answer.kind === "ok" ? 200 : 400);
  });
}

async function sqlPage(c: Context<DashboardEnv>, asked: Asked) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const session = c.get("session");
  const [database, listed] = await Promise.all([
    callApi<Database>(c, "GET", `${base}/tables?limit=${MOST}&environment=${encodeURIComponent(asked.environment)}`),
    findApi<{ previews: PreviewAnswer[] }>(c, `${base}/previews?limit=${MOST}`),
  ]);
  const slugs = (listed?.previews ?? []).filter(({ state }) => state === "alive").map(({ slug }) => slug);
  return (
    <AppFrame c={c} app={app} section="sql" title="SQL">
      {mayPush(session) ? (
        <Console base={base} session={session} asked={asked} environments={["production", ...slugs]} />
      ) : (
        <p>Your token may see which tables there are, and not what is in them.</p>
      )}
      <section aria-labelledby="tables">
        <h3 id="tables">Tables</h3>
        {database.kind === "ok" ? (
          <Tables base={base} session={session} database={database.data} environment={asked.environment} />
        ) : (
          <ProblemNotice problem={database.problem} />
        )}
      </section>
      <FromTerminal
        text={curl(new URL(c.req.url).origin, {
          method: "POST",
          path: `${base}/sql`,
          body: { sql: asked.sql === "" ? "SELECT * FROM sqlite_schema" : asked.sql },
        })}
      />
    </AppFrame>
  );
}

const Console: FC<{
  readonly base: string;
  readonly session: Session;
  readonly asked: Asked;
  readonly environments: readonly string[];
}> = ({ base, session, asked, environments }) => (
  <>
    <form class="stack wide" method="post" action={`${base}/sql`}>
      <FormToken session={session} />
      <label for="sql">Statement</label>
      <textarea id="sql" name="sql" required spellcheck={false} autocapitalize="none" aria-describedby="sql-hint">
        {asked.sql}
      </textarea>
      <p class="fine" id="sql-hint">
        Reads run on a copy, and the app does not notice. A statement that changes data is not run before you say so
        again.
      </p>
      <label for="sql-environment">Of</label>
      <select class="short" id="sql-environment" name="environment">
        {environments.map((environment) => (
          <option value={environment} selected={environment === asked.environment}>
            {environment === "production" ? "production" : `preview ${environment}`}
          </option>
        ))}
      </select>
      <button class="primary" name="action" value="read" data-busy="Running …">
        Run
      </button>
    </form>
    <div class="sql-answer" id="answer">
      {asked.answer === undefined ? null : asked.answer.kind === "ok" ? (
        <Rows answer={asked.answer.data} />
      ) : (
        <Refusal base={base} session={session} asked={asked} problem={asked.answer.problem} />
      )}
    </div>
  </>
);

/** Why it did not run; where that is because it changes data, with what running it will do, and the button. */
const Refusal: FC<{
  readonly base: string;
  readonly session: Session;
  readonly asked: Asked;
  readonly problem: Problem;
}> = ({ base, session, asked, problem }) => {
  if (problem.code !== "sql-read-only" || !mayAdminister(session)) return <ProblemNotice problem={problem} />;
  return (
    <Notice tone="busy">
      <p>
        <strong>This changes the data of {asked.environment}.</strong> Nothing was changed yet. Running requests end
        first
        {asked.environment === "production" ? ", a snapshot of the data is taken" : ""}, everything is one transaction,
        and the app starts again.
      </p>
      <form method="post" action={`${base}/sql`}>
        <FormToken session={session} />
        <input type="hidden" name="sql" value={asked.sql} />
        <input type="hidden" name="environment" value={asked.environment} />
        <button class="danger" name="action" value="write" data-busy="Running …">
          Run it and change the data
        </button>
      </form>
    </Notice>
  );
};

const Rows: FC<{ readonly answer: SqlAnswer }> = ({ answer }) => {
  const changed = answer.rowsWritten > 0 ? `, ${plural(answer.rowsWritten, "row")} written` : "";
  return (
    <>
      <p class="fine" role="status">
        {plural(answer.rows.length, "row")}, {count(answer.rowsRead)} read{changed}.{" "}
        {answer.snapshot === null ? "" : `The data of before is snapshot ${answer.snapshot}. `}
        {answer.truncated === null ? "" : CUT[answer.truncated]}
      </p>
      {answer.rows.length === 0 ? null : (
        <div class="scroll" role="region" aria-label="Rows" tabindex={0}>
          <table class="rows">
            <thead>
              <tr>
                {answer.columns.map(({ name, type }) => (
                  <th scope="col" title={type}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.rows.map((row) => (
                <tr>
                  {row.map((cell) => (
                    <td>
                      <Cell cell={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
};

const Cell: FC<{ readonly cell: SqlCell }> = ({ cell }) => {
  if (cell === null) return <span class="null">NULL</span>;
  if (typeof cell !== "object") return <>{String(cell)}</>;
  if ("base64" in cell) return <span class="null">blob, {size(Buffer.from(cell.base64, "base64").byteLength)}</span>;
  return <>{"integer" in cell ? cell.integer : cell.real}</>;
};

const Tables: FC<{
  readonly base: string;
  readonly session: Session;
  readonly database: Database;
  readonly environment: string;
}> = ({ base, session, database, environment }) => {
  if (database.tables.length === 0) {
    return (
      <Empty title="No tables">
        <p>Those that the app makes with ctx.storage.sql appear here.</p>
      </Empty>
    );
  }
  return (
    <>
      <p class="fine">
        {plural(database.tables.length, "table")}, {size(database.databaseBytes)} in all.
        {database.isCut ? " There are more." : ""}
      </p>
      <ul class="cards">
        {database.tables.map((table) => (
          <li class="card">
            <h4>{table.name}</h4>
            <p class="fine">
              {table.kind === "table" ? "" : `${table.kind}, `}
              {table.rowCount === null
                ? ""
                : `${plural(table.rowCount, "row")}${table.isRowCountCapped ? " or more" : ""}`}
            </p>
            <ul class="columns-of">
              {table.columns.map((column) => (
                <li>
                  <code>{column.name}</code>{" "}
                  <span class="fine">
                    {column.type}
                    {column.primaryKey > 0 ? ", primary key" : ""}
                    {column.notNull ? ", not null" : ""}
                  </span>
                </li>
              ))}
            </ul>
            {mayPush(session) ? (
              <form method="post" action={`${base}/sql#answer`}>
                <FormToken session={session} />
                <input type="hidden" name="sql" value={`SELECT * FROM ${quoteName(table.name)} LIMIT 100`} />
                <input type="hidden" name="environment" value={environment} />
                <button class="small" name="action" value="read" aria-label={`Show rows of ${table.name}`}>
                  Show rows
                </button>
              </form>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
};

/** A name as SQLite reads it, whatever is in it. */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
