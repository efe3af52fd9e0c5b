// A to-do list as a JSON API. This file speaks HTTP; todos.ts keeps the list.
import { DurableObject } from "cloudflare:workers";
import { createTable, createTodo, deleteTodo, findTodo, listTodos, readChange, updateTodo } from "./todos.ts";

/** The app. There is exactly one of it, every request comes to it, and this.ctx.storage is its own database. */
export class App extends DurableObject<Env> {
  // Runs at every start, also on data that an older version wrote.
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    createTable(ctx.storage.sql);
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return Response.json({ todos: "/todos" });
    if (pathname === "/todos") return this.#list(request);
    const id = /^\/todos\/(\d{1,15})$/.exec(pathname)?.[1];
    return id === undefined ? failure(404, "No such path.") : this.#item(request, Number(id));
  }

  async #list(request: Request): Promise<Response> {
    const { sql } = this.ctx.storage;
    if (request.method === "GET") return Response.json(listTodos(sql));
    if (request.method !== "POST") return failure(405, "A list takes GET and POST.");
    const change = readChange(await readJson(request));
    if (change?.title === undefined) return failure(400, 'Expected {"title": "…"}.');
    const todo = createTodo(sql, change.title);
    return Response.json(todo, { status: 201, headers: { location: `/todos/${todo.id}` } });
  }

  async #item(request: Request, id: number): Promise<Response> {
    const { sql } = this.ctx.storage;
    const todo = findTodo(sql, id);
    if (!todo) return failure(404, "No such to-do.");
    if (request.method === "GET") return Response.json(todo);
    if (request.method === "DELETE") {
      deleteTodo(sql, id);
      return new Response(null, { status: 204 });
    }
    if (request.method !== "PATCH") return failure(405, "A to-do takes GET, PATCH and DELETE.");
    const change = readChange(await readJson(request));
    if (!change) return failure(400, 'Expected {"title": "…"}, {"done": true} or both.');
    return Response.json(updateTodo(sql, { ...todo, ...change }));
  }
}

function failure(status: number, error: string): Response {
  return Response.json({ error }, { status });
}

/** The body's value; undefined where it is no JSON. */
async function readJson(request: Request): Promise<unknown> {
  return request.json().catch(() => undefined);
}

interface Env {
  APP: DurableObjectNamespace<App>;
}

// Plain `wrangler dev` comes in here; a push host goes straight to App.
export default {
  fetch: (request, env) => env.APP.getByName("app").fetch(request),
} satisfies ExportedHandler<Env>;
