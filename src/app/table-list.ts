// What a database has: part of the data reader. The runtime's own tables are not shown, as they are not to the app. How large a single
// table is the runtime does not tell.

/** A column as its table declares it. */
interface ColumnFacts {
  readonly name: string;
  /** As it was written; empty where it was not. */
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  /** Its place in the primary key, from 1; 0: it is not in it. */
  readonly primaryKey: number;
  readonly generated: boolean;
}

interface IndexFacts {
  readonly name: string;
  readonly unique: boolean;
  /** What it is by; null for an expression. */
  readonly columns: readonly (string | null)[];
  /** Empty for one that a constraint made. */
  readonly sql: string;
}

/** A table or view. */
export interface TableFacts {
  readonly name: string;
  /** shadow: a virtual table keeps its content there. */
  readonly kind: "table" | "view" | "virtual" | "shadow";
  readonly sql: string;
  readonly columns: readonly ColumnFacts[];
  readonly indexes: readonly IndexFacts[];
  /** Up to MAX_COUNTED; null for a view. */
  readonly rowCount: number | null;
  readonly isRowCountCapped: boolean;
}

/** The whole database. */
export interface DatabaseFacts {
  readonly sizeBytes: number;
  readonly tables: readonly TableFacts[];
  /** There are more than MAX_TABLES. */
  readonly isCut: boolean;
}

const MAX_COUNTED = 100_000;
const MAX_TABLES = 500;

interface MasterRow extends Record<string, SqlStorageValue> {
  readonly name: string;
  readonly type: string;
  readonly kind: string | null;
  readonly sql: string;
}

export function describeDatabase(sql: SqlStorage): DatabaseFacts {
  const query = `SELECT m.name, m.type, l.type AS kind, coalesce(m.sql, '') AS sql
    FROM sqlite_master AS m LEFT JOIN pragma_table_list AS l ON l.name = m.name AND l.schema = 'main'
    WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name NOT LIKE '\\_cf\\_%' ESCAPE '\\'
    ORDER BY m.name LIMIT ?`;
  const rows = sql.exec<MasterRow>(query, MAX_TABLES + 1).toArray();
  return {
    sizeBytes: sql.databaseSize,
    tables: rows.slice(0, MAX_TABLES).map((row) => describeTable(sql, row)),
    isCut: rows.length > MAX_TABLES,
  };
}

function describeTable(sql: SqlStorage, { name, type, kind, sql: definition }: MasterRow): TableFacts {
  const isView = type === "view";
  const count = isView ? null : countRows(sql, name);
  return {
    name,
    kind: isView ? "view" : kind === "virtual" || kind === "shadow" ? kind : "table",
    sql: definition,
    columns: listColumns(sql, name),
    indexes: listIndexes(sql, name),
    rowCount: count === null ? null : Math.min(count, MAX_COUNTED),
    isRowCountCapped: count !== null && count > MAX_COUNTED,
  };
}

function listColumns(sql: SqlStorage, table: string): ColumnFacts[] {
  const query = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)';
  try {
    return sql
      .exec<{ name: string; type: string; notnull: number; dflt_value: string | null; pk: number; hidden: number }>(
        query,
        table,
      )
      .toArray()
      .map(({ name, type, notnull, dflt_value, pk, hidden }) => ({
        name,
        type,
        notNull: notnull === 1,
        default: dflt_value,
        primaryKey: pk,
        generated: hidden > 1,
      }));
  } catch {
    // A view of a table that is gone has no columns.
    return [];
  }
}

function listIndexes(sql: SqlStorage, table: string): IndexFacts[] {
  const query = `SELECT l.name, l."unique" AS is_unique, coalesce(m.sql, '') AS sql
    FROM pragma_index_list(?) AS l LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = l.name ORDER BY l.name`;
  return sql
    .exec<{ name: string; is_unique: number; sql: string }>(query, table)
    .toArray()
    .map(({ name, is_unique, sql: definition }) => ({
      name,
      unique: is_unique === 1,
      columns: sql
        .exec<{ name: string | null }>("SELECT name FROM pragma_index_info(?)", name)
        .toArray()
        .map((column) => column.name),
      sql: definition,
    }));
}

function countRows(sql: SqlStorage, table: string): number | null {
  const name = `"${table.replaceAll('"', '""')}"`;
  try {
    const query = `SELECT count(*) AS count FROM (SELECT 1 FROM ${name} LIMIT ${MAX_COUNTED + 1})`;
    return sql.exec<{ count: number }>(query).one().count;
  } catch {
    // A virtual table that is broken.
    return null;
  }
}
