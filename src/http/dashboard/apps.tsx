// All apps at a glance, and the way to a new one.
import type { Context } from "hono";
import { sumCounts } from "../../app/usage.ts";
import type { FC } from "hono/jsx";
import { listTemplates } from "../../repo/template-list.ts";
import type { AppAnswer, AppEntryAnswer } from "../api/apps.ts";
import type { HistoryAnswer } from "../api/deploys.ts";
import type { UsageAnswer } from "../api/usage.ts";
import { cursorQuery, findApi, getApi, type Problem } from "./api-client.ts";
import { appState } from "./app-state.ts";
import { StartCommands, TemplateText } from "./home.tsx";
import { FormToken, Page } from "./layout.tsx";
import { Ago, Badge, CommitId, Empty, FromTerminal, ProblemNotice } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";
import { readUsage } from "./usage-numbers.ts";
import { count, curl, size } from "./words.ts";

/** Each app of a page costs its supervisor three questions. */
const PAGE_SIZE = 20;
const USAGE_DAYS = 7;

/** The smallest one. */
const FIRST_TEMPLATE = "counter";

interface ListedApp {
  readonly entry: AppEntryAnswer;
  readonly app: AppAnswer | undefined;
  readonly newest: HistoryAnswer | undefined;
  readonly usage: UsageAnswer | undefined;
}

interface AppList {
  readonly apps: readonly ListedApp[];
  readonly next: string | undefined;
}

/** What the list shows, from where a page ended. */
export async function readApps(c: Context<DashboardEnv>, cursor: string | undefined): Promise<AppList> {
  const query = `?limit=${PAGE_SIZE}${cursorQuery(cursor)}`;
  const page = await getApi<{ apps: AppEntryAnswer[]; next?: string }>(c, `/apps${query}`);
  return { apps: await Promise.all(page.apps.map((entry) => readListed(c, entry))), next: page.next };
}

async function readListed(c: Context<DashboardEnv>, entry: AppEntryAnswer): Promise<ListedApp> {
  const [app, history, usage] = await Promise.all([
    findApi<AppAnswer>(c, `/apps/${entry.name}`),
    findApi<{ deploys: HistoryAnswer[] }>(c, `/apps/${entry.name}/deploys?limit=1`),
    readUsage(c, entry.name, USAGE_DAYS),
  ]);
  return { entry, app, newest: history?.deploys[0], usage };
}

interface AppsPageProps {
  readonly c: Context<DashboardEnv>;
  readonly list: AppList;
  /** What the form of a new app was refused for. */
  readonly refused?: (Problem & { readonly name: string; readonly template: string }) | undefined;
}

export const AppsPage: FC<AppsPageProps> = ({ c, list, refused }) => {
  const url = new URL(c.req.url);
  return (
    <Page title="Apps" session={c.get("session")} section="apps">
      <div class="heading">
        <h1>Apps</h1>
        <a class="button primary" href="#new">
          New app
        </a>
      </div>
      {list.apps.length === 0 ? (
        <Empty title="No app yet">
          <p>Make one from a template below, or push a repository to an address of its own:</p>
          <StartCommands url={url} hostName={c.env.host.env.HOST} />
        </Empty>
      ) : (
        <ul class="apps">
          {list.apps.map((listed) => (
            <li>
              <AppCard listed={listed} />
            </li>
          ))}
        </ul>
      )}
      {list.next === undefined ? null : (
        <p>
          <a class="button" href={`/apps?cursor=${encodeURIComponent(list.next)}`}>
            More apps
          </a>
        </p>
      )}
      <NewApp c={c} refused={refused} />
    </Page>
  );
};

const AppCard: FC<{ readonly listed: ListedApp }> = ({ listed: { entry, app, newest, usage } }) => {
  const state = app && appState(app, newest);
  const used = usage && sumCounts(usage.usage);
  return (
    <article class="app-card">
      <div class="app-card-head">
        <h2>
          <a href={`/apps/${entry.name}`}>{entry.name}</a>
        </h2>
        {state ? <Badge tone={state.tone} text={state.text} /> : null}
      </div>
      <p class="app-card-commit">
        {newest ? (
          <>
            <CommitId id={newest.commit} /> {newest.subject ?? ""}{" "}
            <span class="fine">
              <Ago at={newest.createdAt} /> by {newest.actor}
            </span>
          </>
        ) : (
          <span class="fine">Nothing was pushed to deploy.</span>
        )}
      </p>
      <dl class="facts small">
        <div>
          <dt>Requests, {USAGE_DAYS} days</dt>
          <dd>{used ? count(used.requests) : "–"}</dd>
        </div>
        <div class={used && used.errors > 0 ? "is-bad" : ""}>
          <dt>Errors</dt>
          <dd>{used ? count(used.errors) : "–"}</dd>
        </div>
        <div>
          <dt>Stored</dt>
          <dd>{usage ? size(Object.values(usage.storedBytes).reduce((sum, bytes) => sum + bytes, 0)) : "–"}</dd>
        </div>
      </dl>
      <p class="app-card-links">{app?.live ? <a href={entry.url}>{new URL(entry.url).host}</a> : null}</p>
    </article>
  );
};

const NewApp: FC<Pick<AppsPageProps, "c" | "refused">> = ({ c, refused }) => (
  <section class="panel" id="new" aria-labelledby="new-title">
    <h2 id="new-title">New app</h2>
    {refused ? <ProblemNotice problem={refused} /> : null}
    <form class="stack wide" method="post" action="/apps#new">
      <FormToken session={c.get("session")} />
      <label for="name">Name</label>
      <input
        class="short"
        id="name"
        name="name"
        required
        maxlength={40}
        pattern="[a-z][a-z0-9\-]*"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={refused?.name ?? ""}
        aria-describedby="name-hint"
      />
      <p class="fine" id="name-hint">
        Lower-case letters, digits and single hyphens, a letter first. It becomes the app's address.
      </p>
      <fieldset class="choices">
        <legend>Starts with</legend>
        {listTemplates().map((template) => (
          <label class="choice">
            <input
              type="radio"
              name="template"
              value={template.name}
              checked={template.name === (refused?.template ?? FIRST_TEMPLATE)}
            />
            <span>
              <strong>{template.title}</strong>
              <span class="fine">
                <TemplateText text={template.text} />
              </span>
            </span>
          </label>
        ))}
        <label class="choice">
          <input type="radio" name="template" value="" checked={refused?.template === ""} />
          <span>
            <strong>Nothing</strong>
            <span class="fine">An empty repository, to be pushed to.</span>
          </span>
        </label>
      </fieldset>
      <button class="primary" type="submit" data-busy="Deploying …">
        Create and deploy
      </button>
    </form>
    <FromTerminal
      text={curl(new URL(c.req.url).origin, {
        method: "POST",
        path: "/apps",
        body: { name: "hello", template: "counter" },
      })}
    />
  </section>
);
