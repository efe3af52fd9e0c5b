// A visitor's request for an app: from the host name to the app's supervisor, and nothing else on the way.
import { parseLabel } from "../app/environment.ts";
import { HostingError } from "../errors.ts";

/**
 * The app's answer to `request`, WebSocket upgrades included.
 * @throws HostingError "app-not-found" if `label` cannot be an app's or one of its previews'
 */
export async function answerForApp(request: Request, env: Env, label: string): Promise<Response> {
  const environment = parseLabel(label);
  if (environment === undefined) throw new HostingError("app-not-found", "There is no app here.");
  return env.SUPERVISOR.getByName(environment.app).fetch(request);
}
