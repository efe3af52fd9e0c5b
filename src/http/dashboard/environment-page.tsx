// An app's variables and secrets. What is secret was never sent back to this page.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { VariablesAnswer } from "../api/env.ts";
import { AppFrame } from "./app-frame.tsx";
import { callApi, getApi, MOST, type Problem } from "./api-client.ts";
import { FormToken } from "./layout.tsx";
import { Ago, Badge, Confirm, Empty, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import { mayAdminister, type DashboardEnv, type Session } from "./session.ts";
import { curl } from "./words.ts";

type Variable = VariablesAnswer["variables"][number];

const DONE: Readonly<Record<string, string>> = {
  set: "It is set. What is live was deployed with it.",
  delete: "It is gone. What is live was deployed without it.",
  deploy: "What is live has the newest variables.",
};

export function addEnvironmentPage(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/environment", async (c) => c.html(await environmentPage(c)));
  pages.post("/apps/:app/environment", async (c) => {
    const base = `/apps/${encodeURIComponent(c.req.param("app"))}`;
    const { action = "set" } = c.get("form");
    const answer = await change(c, `${base}/env`, action);
    if (answer.kind === "problem") return c.html(await environmentPage(c, answer.problem), 400);
    return c.redirect(`${base}/environment?done=${Object.hasOwn(DONE, action) ? action : "set"}`, 303);
  });
}

function change(c: Context<DashboardEnv>, path: string, action: string) {
  const { name = "", value = "", secret, scope = "production" } = c.get("form");
  if (action === "deploy") return callApi(c, "PATCH", path, {});
  const variable = `${path}/${encodeURIComponent(name.trim())}`;
  if (action === "delete") return callApi(c, "DELETE", `${variable}?scope=${encodeURIComponent(scope)}`);
  return callApi(c, "PUT", variable, { value, secret: secret === "on", scope });
}

async function environmentPage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const session = c.get("session");
  const { variables, live } = await getApi<VariablesAnswer>(c, `${base}/env?limit=${MOST}`);
  const done = DONE[c.req.query("done") ?? ""];
  return (
    <AppFrame c={c} app={app} section="environment" title="Environment">
      <p class="lead">
        What the app finds in its <code>env</code>, beside the <code>vars</code> of its repository. A change is deployed
        at once, and rehearsed first as every deploy is.
      </p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {done === undefined ? null : (
        <Notice tone="good">
          <p>{done}</p>
        </Notice>
      )}
      {live === null || live.changed.length === 0 ? null : (
        <Notice tone="busy">
          <p>
            Deploy #{live.deploy}, which is live, was gone back to, and has {live.changed.join(", ")} as they were then.
          </p>
          {mayAdminister(session) ? (
            <form method="post" action={`${base}/environment`}>
              <FormToken session={session} />
              <button class="small" name="action" value="deploy" data-busy="Deploying …">
                Deploy it with the newest
              </button>
            </form>
          ) : null}
        </Notice>
      )}
      <VariableTable base={base} variables={variables} session={session} />
      {mayAdminister(session) ? <NewVariable base={base} session={session} /> : null}
      <FromTerminal
        text={curl(new URL(c.req.url).origin, {
          method: "PUT",
          path: `${base}/env/API_KEY`,
          body: { value: "…", secret: true },
        })}
      />
    </AppFrame>
  );
}

const VariableTable: FC<{
  readonly base: string;
  readonly variables: readonly Variable[];
  readonly session: Session;
}> = ({ base, variables, session }) => {
  if (variables.length === 0) {
    return (
      <Empty title="No variables yet">
        <p>Keys, addresses and switches that do not belong into the repository.</p>
      </Empty>
    );
  }
  return (
    <div class="scroll" role="region" aria-label="Variables" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Value</th>
            <th scope="col">For</th>
            <th scope="col">Set</th>
            <th scope="col">
              <span class="visually-hidden">Delete</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {variables.map((variable) => (
            <tr>
              <td>
                <code>{variable.name}</code>
              </td>
              <td class="variable-value">
                {variable.kind === "secret" ? <Badge tone="calm" text="secret" /> : <code>{variable.value ?? ""}</code>}
              </td>
              <td>{variable.scope === "preview" ? "previews" : "production"}</td>
              <td class="nowrap">
                <Ago at={variable.setAt} /> by {variable.setBy}
              </td>
              <td>
                {mayAdminister(session) ? (
                  <Confirm label="Delete …" name={`Delete ${variable.name} for ${variable.scope}`}>
                    <form method="post" action={`${base}/environment`}>
                      <FormToken session={session} />
                      <input type="hidden" name="name" value={variable.name} />
                      <input type="hidden" name="scope" value={variable.scope} />
                      <p>What is live is deployed without it at once.</p>
                      <button class="danger" name="action" value="delete" data-busy="Deploying …">
                        Delete {variable.name}
                      </button>
                    </form>
                  </Confirm>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

const NewVariable: FC<{ readonly base: string; readonly session: Session }> = ({ base, session }) => (
  <section class="panel" aria-labelledby="set-variable">
    <h3 id="set-variable">Set a variable</h3>
    <form class="stack" method="post" action={`${base}/environment`}>
      <FormToken session={session} />
      <label for="variable-name">Name</label>
      <input
        id="variable-name"
        name="name"
        required
        maxlength={64}
        pattern="[A-Za-z_][A-Za-z0-9_]*"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
      />
      <label for="variable-value">Value</label>
      <textarea id="variable-value" name="value" spellcheck={false} autocomplete="off"></textarea>
      <label for="variable-scope">For</label>
      <select id="variable-scope" name="scope">
        <option value="production">production</option>
        <option value="preview">previews</option>
      </select>
      <label class="choice">
        <input type="checkbox" name="secret" checked />
        <span>
          <strong>Secret</strong>
          <span class="fine">Sealed, and never shown again. Previews do not have production's secrets.</span>
        </span>
      </label>
      <button class="primary" name="action" value="set" data-busy="Deploying …">
        Set and deploy
      </button>
    </form>
  </section>
);
