// The MCP server as a client sees it, in the test's own isolate. test/e2e/agents.test.ts drives it with the SDK's client.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { listOperations } from "../../../src/http/agents/operations.ts";
import { buildCall } from "../../../src/http/agents/tool-call.ts";
import { readOutcome } from "../../../src/http/agents/tool-result.ts";
import { listTools } from "../../../src/http/agents/tools.ts";
import { route } from "../../../src/http/router.ts";
import { createHost } from "../../../src/push-host.ts";
import { call } from "../api-client.ts";

const host = createHost(env);

interface Sent {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

async function send(message: unknown, { token = "unit-test-token", headers = {}, method = "POST" }: Sent = {}) {
  const context = createExecutionContext();
  const request = new Request("http://localhost/mcp", {
    method,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(method === "POST" ? { body: JSON.stringify(message) } : {}),
  });
  const response = await route(request, host, context);
  await waitOnExecutionContext(context);
  return response;
}

interface Result {
  readonly isError?: boolean;
  readonly content: readonly { readonly text: string }[];
  readonly structuredContent: Readonly<Record<string, unknown>>;
}

async function callTool(name: string, args: unknown, sent?: Sent): Promise<Result> {
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } };
  const response = await send(message, sent);
  expect(response.status).toBe(200);
  return (await response.json<{ result: Result }>()).result;
}

/** What the tool would send. */
function bodyOf(name: string, args: Record<string, unknown>): unknown {
  const tool = listTools().find((listed) => listed.name === name)!;
  const made = buildCall(tool, { app: "x", sql: "SELECT 1", ...args }, "http://h");
  return made.kind === "call" ? JSON.parse(made.body ?? "") : made.kind;
}

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

