// A fork: another app of an app's code and history, set as it is, and with its data if that is asked for. Previews, snapshots and tokens
// stay behind, and without data alarms too: they belong to it.
import type { AppName } from "./app/app-name.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { HostingError } from "./errors.ts";
import { copyAppData } from "./push-fork-data.ts";
import type { Host } from "./push-host.ts";
import { pushCopy, type MadePushReport, type MadePushRequest } from "./push-made.ts";
import { beginApp, settleApp, type AppSetup } from "./push-setup.ts";
import { openRepository } from "./repo/repository.ts";

/** What is forked, and what of it. */
export interface ForkRequest {
  readonly from: AppName;
  readonly data: boolean;
  /** Else only plain variables come along. */
  readonly secrets: boolean;
}

/** What the push came to. */
export type ForkReport = MadePushReport & {
  readonly alarmCount: number;
  /** Names of secrets that stayed behind. */
  readonly missingSecrets: readonly string[];
};

/**
 * Makes the app: its production branch, which deploys if it does in the source, then all its other refs. Where a part fails there is no app.
 * @throws HostingError "not-found" for the source, "secrets-unavailable", or as beginApp, pushCopy and copyAppData
 */
export async function forkApp(
  request: MadePushRequest,
  host: Host,
  { from, data, secrets }: ForkRequest,
): Promise<ForkReport> {
  const source = host.env.SUPERVISOR.getByName(from);
  const state = await source.readRepository();
  if (state === undefined) throw new HostingError("not-found", `There is no app ${from}.`);
  const { missingSecrets, ...setup } = await readSetup(source, { secrets });
  await beginApp(request, host, setup);
  try {
    const report = await pushCopy(request, host, openRepository(host.packs, state));
    const alarmCount = data && setup.deploys ? await copyAppData({ from, to: request.app }, host) : 0;
    await settleApp(request, host, setup);
    return { ...report, alarmCount, missingSecrets };
  } catch (error) {
    await host.env.SUPERVISOR.getByName(request.app).undoCreation();
    throw error;
  }
}

async function readSetup(
  source: DurableObjectStub<Supervisor>,
  what: { readonly secrets: boolean },
): Promise<AppSetup & Pick<ForkReport, "missingSecrets">> {
  const [description, retention, quotas, egress, copied] = await Promise.all([
    source.describe(),
    source.changeRetention({}),
    source.readOwnQuotas(),
    source.readEgress(),
    source.copyVariables(what),
  ]);
  if (copied.kind === "refused") throw new HostingError(copied.code, copied.reason);
  return {
    deploys: description?.live !== undefined,
    settings: description?.settings ?? {},
    retention: retention ?? {},
    quotas,
    egress: { allow: egress?.allow ?? [], previewAllow: egress?.previewAllow ?? [] },
    variables: copied.changes,
    missingSecrets: copied.missingSecrets,
  };
}
