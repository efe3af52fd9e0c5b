// A visitor's request for an app: from the host name to the app's supervisor, and nothing else on the way.
import { answerFor } from "../app/answers.ts";
import { parseLabel } from "../app/environment.ts";
import { OBJECT_HEADER } from "../app/object-address.ts";

/** The app's answer to `request`, WebSocket upgrades included. A label that can be nobody's is told what every unknown one is. */
export async function answerForApp(request: Request, env: Env, label: string): Promise<Response> {
  const environment = parseLabel(label);
  if (environment === undefined) return answerFor("app-not-found", request);
  return env.SUPERVISOR.getByName(environment.app).fetch(withoutMark(request));
}

/** A visitor who marks a request as one of the app's own for one of its objects gets to no object. */
function withoutMark(request: Request): Request {
  if (!request.headers.has(OBJECT_HEADER)) return request;
  const headers = new Headers(request.headers);
  headers.delete(OBJECT_HEADER);
  return new Request(request, { headers });
}
