// A failure as the pusher is told of it: why, and what is live all the same.
import type { AppName } from "./app/app-name.ts";
import type { Supervisor } from "./app/supervisor.ts";
import type { Deployment } from "./push-deployment.ts";
import type { PushFailure } from "./push-failure.ts";
import * as lines from "./push-report.ts";

/** Whom to ask what is live, and where its addresses are. */
export interface ExplainInput {
  readonly supervisor: DurableObjectStub<Supervisor>;
  readonly request: { readonly app: AppName; readonly urlOf: (label: string) => string; readonly apiUrl: string };
}

export async function explainFailure(input: ExplainInput, deployment: Deployment, failure: PushFailure): Promise<void> {
  const { branch, narrator, number } = deployment;
  const still = await findStillLive(input, deployment);
  for (const line of lines.failureLines(failure, still)) narrator.say(line);
  const log = number === undefined ? undefined : `${input.request.apiUrl}/deploys/${number}/log`;
  for (const line of lines.briefFailureLines(failure, branch, log)) narrator.brief(line);
  const running = still.live && { deploy: still.live.number, commit: still.live.commitId, url: still.url };
  narrator.note({ explained: failure.lines, live: running ?? null });
}

/** What answers where the branch deploys to. */
export async function findStillLive(
  { supervisor, request }: ExplainInput,
  { branch, preview }: Deployment,
): Promise<lines.StillLive> {
  if (preview === undefined) {
    return { live: (await supervisor.describe())?.live, url: request.urlOf(request.app), previewOf: undefined };
  }
  const found = (await supervisor.listPreviews()).find((listed) => listed.branch === branch);
  return { live: found?.deploy, url: request.urlOf(found?.label ?? request.app), previewOf: branch };
}
