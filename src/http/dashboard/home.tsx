// The first page that anybody sees: what this is, how to be live in a minute on this very host, and the way in.
import type { FC } from "hono/jsx";
import { listTemplates, type TemplateSummary } from "../../repo/template-list.ts";
import { appUrl } from "../host-name.ts";
import { Page } from "./layout.tsx";
import { Command } from "./parts.tsx";
import type { Session } from "./session.ts";
import { SignInForm } from "./sign-in.tsx";

interface HomeProps {
  readonly url: URL;
  readonly hostName: string;
  readonly session: Session | undefined;
}

export const Home: FC<HomeProps> = ({ url, hostName, session }) => (
  <Page title="git push, and it is live" session={session}>
    <section class="hero">
      <h1>git push, and it is live</h1>
      <p class="lead">
        Slipway hosts small stateful apps: a class, its own SQLite database, and an address. Push a commit and it is
        built, tried on a copy of your data, and switched over without losing a request; push an older one to go back.
      </p>
    </section>
    <div class="columns">
      <section aria-labelledby="start">
        <h2 id="start">Start</h2>
        <StartCommands url={url} hostName={hostName} />
      </section>
      <section aria-labelledby="sign-in">
        {session ? (
          <>
            <h2 id="sign-in">You are signed in</h2>
            <p>
              <a class="button primary" href="/apps">
                Open the dashboard
              </a>
            </p>
          </>
        ) : (
          <>
            <h2 id="sign-in">Sign in</h2>
            <SignInForm next="/apps" />
          </>
        )}
      </section>
    </div>
    <section aria-labelledby="templates">
      <h2 id="templates">Templates</h2>
      <p>Whole small apps. Each is a repository that you can clone, read and push back.</p>
      <ul class="cards">
        {listTemplates().map((template) => (
          <li class="card">
            <TemplateCard template={template} url={url} />
          </li>
        ))}
      </ul>
    </section>
  </Page>
);

/** The commands of a first deploy, with this host's address in them. */
export const StartCommands: FC<{ readonly url: URL; readonly hostName: string }> = ({ url, hostName }) => (
  <>
    <p>
      <code>$TOKEN</code> stands for your token: <code>export TOKEN=…</code> once, then paste.
    </p>
    <Command label="From a template" text={`git clone ${gitUrl(url, "new/counter/hello.git")}\ncd hello && git push`} />
    <p class="fine">
      It answers at <span class="address">{appUrl(url, hostName, "hello")}</span>
    </p>
    <Command label="A repository of your own" text={`git push ${gitUrl(url, "hello.git")} main`} />
    <Command
      label="Without git"
      text={`curl ${url.origin}/api/v1/apps \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -d '{"name":"hello","template":"counter"}'`}
    />
  </>
);

/** What a template is, with the command that takes a copy of it. */
const TemplateCard: FC<{ readonly template: TemplateSummary; readonly url: URL }> = ({ template, url }) => (
  <>
    <h3>{template.title}</h3>
    <p>
      <TemplateText text={template.text} />
    </p>
    <Command text={`git clone ${url.origin}/templates/${template.name}.git`} />
  </>
);

export const TemplateText: FC<{ readonly text: string }> = ({ text }) => (
  <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>
);

/** Where git pushes to, with the token in a variable of the shell. */
function gitUrl(url: URL, path: string): string {
  return `${url.protocol}//x:$TOKEN@${url.host}/${path}`;
}

/** The same for whoever asks without a browser. */
export function plainHome(url: URL, hostName: string): string {
  const lines = [
    "This is Slipway, a git-push host for Durable Object apps.",
    "",
    `  git clone ${url.protocol}//x:TOKEN@${url.host}/new/counter/hello.git && cd hello && git push`,
    "",
    `deploys the counter template as ${appUrl(url, hostName, "hello")}.`,
    "",
    "Templates:",
    ...listTemplates().map(({ name, text }) => `  ${name.padEnd(12)} ${text}`),
    "",
    `The API: ${url.origin}/api/v1/openapi.json`,
    "",
  ];
  return lines.join("\n");
}
