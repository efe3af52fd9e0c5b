// A visitor's request for an app: from the host name to the app's supervisor, and nothing else on the way.
import { parseAppName } from "../app/app-name.ts";
import { HostingError } from "../errors.ts";

/**
 * The app's answer to `request`, WebSocket upgrades included.
 * @throws HostingError "app-not-found" if `label` cannot be an app's name
 */
export async function answerForApp(request: Request, env: Env, label: string): Promise<Response> {
  const app = parseAppName(label);
  if (app === undefined) throw new HostingError("app-not-found", "There is no app here.");
  return env.SUPERVISOR.getByName(app).fetch(request);
}
