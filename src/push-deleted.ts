// What a pusher is told where the app's name is kept for one that was deleted and may come back.
import { HostingError } from "./errors.ts";

/** Says how it is brought back and how it goes for good. */
export function deletedApp(
  { app, apiUrl }: { readonly app: string; readonly apiUrl: string },
  untilMs: number,
): HostingError {
  const until = new Date(untilMs).toISOString();
  const message = `The app ${app} was deleted. Until ${until} it can be brought back: curl -X POST -H "Authorization: Bearer $TOKEN" ${apiUrl}/undelete
To delete it for good, so that its name is free: curl -X DELETE -H "Authorization: Bearer $TOKEN" "${apiUrl}?forever=1"`;
  return new HostingError("app-deleted", message, { facts: { until } });
}
