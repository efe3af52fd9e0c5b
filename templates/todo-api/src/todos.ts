// The list, in one SQL table. Functions over a handle: they know no HTTP.

export interface Todo {
  id: number;
  title: string;
  done: boolean;
}

/** SQLite has no booleans: 0 or 1. */
type TodoRow = { id: number; title: string; done: number };

const MAX_TITLE_LENGTH = 200;

export function createTable(sql: SqlStorage): void {
  sql.exec(`CREATE TABLE IF NOT EXISTS todos (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
  )`);
}

export function listTodos(sql: SqlStorage): Todo[] {
  return sql.exec<TodoRow>("SELECT id, title, done FROM todos ORDER BY id").toArray().map(toTodo);
}

export function findTodo(sql: SqlStorage, id: number): Todo | undefined {
  return sql.exec<TodoRow>("SELECT id, title, done FROM todos WHERE id = ?", id).toArray().map(toTodo)[0];
}

export function createTodo(sql: SqlStorage, title: string): Todo {
  return toTodo(sql.exec<TodoRow>("INSERT INTO todos (title) VALUES (?) RETURNING id, title, done", title).one());
}

export function updateTodo(sql: SqlStorage, todo: Todo): Todo {
  sql.exec("UPDATE todos SET title = ?, done = ? WHERE id = ?", todo.title, Number(todo.done), todo.id);
  return todo;
}

export function deleteTodo(sql: SqlStorage, id: number): void {
  sql.exec("DELETE FROM todos WHERE id = ?", id);
}

/** What a client may set, checked; undefined where the body is of another shape or changes nothing. */
export function readChange(body: unknown): { title?: string; done?: boolean } | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const change: { title?: string; done?: boolean } = {};
  if ("title" in body) {
    if (typeof body.title !== "string" || !body.title.trim() || body.title.length > MAX_TITLE_LENGTH) return undefined;
    change.title = body.title.trim();
  }
  if ("done" in body) {
    if (typeof body.done !== "boolean") return undefined;
    change.done = body.done;
  }
  return Object.keys(change).length > 0 ? change : undefined;
}

function toTodo(row: TodoRow): Todo {
  return { ...row, done: row.done === 1 };
}
