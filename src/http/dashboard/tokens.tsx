// Tokens: those of the host at /tokens, those for one app at /apps/<app>/tokens. The same pages over the same two lists of the API.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { MadeTokenAnswer, TokenAnswer } from "../api/tokens.ts";
import { callApi, getApi, MOST, type Problem } from "./api-client.ts";
import { AppFrame } from "./app-frame.tsx";
import { FormToken, Page } from "./layout.tsx";
import { Ago, Badge, Command, Confirm, Empty, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";
import { curl } from "./words.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const ACCESS: Readonly<Record<string, string>> = {
  read: "read: clone, and see state and logs",
  push: "push: also deploy and roll back",
  admin: "admin: everything about the app",
  host: "host: everything on this host",
};

interface TokensState {
  readonly made?: MadeTokenAnswer;
  readonly problem?: Problem;
}

/** The page, making a token and revoking one, at a path which may name an :app. */
export function addTokenRoutes(pages: Hono<DashboardEnv>, path: "/tokens" | "/apps/:app/tokens"): void {
  pages.get(path, async (c) => c.html(await render(c, {})));
  pages.post(path, async (c) => {
    const { name = "", access = "", days = "" } = c.get("form");
    const expiresAt = /^\d{1,4}$/.test(days) ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : undefined;
    const asked = { name, access, ...(expiresAt === undefined ? {} : { expiresAt }) };
    const answer = await callApi<MadeTokenAnswer>(c, "POST", listPath(c), asked);
    // Shown in the answer itself: nothing that could be looked at again.
    if (answer.kind === "ok") return c.html(await render(c, { made: answer.data }), 201);
    return c.html(await render(c, { problem: answer.problem }), 400);
  });
  pages.post(`${path}/revoke`, async (c) => {
    const id = encodeURIComponent(c.get("form")["token"] ?? "");
    const answer = await callApi(c, "DELETE", `${listPath(c)}/${id}`);
    if (answer.kind === "ok") return c.redirect(listPath(c), 303);
    return c.html(await render(c, { problem: answer.problem }), 400);
  });
}

/** In the API and in the dashboard alike. */
function listPath(c: Context<DashboardEnv>): string {
  const app = c.req.param("app");
  return app === undefined ? "/tokens" : `/apps/${encodeURIComponent(app)}/tokens`;
}

async function render(c: Context<DashboardEnv>, state: TokensState) {
  const app = c.req.param("app");
  const { tokens } = await getApi<{ tokens: TokenAnswer[] }>(c, `${listPath(c)}?limit=${MOST}`);
  const content = <TokensContent c={c} app={app} tokens={tokens} state={state} />;
  if (app !== undefined) {
    return (
      <AppFrame c={c} app={app} section="tokens" title="Tokens">
        {content}
      </AppFrame>
    );
  }
  return (
    <Page title="Tokens" session={c.get("session")} section="tokens">
      <h1>Tokens</h1>
      {content}
    </Page>
  );
}

interface ContentProps {
  readonly c: Context<DashboardEnv>;
  readonly app: string | undefined;
  readonly tokens: readonly TokenAnswer[];
  readonly state: TokensState;
}

const TokensContent: FC<ContentProps> = ({ c, app, tokens, state }) => {
  const origin = new URL(c.req.url).origin;
  const path = listPath(c);
  return (
    <>
      <p class="lead">
        {app === undefined
          ? "For people, machines and agents. Each deploy and each change carries its token's name."
          : `These tokens are good for ${app} alone. Give one to a person, a CI job or an agent.`}
      </p>
      {state.problem ? <ProblemNotice problem={state.problem} /> : null}
      {state.made ? (
        <Notice tone="good">
          <p>
            The token <strong>{state.made.name}</strong>. Copy it now: it is stored nowhere and not shown again.
          </p>
          <Command text={state.made.token} />
        </Notice>
      ) : null}
      <TokenTable c={c} path={path} tokens={tokens} />
      <section class="panel" aria-labelledby="make">
        <h2 id="make">Make a token</h2>
        <form class="stack" method="post" action={path}>
          <FormToken session={c.get("session")} />
          <label for="token-name">Name</label>
          <input id="token-name" name="name" required maxlength={100} autocomplete="off" />
          <label for="access">May</label>
          <select id="access" name="access">
            {(app === undefined ? ["host"] : ["push", "read", "admin"]).map((access) => (
              <option value={access}>{ACCESS[access]}</option>
            ))}
          </select>
          <label for="days">Valid for</label>
          <select id="days" name="days">
            <option value="30">30 days</option>
            <option value="90">90 days</option>
            <option value="365">a year</option>
            <option value="">until it is revoked</option>
          </select>
          <button class="primary" type="submit">
            Make token
          </button>
        </form>
        <FromTerminal
          text={curl(origin, {
            method: "POST",
            path,
            body: { name: "ci", access: app === undefined ? "host" : "push" },
          })}
        />
      </section>
    </>
  );
};

const TokenTable: FC<{
  readonly c: Context<DashboardEnv>;
  readonly path: string;
  readonly tokens: readonly TokenAnswer[];
}> = ({ c, path, tokens }) => {
  if (tokens.length === 0) {
    return (
      <Empty title="No tokens yet">
        <p>The owner's own token is not in this list: it is the host's setting ADMIN_TOKEN.</p>
      </Empty>
    );
  }
  return (
    <div class="scroll" role="region" aria-label="Tokens" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">May</th>
            <th scope="col">Made</th>
            <th scope="col">Used</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span class="visually-hidden">Revoke</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr>
              <td>{token.name}</td>
              <td>
                <Badge tone="calm" text={token.access} /> {token.app ?? "the whole host"}
              </td>
              <td class="nowrap">
                <Ago at={token.createdAt} /> by {token.createdBy}
              </td>
              <td class="nowrap">{token.lastUsedAt === null ? "never" : <Ago at={token.lastUsedAt} />}</td>
              <td class="nowrap">{token.expiresAt === null ? "when revoked" : <Ago at={token.expiresAt} />}</td>
              <td>
                <Confirm label="Revoke …" name={`Revoke ${token.name}`}>
                  <form method="post" action={`${path}/revoke`}>
                    <FormToken session={c.get("session")} />
                    <input type="hidden" name="token" value={token.id} />
                    <p>Whoever has it is refused from now on.</p>
                    <button class="danger" type="submit">
                      Revoke {token.name}
                    </button>
                  </form>
                </Confirm>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
