// Previews: other branches, each at an address of its own, on a copy of production's data.
import type { Context, Hono } from "hono";
import type { FC, PropsWithChildren } from "hono/jsx";
import type { PreviewAnswer } from "../api/previews.ts";
import { AppFrame } from "./app-frame.tsx";
import { callApi, getApi, MOST, type Problem } from "./api-client.ts";
import { FormToken } from "./layout.tsx";
import { Ago, Badge, Command, CommitId, Confirm, Empty, FromTerminal, Notice, ProblemNotice } from "./parts.tsx";
import { mayPush, type DashboardEnv, type Session } from "./session.ts";
import { curl } from "./words.ts";

const DONE: Readonly<Record<string, string>> = {
  fork: "The preview has a fresh copy of production's data.",
  empty: "The preview begins without data.",
  delete: "The preview and its data are gone. The branch is still there.",
};

export function addPreviewPages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/previews", async (c) => c.html(await previewsPage(c)));
  pages.post("/apps/:app/previews", async (c) => {
    const base = `/apps/${encodeURIComponent(c.req.param("app"))}/previews`;
    const { branch = "", slug = "", action = "" } = c.get("form");
    const answer =
      action === "delete"
        ? await callApi(c, "DELETE", `${base}/${encodeURIComponent(slug)}`)
        : await callApi(c, "POST", base, { branch, data: action === "empty" ? "empty" : "fork" });
    if (answer.kind === "ok") return c.redirect(`${base}?done=${Object.hasOwn(DONE, action) ? action : "fork"}`, 303);
    return c.html(await previewsPage(c, answer.problem), 409);
  });
}

async function previewsPage(c: Context<DashboardEnv>, problem?: Problem) {
  const { app = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}/previews`;
  const { previews } = await getApi<{ previews: PreviewAnswer[] }>(c, `${base}?limit=${MOST}`);
  const done = DONE[c.req.query("done") ?? ""];
  const url = new URL(c.req.url);
  return (
    <AppFrame c={c} app={app} section="previews" title="Previews">
      <p class="lead">
        Each branch but the production branch runs at an address of its own, on a copy of production's data.
      </p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {done === undefined ? null : (
        <Notice tone="good">
          <p>{done}</p>
        </Notice>
      )}
      {previews.length === 0 ? (
        <Empty title="No previews">
          <p>Push a branch, and it gets one:</p>
          <Command text={`git push ${url.protocol}//x:$TOKEN@${url.host}/${app}.git HEAD:feature`} />
        </Empty>
      ) : (
        <ul class="apps">
          {previews.map((preview) => (
            <li class="panel preview">
              <PreviewCard preview={preview} base={base} session={c.get("session")} />
            </li>
          ))}
        </ul>
      )}
      <FromTerminal
        text={`${curl(url.origin, { method: "POST", path: base, body: { branch: "feature", data: "fork" } })}\n${curl(url.origin, { method: "DELETE", path: `${base}/feature` })}`}
      />
    </AppFrame>
  );
}

const PreviewCard: FC<{ readonly preview: PreviewAnswer; readonly base: string; readonly session: Session }> = ({
  preview,
  base,
  session,
}) => (
  <>
    <div class="heading">
      <h3>{preview.branch}</h3>
      <Badge tone={preview.state === "alive" ? "good" : "calm"} text={preview.state} />
    </div>
    <p class="fine">
      {preview.commit === null ? "Nothing is deployed." : <CommitId id={preview.commit} />} Used{" "}
      <Ago at={preview.usedAt} />
      {preview.expiresAt === null ? null : (
        <>
          , goes <Ago at={preview.expiresAt} /> if nobody comes
        </>
      )}
    </p>
    {preview.state === "alive" ? (
      <p class="address">
        <a href={preview.url}>{preview.url}</a>
      </p>
    ) : null}
    {mayPush(session) ? (
      <div class="actions">
        <PreviewAction preview={preview} base={base} session={session} action="fork" label="Fresh data">
          The preview's data is replaced by a copy of production's data as it is now. What was written in the preview is
          gone.
        </PreviewAction>
        <PreviewAction preview={preview} base={base} session={session} action="empty" label="Start empty">
          The preview begins without any data. What was written in it is gone; production is not touched.
        </PreviewAction>
        <PreviewAction preview={preview} base={base} session={session} action="delete" label="Delete">
          The address answers nobody any more and the preview's data is gone. The branch and its commits stay.
        </PreviewAction>
      </div>
    ) : null}
  </>
);

interface ActionProps {
  readonly preview: PreviewAnswer;
  readonly base: string;
  readonly session: Session;
  readonly action: keyof typeof DONE;
  readonly label: string;
}

const PreviewAction: FC<PropsWithChildren<ActionProps>> = ({ preview, base, session, action, label, children }) => (
  <Confirm label={`${label} …`} name={`${label}: ${preview.branch}`}>
    <form method="post" action={base}>
      <FormToken session={session} />
      <input type="hidden" name="branch" value={preview.branch} />
      <input type="hidden" name="slug" value={preview.slug} />
      <p>{children}</p>
      <button class={action === "delete" ? "danger" : "primary"} name="action" value={action} data-busy="One moment …">
        {label}
      </button>
    </form>
  </Confirm>
);
