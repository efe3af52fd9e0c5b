// `npm run import -- hello.tar`: an app made of an archive that `GET /api/v1/apps/hello/export` wrote. `--host URL` says on which host, if
// not on this machine's; `--app NAME` what it is to be called, if not as the file; `--previews` that they come along. The token is the one that
// the host was started with.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { runScript, StartError } from "./start-error.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE = "npm run import -- FILE [--host http://localhost:8787] [--app NAME] [--previews]";

interface Order {
  readonly file: string;
  readonly host: URL;
  readonly app: string;
  readonly previews: boolean;
  readonly token: string;
}

function readOrder(): Order {
  const { values, positionals } = readArguments();
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new StartError(`One archive is imported at a time: ${USAGE}`);
  if (!existsSync(file) || !statSync(file).isFile()) throw new StartError(`There is no file ${file}.`);
  if (!URL.canParse(values.host) || !/^https?:$/.test(new URL(values.host).protocol)) {
    throw new StartError(`--host takes a URL such as http://localhost:8787, not ${JSON.stringify(values.host)}.`);
  }
  const app = values.app ?? basename(file).replace(/\.(?:tar|tar\.gz|tgz)$/, "");
  return { file, host: new URL(values.host), app, previews: values.previews, token: readToken() };
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        host: { type: "string", default: "http://localhost:8787" },
        app: { type: "string" },
        previews: { type: "boolean", default: false },
      },
    });
  } catch (cause) {
    throw new StartError(USAGE, { cause });
  }
}

/** From the environment, else from .dev.vars, as for a start; none is made here. */
function readToken(): string {
  const path = join(ROOT, ".dev.vars");
  const devVars = existsSync(path) ? readFileSync(path, "utf8") : "";
  const token = process.env["ADMIN_TOKEN"] || parseEnv(devVars)["ADMIN_TOKEN"];
  if (!token) throw new StartError("ADMIN_TOKEN is neither in the environment nor in .dev.vars.");
  return token;
}

async function send({ file, host, app, previews, token }: Order): Promise<Response> {
  const url = new URL(`/api/v1/apps/${encodeURIComponent(app)}/import${previews ? "?previews=1" : ""}`, host);
  const init = {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/x-tar",
      "content-length": String(statSync(file).size),
    },
    body: Readable.toWeb(createReadStream(file)),
    // Node wants it for a body that is a stream; the Worker's types do not know it.
    duplex: "half",
  };
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new StartError(`${host.origin} did not answer, or hung up. Is the host running?`, { cause });
  }
}

interface Report {
  readonly push: { readonly url?: string } | null;
  readonly refCount: number;
  readonly databaseCount: number;
  readonly alarmCount: number;
  readonly missingSecrets: readonly string[];
  readonly missingQuotas: readonly string[];
}

await runScript(async () => {
  const order = readOrder();
  const response = await send(order);
  const text = await response.text();
  if (!response.headers.get("content-type")?.includes("json")) {
    throw new StartError(`${order.host.origin} answered ${response.status} and is no Slipway host, as it seems.`);
  }
  if (!response.ok) {
    const { code, detail }: { code: string; detail: string } = JSON.parse(text);
    throw new StartError(`${order.app} was not imported (${code}): ${detail}`);
  }
  const { push, refCount, databaseCount, alarmCount, missingSecrets, missingQuotas }: Report = JSON.parse(text);
  console.log(`${order.app}: ${refCount} refs, ${databaseCount} databases, ${alarmCount} alarms.`);
  if (push?.url !== undefined) console.log(push.url);
  if (missingQuotas.length > 0) console.log(`These caps are the host's owner's to set: ${missingQuotas.join(", ")}`);
  if (missingSecrets.length > 0) console.log(`These secrets are to be set anew: ${missingSecrets.join(", ")}`);
});
