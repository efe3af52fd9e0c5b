// How an app is set before anything is pushed to it: what an import finds in an archive, and a fork with its source.
import type { AppDescription } from "./app/description.ts";
import type { Quotas } from "./app/quota-table.ts";
import type { Supervisor } from "./app/supervisor.ts";
import { HostingError } from "./errors.ts";
import { deletedApp } from "./push-deleted.ts";
import type { Host } from "./push-host.ts";
import type { MadePushRequest } from "./push-made.ts";
import { changeVariables } from "./push-variables.ts";

/** What is set. */
export interface AppSetup {
  /** Whether what is pushed goes live, as it did where it comes from. Later pushes do as the settings say, from settleApp on. */
  readonly deploys: boolean;
  readonly settings: Partial<AppDescription["settings"]>;
  readonly retention: Parameters<Supervisor["changeRetention"]>[0];
  readonly quotas: Partial<Quotas>;
  readonly egress: Parameters<Supervisor["changeEgress"]>[0];
  readonly variables: Parameters<Supervisor["prepareVariables"]>[0];
}

/**
 * Makes the app, set so and with nothing in it.
 * @throws HostingError "app-exists", "app-deleted", or as changeVariables: then there is no app
 */
export async function beginApp(request: MadePushRequest, host: Host, setup: AppSetup): Promise<void> {
  const supervisor = host.env.SUPERVISOR.getByName(request.app);
  const { kind, state } = await supervisor.createRepository({ ...setup.settings, deploy: setup.deploys });
  if (state.deletedUntilMs !== undefined) throw deletedApp(request, state.deletedUntilMs);
  if (kind === "exists")
    throw new HostingError("app-exists", `There is an app ${request.app} already. Choose another name.`);
  try {
    await supervisor.changeRetention(setup.retention);
    await supervisor.changeQuotas(setup.quotas);
    await supervisor.changeEgress(setup.egress);
    if (setup.variables.length > 0) await changeVariables({ ...request, changes: setup.variables }, host);
  } catch (error) {
    await supervisor.undoCreation();
    throw error;
  }
}

/** Once everything is pushed. */
export async function settleApp({ app }: MadePushRequest, host: Host, { settings }: AppSetup): Promise<void> {
  await host.env.SUPERVISOR.getByName(app).changeSettings({ deploy: settings.deploy ?? true });
}
