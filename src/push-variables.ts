// A change of variables: code that is live goes live again with them, by the stages of a push.
import type { AppName } from "./app/app-name.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { HostingError } from "./errors.ts";
import type { Host } from "./push-host.ts";
import { stageLine } from "./push-report.ts";
import { deployAgain, type RollbackReport, type RollbackRequest } from "./push-rollback.ts";
import { listSome } from "./push-variable-lines.ts";

type VariableChange = Parameters<Supervisor["prepareVariables"]>[0][number];

/** What is to be changed, all or nothing. */
export interface VariablesRequest extends Pick<RollbackRequest, "app" | "actor" | "urlOf" | "apiUrl" | "now"> {
  readonly app: AppName;
  readonly changes: readonly VariableChange[];
}

/** What became of it. Without a deploy: it is stored, and no deploy of production is any different for it. */
export type VariablesReport = { readonly app: AppName; readonly deploy: null } | RollbackReport;

/** Someone else may change variables, or deploy, at the same time. */
const MAX_TRIES = 3;
const STALE: readonly string[] = ["variables-stale", "ref-stale"];

/**
 * Changes variables. Where production runs, that is a deploy: it is live with them, or nothing was changed.
 * @throws HostingError "invalid-request", "secrets-unavailable", and the failure's code where the app does not start with them
 */
export async function changeVariables(request: VariablesRequest, host: Host): Promise<VariablesReport> {
  const { app, actor, changes } = request;
  const supervisor = host.env.SUPERVISOR.getByName(app);
  for (let tries = 1; ; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each try rests on what is there then
    const prepared = await supervisor.prepareVariables(changes, actor);
    if (prepared.kind === "no-app") throw new HostingError("not-found", `There is no app ${app}.`);
    if (prepared.kind === "refused") throw new HostingError(prepared.code, prepared.reason);
    if (prepared.kind !== "prepared") return { app, deploy: null };
    const { envId, basedOn, live } = prepared;
    const variables = { newest: basedOn ?? null, liveNumber: live.number, becomesNewest: true };
    const again = { deploy: live, envId, variables, restoresSnapshot: undefined, notes: [describeNames(changes)] };
    try {
      // oxlint-disable-next-line no-await-in-loop -- as above
      return await deployAgain({ ...request, kind: "variables" }, host, again);
    } catch (error) {
      const isStale = error instanceof HostingError && STALE.includes(error.code);
      if (!isStale || tries === MAX_TRIES) throw error;
    }
  }
}

/** Names only. */
function describeNames(changes: readonly VariableChange[]): string {
  if (changes.length === 0) return stageLine("variables", "the newest");
  const names = changes.map(({ name, value }) => `${name} ${value === undefined ? "deleted" : "set"}`);
  return stageLine("variables", listSome(names));
}
