// The option --host of the scripts that are about a host on Cloudflare.
import { StartError } from "./start-error.ts";

/** The domain, as it was given. */
export function checkHost(host: string | undefined): string {
  if (host === undefined) {
    throw new StartError("Every app answers at <app>.HOST: say which domain of yours that is, with -- --host NAME.");
  }
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)) {
    throw new StartError(`--host takes a domain name such as apps.example.com, not ${JSON.stringify(host)}.`);
  }
  return host;
}
