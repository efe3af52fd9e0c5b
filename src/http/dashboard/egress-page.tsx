// The hosts that an app may call, and what it called.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { EgressAnswer } from "../api/egress.ts";
import { AppFrame } from "./app-frame.tsx";
import { callApi, getApi, type Problem } from "./api-client.ts";
import { environmentName } from "./app-state.ts";
import { FormToken } from "./layout.tsx";
import { Ago, Empty, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import { mayAdminister, type DashboardEnv } from "./session.ts";
import { curl } from "./words.ts";

interface Refused {
  readonly problem: Problem;
  readonly allow: string;
  readonly previewAllow: string;
}

export function addEgressPage(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/egress", async (c) => c.html(await egressPage(c)));
  pages.post("/apps/:app/egress", async (c) => {
    const base = `/apps/${encodeURIComponent(c.req.param("app"))}/egress`;
    const { allow = "", previewAllow = "" } = c.get("form");
    const answer = await callApi(c, "PUT", base, { allow: readList(allow), previewAllow: readList(previewAllow) });
    if (answer.kind === "ok") return c.redirect(`${base}?done=save`, 303);
    return c.html(await egressPage(c, { problem: answer.problem, allow, previewAllow }), 400);
  });
}

function readList(text: string): string[] {
  return text.split(/[\s,]+/).filter((rule) => rule !== "");
}

async function egressPage(c: Context<DashboardEnv>, refused?: Refused) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}/egress`;
  const egress = await getApi<EgressAnswer>(c, base);
  return (
    <AppFrame c={c} app={app} section="egress" title="Egress">
      <p class="lead">An app calls no other host unless it stands here. A change holds from the next request on.</p>
      {refused ? <ProblemNotice problem={refused.problem} /> : null}
      {c.req.query("done") === "save" ? (
        <Notice tone="good">
          <p>The lists are saved, and hold already.</p>
        </Notice>
      ) : null}
      {mayAdminister(c.get("session")) ? (
        <form class="stack" method="post" action={base}>
          <FormToken session={c.get("session")} />
          <label for="allow">Production may call</label>
          <textarea id="allow" name="allow" spellcheck={false} aria-describedby="rule-hint">
            {refused?.allow ?? egress.allow.join("\n")}
          </textarea>
          <label for="previewAllow">Previews may call</label>
          <textarea id="previewAllow" name="previewAllow" spellcheck={false} aria-describedby="rule-hint">
            {refused?.previewAllow ?? egress.previewAllow.join("\n")}
          </textarea>
          <p class="fine" id="rule-hint">
            A host a line: <code>api.example.com</code>, <code>*.example.com</code>, <code>api.example.com:8443</code>,
            or <code>*</code> for any public host.
          </p>
          <button class="primary" type="submit">
            Save
          </button>
        </form>
      ) : (
        <p>Production may call: {egress.allow.length === 0 ? "nothing" : egress.allow.join(", ")}.</p>
      )}
      <section aria-labelledby="recent">
        <h3 id="recent">Last calls</h3>
        <RecentCalls recent={egress.recent} />
      </section>
      <FromTerminal
        text={curl(new URL(c.req.url).origin, { method: "PUT", path: base, body: { allow: ["api.example.com"] } })}
      />
    </AppFrame>
  );
}

const RecentCalls: FC<{ readonly recent: EgressAnswer["recent"] }> = ({ recent }) => {
  if (recent.length === 0) {
    return (
      <Empty title="No calls since the app woke">
        <p>Calls to other hosts appear here, those that were refused too.</p>
      </Empty>
    );
  }
  return (
    <div class="scroll" role="region" aria-label="Last calls" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Call</th>
            <th scope="col">Outcome</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {recent.map((call) => (
            <tr>
              <td class="nowrap">
                <Ago at={call.at} />
              </td>
              <td>
                <code>
                  {call.method} {call.host}
                  {call.path}
                </code>
              </td>
              <td>{call.reason ?? call.status}</td>
              <td class="nowrap">
                {environmentName(call.environment)} #{call.deploy}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};
