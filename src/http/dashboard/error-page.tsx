// Why a page cannot be shown, in the API's words.
import type { FC } from "hono/jsx";
import { Page } from "./layout.tsx";
import type { Problem } from "./api-client.ts";
import type { Session } from "./session.ts";

const TITLES: Readonly<Record<string, string>> = {
  "not-found": "There is nothing here",
  "auth-forbidden": "This is not for you",
  "auth-required": "Nobody is signed in",
  "rate-limited": "Too many requests",
  "invalid-request": "This cannot be done as it was asked",
  "internal-error": "The host failed to answer",
};

export const ErrorPage: FC<{
  readonly problem: Pick<Problem, "detail"> & { readonly code: string };
  readonly session: Session | undefined;
}> = ({ problem, session }) => (
  <Page title={TITLES[problem.code] ?? "This did not work"} session={session}>
    <div class="narrow">
      <h1>{TITLES[problem.code] ?? "This did not work"}</h1>
      <p>{problem.detail}</p>
      <p class="fine">
        <code>{problem.code}</code>
      </p>
      <p>
        <a class="button" href={session ? "/apps" : "/sign-in"}>
          {session ? "All apps" : "Sign in"}
        </a>
      </p>
    </div>
  </Page>
);
