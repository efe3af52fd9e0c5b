// The MCP server at /mcp: streamable HTTP (the protocol's "Transports" chapter), without sessions, each answer one JSON document. A tool
// call is a call of the JSON API in the caller's name: what a token may not do there, it may not do here. There is nothing else in here.
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  type CallToolResult,
  type ListToolsResult,
} from "@modelcontextprotocol/sdk/types.js";
import { Hono, type ExecutionContext } from "hono";
import { HostingError } from "../../errors.ts";
import type { Host } from "../../push-host.ts";
import { api } from "../api/routes.ts";
import { authenticate } from "../auth.ts";
import { problemAnswer, refuseMethod } from "../problem.ts";
import { buildCall } from "./tool-call.ts";
import { readOutcome, refusal } from "./tool-result.ts";
import { listTools, type Tool } from "./tools.ts";

/** Where the server is, and what a call of the API needs. */
export interface McpInput {
  readonly host: Host;
  readonly context: ExecutionContext;
}

/** As large as a body of the API. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Loopback, by which a local host is reached too. */
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Headers of the caller that a call of the API is made with: who asks, and from where. */
const PASSED_HEADERS = ["authorization", "cf-connecting-ip", "user-agent"] as const;

const mounted = new Hono<{ Bindings: { readonly host: Host } }>().route("/api/v1", api);

/** The answer to a message of an MCP client. Never throws. */
export async function answerMcp(request: Request, input: McpInput): Promise<Response> {
  try {
    if (request.method !== "POST") return refuseMethod(request, "POST", problemAnswer);
    refuseForeignOrigin(request, input.host.env.HOST);
    await authenticate(request, input.host);
  } catch (error) {
    const response = problemAnswer(error, request);
    if (response.status === 401) response.headers.set("www-authenticate", 'Bearer realm="Slipway"');
    return response;
  }
  const transport = new WebStandardStreamableHTTPServerTransport({
    enableJsonResponse: true,
    maxRequestBodySize: MAX_BODY_BYTES,
  });
  await makeServer(request, input).connect(transport);
  const response = await transport.handleRequest(request);
  response.headers.set("cache-control", "no-store");
  return response;
}

/**
 * A page whose name was made to resolve to this host sends its own name as Origin and as Host (DNS rebinding), so the two agreeing says
 * nothing: the name must be the host's.
 */
function refuseForeignOrigin(request: Request, hostName: string): void {
  const origin = request.headers.get("origin");
  if (origin === null) return;
  const hostname = URL.parse(origin)?.hostname ?? "";
  if (hostname !== hostName.toLowerCase() && !LOOPBACK.has(hostname)) {
    throw new HostingError("auth-forbidden", "Requests from pages of another origin are refused here.");
  }
}

function makeServer(request: Request, input: McpInput): Server {
  const { origin } = new URL(request.url);
  const server = new Server(
    { name: "slipway", version: "1" },
    {
      capabilities: { tools: {} },
      instructions: `This host deploys apps: TypeScript with one Durable Object class, live at an address of their own. ${origin}/llms.txt says how an app is written, what can go wrong and what to do then.`,
      // The SDK's own compiles code, which the runtime does not allow. It is for what a server asks of its client: this one asks nothing.
      jsonSchemaValidator: { getValidator: refuseValidation },
    },
  );
  const tools = listTools();
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(describeTool) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }): Promise<CallToolResult> => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined)
      return refusal("not-found", `There is no tool ${params.name}. tools/list names those there are.`);
    const made = buildCall(tool, params.arguments ?? {}, `${origin}/api/v1`);
    if (made.kind === "invalid") return refusal("invalid-request", made.reason);
    const headers = new Headers(made.body === undefined ? {} : { "content-type": "application/json" });
    for (const name of PASSED_HEADERS) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const { method } = tool.call;
    const call = new Request(made.url, { method, headers, ...(made.body === undefined ? {} : { body: made.body }) });
    return readOutcome(await mounted.fetch(call, { host: input.host }, input.context));
  });
  return server;
}

function refuseValidation(): never {
  throw new Error("This server asks nothing of its clients.");
}

function describeTool({ name, title, description, effect, args }: Tool): ListToolsResult["tools"][number] {
  const required = args.filter(({ isRequired }) => isRequired).map((argument) => argument.name);
  return {
    name,
    title,
    description,
    inputSchema: {
      type: "object",
      properties: Object.fromEntries(args.map((argument) => [argument.name, { ...argument.schema }])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    },
    annotations: {
      title,
      readOnlyHint: effect === "reads",
      destructiveHint: effect === "destroys",
      openWorldHint: false,
    },
  };
}
