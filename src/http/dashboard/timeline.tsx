// The history of an app's deploys, and the same as it grows: a piece of HTML that the script puts in the place of the old one.
import type { FC } from "hono/jsx";
import type { HistoryAnswer } from "../api/deploys.ts";
import { deployState, environmentName, failureReason, tookMs } from "./app-state.ts";
import { Ago, Badge, CommitId } from "./parts.tsx";
import { duration } from "./words.ts";

interface TimelineProps {
  readonly app: string;
  readonly deploys: readonly HistoryAnswer[];
  /** Whether the reader may deploy. */
  readonly canPush: boolean;
}

const KINDS: Readonly<Record<HistoryAnswer["kind"], string>> = {
  push: "pushed",
  rollback: "rolled back",
  redeploy: "redeployed",
  restore: "restored",
  variables: "variables changed",
};

/** Whether a deploy can be made live again: it has code, and is of the production branch. */
export function canGoBack(deploy: HistoryAnswer): boolean {
  return deploy.codeId !== null && deploy.environment === "app" && deploy.state !== "live";
}

export const Timeline: FC<TimelineProps> = ({ app, deploys, canPush }) => (
  <ol class="timeline" reversed>
    {deploys.map((deploy) => (
      <li class={`entry ${deployState(deploy).tone}`} id={`deploy-${deploy.number}`}>
        <TimelineEntry app={app} deploy={deploy} canPush={canPush} />
      </li>
    ))}
  </ol>
);

const TimelineEntry: FC<Omit<TimelineProps, "deploys"> & { readonly deploy: HistoryAnswer }> = ({
  app,
  deploy,
  canPush,
}) => {
  const state = deployState(deploy);
  const took = tookMs(deploy);
  const base = `/apps/${app}`;
  return (
    <>
      <div class="entry-main">
        <p class="entry-title">
          <a href={`${base}/deploys/${deploy.number}`}>
            <span class="entry-number">#{deploy.number}</span> {deploy.subject ?? "No commit was read"}
          </a>
        </p>
        <p class="fine">
          <CommitId id={deploy.commit} /> {KINDS[deploy.kind]} by {deploy.actor} <Ago at={deploy.createdAt} />
          {took === undefined ? null : `, took ${duration(took)}`}
          {deploy.environment !== null && deploy.environment !== "app"
            ? `, ${environmentName(deploy.environment)}`
            : null}
          {deploy.restoresSnapshot === null ? null : `, on the data of snapshot ${deploy.restoresSnapshot}`}
        </p>
        {deploy.failure === null ? null : (
          <p class="entry-failure">
            <code>{deploy.failure.code}</code> {failureReason(deploy.failure)}
          </p>
        )}
      </div>
      <div class="entry-side">
        <Badge tone={state.tone} text={state.text} />
        {canPush && canGoBack(deploy) ? (
          <a
            class="button small"
            href={`${base}/rollback/${deploy.number}`}
            aria-label={`Go back to #${deploy.number}`}
          >
            Go back …
          </a>
        ) : null}
        {canPush && deploy.state === "live" ? (
          <a class="button small" href={`${base}/redeploy`}>
            Redeploy …
          </a>
        ) : null}
      </div>
    </>
  );
};
