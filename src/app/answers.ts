// What visitors are told where no app answers them. These answers are made here alone: the header that marks them is taken off
// everything that an app sends. They say little, and the same of every app: what went wrong is in the app's log, for its owner.
import type { ErrorCode } from "../errors.ts";
import { answerError } from "./error-page.ts";

/** The code of an answer that the host gave instead of an app. */
export const ERROR_HEADER = "slipway-error";

/** What a visitor can be told. */
export type VisitorCode = Extract<
  ErrorCode,
  | "app-not-found"
  | "app-not-deployed"
  | "preview-not-found"
  | "preview-expired"
  | "deploy-not-found"
  | "app-failed"
  | "quota-exceeded"
  | "storage-full"
  | "app-busy"
>;

interface VisitorAnswer {
  readonly status: number;
  readonly text: string;
  /** For the app's owner. */
  readonly hint?: string;
}

const ANSWERS: Readonly<Record<VisitorCode, VisitorAnswer>> = {
  "app-not-found": { status: 404, text: "There is no app here. The address may be mistyped, or the app was removed." },
  "app-not-deployed": {
    status: 404,
    text: "There is an app here, but nothing of it has been deployed yet.",
    hint: "If it is yours: push a commit. Where that failed, the deploy's log on the host says why.",
  },
  "preview-not-found": { status: 404, text: "There is no preview here. It may have been deleted with its branch." },
  "preview-expired": {
    status: 404,
    text: "This preview expired, because nobody visited it. It comes back with the next push to its branch, or through the API.",
  },
  "deploy-not-found": {
    status: 404,
    text: "There is no deploy of this number that can be shown. It failed, or its code was not kept.",
  },
  "app-failed": {
    status: 500,
    text: "This app failed to answer.",
    hint: "If it is yours: its log on the host says why.",
  },
  "quota-exceeded": { status: 429, text: "This app has more visitors than it may have in a minute. Try again soon." },
  "storage-full": {
    status: 507,
    text: "This app has stored as much as it may, and takes nothing more in.",
    hint: "If it is yours: its log on the host says how much that is, and what to do.",
  },
  "app-busy": { status: 503, text: "This app is being deployed. Try again in a moment." },
};

/** How long a visitor's program should wait before it tries again. */
const RETRY_AFTER_S = 1;

/** One of the host's own answers to a visitor, in the form that the request prefers. */
export function answerFor(code: VisitorCode, request: Request): Response {
  const { status, text, hint } = ANSWERS[code];
  const retryAfterS = status === 503 || status === 429 ? RETRY_AFTER_S : undefined;
  const response = answerError({ status, code, detail: text, hint, retryAfterS }, request);
  response.headers.set(ERROR_HEADER, code);
  return response;
}
