// The files of what runs, or of any kept deploy: a list, and one file with line numbers.
import type { Context, Hono } from "hono";
import type { FC } from "hono/jsx";
import type { AppAnswer } from "../api/apps.ts";
import type { FilesAnswer } from "../api/files.ts";
import { readText } from "../text-bytes.ts";
import { AppFrame } from "./app-frame.tsx";
import { fetchApi, getApi, type Problem } from "./api-client.ts";
import { highlight } from "./highlight.ts";
import { CommitId, Empty, FromTerminal, ProblemNotice } from "./parts.tsx";
import type { DashboardEnv } from "./session.ts";
import { curl, plural, size } from "./words.ts";

/** More is listed by git. */
const MAX_LISTED = 1000;

export function addFilePages(pages: Hono<DashboardEnv>): void {
  pages.get("/apps/:app/files", async (c) => {
    const { app } = c.req.param();
    const { live } = await getApi<AppAnswer>(c, `/apps/${encodeURIComponent(app)}`);
    if (live !== null) return c.redirect(`/apps/${encodeURIComponent(app)}/files/${live.number}`, 302);
    return c.html(
      <AppFrame c={c} app={app} section="files" title="Files">
        <Empty title="Nothing is live yet">
          <p>The files of what runs appear here.</p>
        </Empty>
      </AppFrame>,
    );
  });
  pages.get("/apps/:app/files/:number{[0-9]+}", async (c) => {
    const path = c.req.query("path");
    return c.html(await (path === undefined ? listPage(c) : filePage(c, path)));
  });
}

async function listPage(c: Context<DashboardEnv>) {
  const { app = "", number = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const call = `${base}/deploys/${number}/files`;
  const { commit, files, count } = await getApi<FilesAnswer>(c, `${call}?limit=${MAX_LISTED}`);
  return (
    <AppFrame c={c} app={app} section="files" title="Files">
      <p>
        {plural(count, "file")} of <a href={`${base}/deploys/${number}`}>#{number}</a>, commit <CommitId id={commit} />
      </p>
      <ul class="file-list panel">
        {files.map((file) => (
          <li>
            <a href={`${base}/files/${number}?path=${encodeURIComponent(file.path)}`}>{file.path}</a>
            <span class="fine nowrap">
              {file.mode === "file" ? size(file.bytes) : `${file.mode}, ${size(file.bytes)}`}
            </span>
          </li>
        ))}
      </ul>
      {count > files.length ? <p>and {count - files.length} more, which a clone has.</p> : null}
      <FromTerminal text={curl(new URL(c.req.url).origin, { method: "GET", path: call })} />
    </AppFrame>
  );
}

async function filePage(c: Context<DashboardEnv>, path: string) {
  const { app = "", number = "" } = c.req.param();
  const base = `/apps/${encodeURIComponent(app)}`;
  const call = `${base}/deploys/${number}/file?path=${encodeURIComponent(path)}`;
  const answer = await fetchApi(c, "GET", call);
  const problem = answer.ok ? undefined : await answer.json<Problem>();
  const text = answer.ok ? readText(await answer.arrayBuffer()) : undefined;
  return (
    <AppFrame c={c} app={app} section="files" title={path}>
      <p class="back">
        <a href={`${base}/files/${number}`}>All files of #{number}</a>
      </p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {problem === undefined && text === undefined ? <p>This file is not text.</p> : null}
      {text === undefined ? null : <Code path={path} text={text} />}
      <FromTerminal text={curl(new URL(c.req.url).origin, { method: "GET", path: call })} />
    </AppFrame>
  );
}

const Code: FC<{ readonly path: string; readonly text: string }> = ({ path, text }) => (
  <pre class="code" role="region" aria-label={path} tabindex={0}>
    <code>
      {highlight(path, text).map((line) => (
        <span class="row">
          {line.map((piece) =>
            piece.kind === undefined ? piece.text : <span class={`tok-${piece.kind}`}>{piece.text}</span>,
          )}
          {"\n"}
        </span>
      ))}
    </code>
  </pre>
);
