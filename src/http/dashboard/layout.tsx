// The frame of every page. Nothing in it depends on the script: with it pages are livelier, without it they do the same.
import { html } from "hono/html";
import type { FC, PropsWithChildren } from "hono/jsx";
import browser from "./browser.generated.json" with { type: "json" };
import type { Session } from "./session.ts";

/** Where the two files of the pages are; their names change with their content. */
export const STYLE_PATH = `/_dashboard/${browser.styleHash}.css`;
export const SCRIPT_PATH = `/_dashboard/${browser.scriptHash}.js`;

export interface PageProps {
  readonly title: string;
  /** undefined: nobody is signed in. */
  readonly session: Session | undefined;
  /** Which of the links above is this page's. */
  readonly section?: "apps" | "tokens" | "activity" | undefined;
}

/** A whole page. */
export const Page: FC<PropsWithChildren<PageProps>> = ({ title, session, section, children }) =>
  html`<!doctype html>${(
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{`${title} · Slipway`}</title>
          <link rel="icon" href={ICON} />
          <link rel="stylesheet" href={STYLE_PATH} />
          <script src={SCRIPT_PATH} defer></script>
        </head>
        <body>
          <a class="skip" href="#main">
            Skip to content
          </a>
          <header class="top">
            <a class="brand" href={session ? "/apps" : "/"}>
              <Mark /> Slipway
            </a>
            {session ? <SignedInNav session={session} section={section} /> : null}
          </header>
          <main id="main" tabindex={-1}>
            {children}
          </main>
          <footer class="foot">
            <a href="/">About this host</a>
            <a href="/api/v1/openapi.json">API</a>
          </footer>
        </body>
      </html>
    )}`;

const SignedInNav: FC<{ readonly session: Session; readonly section: PageProps["section"] }> = ({
  session,
  section,
}) => (
  <>
    <nav aria-label="Host">
      <NavLink href="/apps" isCurrent={section === "apps"}>
        Apps
      </NavLink>
      {session.caller.scope.kind === "host" ? (
        <>
          <NavLink href="/tokens" isCurrent={section === "tokens"}>
            Tokens
          </NavLink>
          <NavLink href="/activity" isCurrent={section === "activity"}>
            Activity
          </NavLink>
        </>
      ) : null}
    </nav>
    <form class="who" method="post" action="/sign-out">
      <span title="Who is signed in">{session.caller.name}</span>
      <FormToken session={session} />
      <button class="quiet" type="submit">
        Sign out
      </button>
    </form>
  </>
);

export const NavLink: FC<PropsWithChildren<{ readonly href: string; readonly isCurrent: boolean }>> = ({
  href,
  isCurrent,
  children,
}) => (
  <a href={href} {...(isCurrent ? { "aria-current": "page" } : {})}>
    {children}
  </a>
);

/** What every form that changes something carries. */
export const FormToken: FC<{ readonly session: Session }> = ({ session }) => (
  <input type="hidden" name="form" value={session.formToken} />
);

const Mark: FC = () => (
  <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
    <path d="M3 13h18l-3 6H6z" fill="currentColor" />
    <path d="M11 3v8H5zM13 5l5 6h-5z" fill="currentColor" opacity=".6" />
  </svg>
);

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="#0b7285"><path d="M3 13h18l-3 6H6z"/><path d="M11 3v8H5zM13 5l5 6h-5z" opacity=".6"/></g></svg>',
)}`;