describe("the MCP server", () => {
  it("lists its tools with schemas and hints", async () => {
    const { result } = await (
      await send(LIST)
    ).json<{ result: { tools: { name: string; inputSchema: Record<string, unknown>; annotations: unknown }[] } }>();
    expect(result.tools.map(({ name }) => name)).toEqual(listTools().map(({ name }) => name));
    const rollback = result.tools.find(({ name }) => name === "rollback");
    expect(rollback).toMatchObject({
      inputSchema: {
        type: "object",
        required: ["app", "deploy"],
        additionalProperties: false,
        properties: { app: { type: "string" }, deploy: { type: "integer" }, data: { type: "boolean" } },
      },
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    });
    expect(JSON.stringify(result)).not.toContain("$ref");
  });

  it("hints that what only reads only reads", () => {
    for (const { name, effect, call: operation } of listTools()) {
      const isRead = operation.method === "GET" || name === "query_sql";
      expect(isRead, name).toBe(effect === "reads");
      if (operation.method === "DELETE") expect(effect, name).toBe("destroys");
    }
  });

  it("does what the API does, and answers as it does", async () => {
    const made = await callTool("create_app", { name: "tooled", deploy: false });
    expect(made.isError).toBeUndefined();
    expect(made.structuredContent).toMatchObject({ name: "tooled", deploy: false });
    expect(JSON.parse(made.content[0]!.text)).toEqual(made.structuredContent);
    expect(await callTool("get_app", { app: "tooled" })).toMatchObject({ structuredContent: { name: "tooled" } });
    const templates = await callTool("list_templates", {});
    expect(templates.structuredContent).toMatchObject({ templates: expect.arrayContaining([expect.anything()]) });
    expect(await callTool("delete_app", { app: "tooled" })).toMatchObject({ structuredContent: { name: "tooled" } });
  });

  it("answers what has no body with that it is done", async () => {
    const done = await readOutcome(new Response(null, { status: 204 }));
    expect(done).toMatchObject({ structuredContent: { ok: true } });
    expect(done.isError).toBeUndefined();
  });

  it("tells a refusal as a result with the code, what it means and the sentence", async () => {
    for (const [name, args, code] of [
      ["get_app", { app: "nobody" }, "not-found"],
      ["get_app", { app: "Not A Name" }, "invalid-app-name"],
      ["get_app", {}, "invalid-request"],
      ["get_app", { app: "x", more: 1 }, "invalid-request"],
      ["get_app", { app: ["x"] }, "invalid-request"],
      ["get_deploy_log", { app: "nobody", number: 0 }, "invalid-request"],
      ["no_such_tool", {}, "not-found"],
    ] as const) {
      const result = await callTool(name, args);
      expect(result, name).toMatchObject({ isError: true, structuredContent: { code } });
      expect(result.content[0]?.text, name).toContain(`(${code} means: `);
    }
  });

  it("changes data only with the tool that is for that", () => {
    expect(bodyOf("query_sql", {})).toEqual({ sql: "SELECT 1", write: false });
    expect(bodyOf("query_sql", { write: true })).toBe("invalid");
    expect(bodyOf("change_sql", {})).toEqual({ sql: "SELECT 1", write: true });
  });

  it("lets a token do what its scope says and no more", async () => {
    await callTool("create_app", { name: "scoped", deploy: false });
    await callTool("create_app", { name: "others", deploy: false });
    const made = await call("POST", "/apps/scoped/tokens", { body: { name: "reader", access: "read" } });
    const { token } = await made.json<{ token: string }>();
    expect(await callTool("get_app", { app: "scoped" }, { token })).toMatchObject({
      structuredContent: { name: "scoped" },
    });
    const files = { "a.txt": "a" };
    for (const [name, args] of [
      ["get_app", { app: "others" }],
      ["commit_files", { app: "scoped", files, message: "x" }],
      ["delete_app", { app: "scoped" }],
    ] as const) {
      expect(await callTool(name, args, { token }), name).toMatchObject({
        isError: true,
        structuredContent: { code: "auth-forbidden" },
      });
    }
    const listed = await callTool("list_apps", {}, { token });
    expect(listed.structuredContent).toMatchObject({ apps: [{ name: "scoped" }] });
  });

  it("refuses who has no token, and says how to send one", async () => {
    for (const token of ["", "wrong"]) {
      const response = await send(LIST, { token });
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="Slipway"']);
      expect(await response.json()).toMatchObject({ code: "auth-required" });
    }
  });

  it("refuses pages of other origins, also one whose name leads to this host", async () => {
    for (const headers of [{ origin: "http://evil.example" }, { origin: "http://app.localhost" }, { origin: "null" }]) {
      expect((await send(LIST, { headers })).status).toBe(403);
    }
    const rebound = new Request("http://evil.example/mcp", {
      method: "POST",
      headers: { origin: "http://evil.example", authorization: "Bearer unit-test-token" },
      body: "{}",
    });
    expect((await route(rebound, host, createExecutionContext())).status).toBe(403);
    expect((await send(LIST, { headers: { origin: "http://localhost" } })).status).toBe(200);
  });

  it("takes POST alone", async () => {
    for (const method of ["GET", "DELETE", "PUT"]) {
      const response = await send(undefined, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  it("answers what is no message of the protocol with an error of the protocol", async () => {
    const response = await send({ hello: 1 });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32_700 } });
  });
});

describe("a tool call", () => {
  it("cannot leave the path of its operation", () => {
    const tool = listTools().find(({ name }) => name === "delete_preview")!;
    const made = buildCall(tool, { app: "a/../../tokens", slug: "x?y#z" }, "http://h/api/v1");
    expect(made).toEqual({
      kind: "call",
      url: "http://h/api/v1/apps/a%2F..%2F..%2Ftokens/previews/x%3Fy%23z",
      body: undefined,
    });
    for (const app of ["", ".", ".."]) expect(buildCall(tool, { app, slug: "x" }, "http://h").kind).toBe("invalid");
  });
});

describe("the operations", () => {
  it("are those of the API, with all their arguments", () => {
    const commit = listOperations().find(({ method, path }) => `${method} ${path}` === "POST /apps/{app}/commits");
    expect(commit).toMatchObject({ access: "push", summary: expect.any(String) });
    expect(commit?.args.map(({ name, place, isRequired }) => `${name} ${place} ${isRequired}`)).toEqual([
      "app path true",
      "files body true",
      "message body true",
      "branch body false",
      "parent body false",
      "author body false",
      "options body false",
    ]);
  });
});
