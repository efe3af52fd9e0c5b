// Signing in with a token, or by a link that somebody with a token asked for.
import type { FC } from "hono/jsx";
import { Page } from "./layout.tsx";
import { Notice } from "./parts.tsx";

export const SignInForm: FC<{ readonly next: string }> = ({ next }) => (
  <form class="stack" method="post" action="/sign-in">
    <input type="hidden" name="next" value={next} />
    <label for="token">Token</label>
    <input
      id="token"
      name="token"
      type="password"
      required
      autocomplete="current-password"
      spellcheck={false}
      aria-describedby="token-hint"
    />
    <p class="fine" id="token-hint">
      The owner's token, or one that was made here. On the machine that runs this host, <code>npm start</code> prints a
      link that signs you in.
    </p>
    <button class="primary" type="submit">
      Sign in
    </button>
  </form>
);

export const SignInPage: FC<{ readonly next: string; readonly problem?: string | undefined }> = ({ next, problem }) => (
  <Page title="Sign in" session={undefined}>
    <div class="narrow">
      <h1>Sign in</h1>
      {problem === undefined ? null : (
        <Notice tone="bad">
          <p>{problem}</p>
        </Notice>
      )}
      <SignInForm next={next} />
    </div>
  </Page>
);

/** A path of this host to go on to; anything else is the list of apps. */
export function readNext(next: string | undefined, origin: string): string {
  if (next === undefined || !next.startsWith("/")) return "/apps";
  const url = URL.parse(next, origin);
  return url?.origin === origin ? url.pathname + url.search : "/apps";
}
