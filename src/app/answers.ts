// What visitors are told where no app answers them. These answers are made here alone: the header that marks them is taken off
// everything that an app sends.
import type { ErrorCode } from "../errors.ts";

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
  | "app-busy"
>;

const ANSWERS: Readonly<Record<VisitorCode, { readonly status: number; readonly text: string }>> = {
  "app-not-found": { status: 404, text: "There is no app here." },
  "app-not-deployed": { status: 404, text: "There is an app here, but nothing of it has been deployed yet." },
  "preview-not-found": { status: 404, text: "There is no preview here. It may have been deleted with its branch." },
  "preview-expired": {
    status: 404,
    text: "This preview expired, because nobody visited it. It comes back with the next push to its branch, or through the API.",
  },
  "deploy-not-found": {
    status: 404,
    text: "There is no deploy of this number that can be shown: it failed, or its code was not kept.",
  },
  "app-failed": { status: 500, text: "This app failed to answer. Its owner can see why in the host's log." },
  "app-busy": { status: 503, text: "This app is being deployed. Try again in a moment." },
};

/** How long a visitor's program should wait before it tries again. */
const RETRY_AFTER_S = "1";

/** One of the host's own answers, as plain text. */
export function answerFor(code: VisitorCode): Response {
  const { status, text } = ANSWERS[code];
  const headers = new Headers({
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    [ERROR_HEADER]: code,
  });
  if (status === 503) headers.set("retry-after", RETRY_AFTER_S);
  return new Response(`${text}\n`, { status, headers });
}
