// Errors as answers. The one place where an error code becomes an HTTP status.
import { answerError } from "../app/error-page.ts";
import { HostingError, type ErrorCode } from "../errors.ts";

const STATUS: Record<ErrorCode, number> = {
  "auth-required": 401,
  "auth-forbidden": 403,
  "rate-limited": 429,
  "host-not-configured": 503,
  "not-found": 404,
  "method-not-allowed": 405,
  "invalid-request": 400,
  "idempotency-mismatch": 422,
  "idempotency-running": 409,
  "invalid-app-name": 400,
  "app-exists": 409,
  "service-unknown": 403,
  "media-type-unsupported": 415,
  "protocol-error": 400,
  "push-too-large": 413,
  "push-too-complex": 413,
  "object-too-large": 413,
  "pack-invalid": 400,
  "object-invalid": 400,
  "object-missing": 400,
  "object-collision": 409,
  "ref-invalid": 400,
  "ref-stale": 409,
  "ref-conflict": 409,
  "ref-refused": 409,
  "branch-not-deployed": 409,
  "preview-exists": 409,
  "preview-limit": 409,
  "branch-protected": 409,
  "push-option-unknown": 400,
  "push-superseded": 409,
  "entry-not-found": 422,
  "config-invalid": 422,
  "config-unsupported": 422,
  "syntax-error": 422,
  "dependency-not-found": 422,
  "import-not-found": 422,
  "build-failed": 422,
  "build-warning": 422,
  "build-limit": 422,
  "bundle-too-large": 422,
  "lfs-pointer": 422,
  "type-error": 422,
  submodule: 422,
  "dependency-missing": 422,
  "dependency-version-missing": 422,
  "dependency-unsupported": 422,
  "dependency-native": 422,
  "lockfile-invalid": 422,
  "lockfile-unsupported": 422,
  "lockfile-drift": 422,
  "integrity-mismatch": 422,
  "package-invalid": 422,
  "registry-unreachable": 422,
  "registry-unauthorized": 422,
  "install-script": 422,
  "export-missing": 422,
  "export-wrong-kind": 422,
  "start-failed": 422,
  "start-timeout": 422,
  "secrets-unavailable": 503,
  "variables-stale": 409,
  "probe-failed": 422,
  "snapshot-not-kept": 409,
  "snapshot-needed": 409,
  "restore-failed": 500,
  "app-deleted": 409,
  "copy-too-slow": 503,
  "sql-failed": 422,
  "sql-read-only": 422,
  "sql-timeout": 422,
  "archive-invalid": 422,
  "app-not-found": 404,
  "app-not-deployed": 404,
  "app-failed": 500,
  "preview-not-found": 404,
  "preview-expired": 404,
  "deploy-not-found": 404,
  "quota-exceeded": 429,
  "storage-full": 507,
  "app-busy": 503,
  "internal-error": 500,
};

/** What a client is told when the fault is ours. The cause goes to the host's log. */
const INTERNAL_MESSAGE = "The host failed to answer. Its log says why; trying again is safe.";

/** How an error is answered at an address. */
export type ErrorAnswerer = (error: unknown, request: Request) => Response;

/** The status of an answer with this code. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code];
}

/**
 * An error as the request's Accept prefers it: a page for people; for git plain text, which it shows line by line after "remote:".
 * Anything but a HostingError is our own fault: it is logged here, once, and the client is told nothing of it.
 */
export function pageAnswer(error: unknown, request: Request): Response {
  const { code, message, retryAfterS } = describe(error, request);
  const response = answerError(
    { status: STATUS[code], code, detail: message, retryAfterS: waitFor(code, retryAfterS) },
    request,
  );
  if (code === "auth-required") response.headers.set("www-authenticate", CHALLENGE);
  return response;
}

/** An error as problem details (RFC 9457), with the stable code beside the status. */
export function problemAnswer(error: unknown, request: Request): Response {
  const { code, message, retryAfterS, facts } = describe(error, request);
  const status = STATUS[code];
  const body = { type: "about:blank", status, code, title: code, detail: message, ...facts };
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  if (code === "auth-required") headers.set("www-authenticate", CHALLENGE);
  const waitS = waitFor(code, retryAfterS);
  if (waitS !== undefined) headers.set("retry-after", String(waitS));
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}

/** A method that a path does not have. `allowed` as in the Allow header. */
export function refuseMethod(request: Request, allowed: string, answer: ErrorAnswerer): Response {
  const refusal = new HostingError("method-not-allowed", `This address takes ${allowed}, not ${request.method}.`);
  const response = answer(refusal, request);
  response.headers.set("allow", allowed);
  return response;
}

/** git asks for a user name and a password only if it is told the scheme. */
const CHALLENGE = 'Basic realm="Slipway", charset="UTF-8"';

function waitFor(code: ErrorCode, retryAfterS: number | undefined): number | undefined {
  return retryAfterS ?? (code === "app-busy" ? 1 : undefined);
}

function describe(error: unknown, request: Request): Pick<HostingError, "code" | "message" | "retryAfterS" | "facts"> {
  if (error instanceof HostingError) return error;
  const requestId = crypto.randomUUID();
  console.error(`request ${requestId} to ${new URL(request.url).pathname} failed`, error);
  return {
    code: "internal-error",
    message: `${INTERNAL_MESSAGE} Request ${requestId}.`,
    retryAfterS: undefined,
    facts: undefined,
  };
}
