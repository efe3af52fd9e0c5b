// Calls the API in the test's own isolate, by the router that the Worker uses.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { route } from "../../src/http/router.ts";
import { createHost } from "../../src/push-host.ts";

const OWNER = "unit-test-token";
const host = createHost(env);

interface CallInput {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call of the API; without `token` in the input, as the owner. */
export async function call(method: string, path: string, input: CallInput = {}): Promise<Response> {
  const { token = OWNER, body } = input;
  const context = createExecutionContext();
  const headers = { ...(token === "" ? {} : { authorization: `Bearer ${token}` }), ...input.headers };
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = new Request(`http://localhost/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: text }),
  });
  const response = await route(request, host, context);
  await waitOnExecutionContext(context);
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
