// The Worker: hands every request to the router and exports the classes that the runtime makes by name.
import { env } from "cloudflare:workers";
import { route } from "./http/router.ts";
import { createHost } from "./push-host.ts";

export { Alarms } from "./app/alarms-entrypoint.ts";
export { Assets } from "./app/assets-entrypoint.ts";
export { Directory } from "./app/directory.ts";
export { Egress } from "./app/egress-entrypoint.ts";
export { Logs } from "./app/logs-entrypoint.ts";
export { Objects } from "./app/objects-entrypoint.ts";
export { Supervisor } from "./app/supervisor.ts";
export { Compactor } from "./compactor.ts";

const host = createHost(env);

export default {
  fetch: (request, _env, context) => route(request, host, context),
} satisfies ExportedHandler<Env>;
