// Calls the API in the test's own isolate, by the router that the Worker uses.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { route } from "../../src/http/router.ts";
import { createHost } from "../../src/push-host.ts";
import { expectDocumented } from "./openapi.ts";

const OWNER = "unit-test-token";
const host = createHost(env);

interface CallInput {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Each call comes from a client of its own, so that no test meets the limits that another one's wrong tokens ran into. */
let clientCount = 0;

/** One call of the API; without `token` in the input, as the owner. Its answer must be one that the OpenAPI document has. */
export async function call(method: string, path: string, input: CallInput = {}): Promise<Response> {
  const { token = OWNER, body } = input;
  const context = createExecutionContext();
  clientCount += 1;
  const headers = {
    "cf-connecting-ip": `2001:db8:0:${clientCount.toString(16)}::1`,
    ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    ...input.headers,
  };
  const content = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const request = new Request(`http://localhost/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: content }),
  });
  const response = await route(request, host, context);
  await waitOnExecutionContext(context);
  await expectDocumented(method, path, response);
  return response;
}

/** The code of a refusal, which is problem details. */
export async function codeOf(response: Response): Promise<string> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = await response.json<{ code: string; status: number; detail: string }>();
  expect(problem.status).toBe(response.status);
  expect(problem.detail).not.toBe("");
  return problem.code;
}
