// Every key that wrangler documents, by what becomes of it here: read; of no meaning here and let be; or named, since an app that
// relies on it would fail in the middle of a request.
import { isEmpty, isStringList, isTableList } from "./config-check.ts";
import { type ConfigFile, type ConfigKeys, isTable } from "./config-file.ts";
import type { BuildMessage } from "./messages.ts";
import { nearestName } from "./nearest.ts";

/** What this host does not have, with what does the same here. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  agent_memory: "Keep the memories in the app's own SQL storage.",
  ai: "Call the model's own HTTP API with fetch.",
  ai_search: "Call a search service with fetch.",
  ai_search_namespaces: "Call a search service with fetch.",
  analytics: "Write the figures to the app's own SQL storage.",
  analytics_engine_datasets: "Write the figures to the app's own SQL storage.",
  artifacts: "Keep files in the repository, or in the app's own storage.",
  browser: "Call a browser service with fetch.",
  connect: "Call the other service at its own address with fetch.",
  containers: "Run the container elsewhere, and call it with fetch.",
  d1_databases: "Use the Durable Object's own SQL storage, ctx.storage.sql.",
  data_blobs: "Import the file instead: import data from './file.bin'.",
  dispatch_namespaces: "An app cannot start other apps here.",
  flagship: "Keep the flags in vars or in the app's own storage.",
  hyperdrive: "Use the Durable Object's own SQL storage, ctx.storage.sql.",
  images: "Call an image service with fetch.",
  k2: "Use the Durable Object's own SQL storage, ctx.storage.sql.",
  kv_namespaces: "Use the Durable Object's own storage, ctx.storage.kv.",
  media: "Call a media service with fetch.",
  mtls_certificates: "Client certificates cannot be used here.",
  pages_build_output_dir: 'This is a Pages project: set "main" to its entry, and "assets.directory" to that folder.',
  pipelines: "Write the records to the app's own SQL storage.",
  queues: "Keep a table of jobs, and work on it in alarm().",
  r2_buckets: "Keep blobs under 2 MB in ctx.storage, and larger ones in a storage service with fetch.",
  ratelimits: "Count the requests in the Durable Object's own storage.",
  secrets_store_secrets: "Set the value as a variable of the app.",
  send_email: "Call a mail service with fetch.",
  services: "Call the other app at its own address with fetch.",
  site: 'Use static assets instead: "assets": { "directory": "./public" }.',
  stream: "Call a video service with fetch.",
  text_blobs: "Import the file instead: import text from './file.txt'.",
  unsafe: "Nothing that wrangler calls unsafe is here.",
  unsafe_hello_world: "Nothing that wrangler calls unsafe is here.",
  vectorize: "Keep the vectors in the app's own SQL storage.",
  version_metadata: "Set the version as a variable in vars.",
  vpc_networks: "Call the other service at its own address with fetch.",
  vpc_services: "Call the other service at its own address with fetch.",
  wasm_modules: "Import the file instead: import module from './file.wasm'.",
  worker_loaders: "An app cannot load other Workers here.",
  workflows: "Keep the steps in a table, and work on them in alarm().",
};

/** Keys that a build reads. */
const READ: readonly string[] = (
  "alias assets base_dir build compatibility_date compatibility_flags define durable_objects find_additional_modules " +
  "jsx_factory jsx_fragment keep_names main migrations minify no_bundle preserve_file_names rules triggers tsconfig vars"
).split(" ");

/** Keys about Cloudflare's side of a Worker, or about wrangler itself. */
const LET_BE: readonly string[] = (
  "$schema access account_id addresses cache cloudchamber compliance_region dependencies_instrumentation dev env exports " +
  "first_party_worker keep_vars legacy_env limits logfwdr logpush name node_compat observability placement " +
  "preview_urls previews python_modules route routes secrets send_metrics streaming_tail_consumers tail_consumers " +
  "upload_source_maps usage_model workers_dev"
).split(" ");

/** The keys of the tables that a build reads. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  assets: ["directory", "binding", "html_handling", "not_found_handling", "run_worker_first"],
  build: ["command", "cwd", "watch_dir"],
  durable_objects: ["bindings"],
  triggers: ["crons", "events"],
};

/** An error for each thing that the app would miss. */
export function unsupportedKeys(file: ConfigFile): BuildMessage[] {
  return Object.entries(UNSUPPORTED)
    .filter(([key]) => !isEmpty(file.value[key]))
    .map(([key, fix]) => ({
      code: "config-unsupported",
      text: `This host has nothing to bind for ${key}.`,
      location: file.locate([key]),
      fix,
    }));
}

/** A warning for each key that nobody knows, and for what is read otherwise than one may think. */
export function keyWarnings(file: ConfigFile): BuildMessage[] {
  const known = [...READ, ...LET_BE, ...Object.keys(UNSUPPORTED)];
  const unknown = unknownKeys(file, [], known);
  const nested = Object.entries(TABLES).flatMap(([key, names]) => unknownKeys(file, [key], names));
  return [...unknown, ...nested, ...environments(file), ...unmovedClasses(file)];
}

function unknownKeys(file: ConfigFile, at: readonly string[], known: readonly string[]): BuildMessage[] {
  const [table] = at;
  const value = table === undefined ? file.value : file.value[table];
  if (!isTable(value)) return [];
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const keys: ConfigKeys = [...at, key];
      const nearest = nearestName(key, known);
      const fix = nearest === undefined ? {} : { fix: `Did you mean "${nearest}"?` };
      const text = `${keys.join(".")} is no key of a wrangler configuration, and is not read.`;
      return { code: "build-warning" as const, text, location: file.locate(keys), ...fix };
    });
}

/** What migrations do to objects elsewhere, and not here. Of deletions the last, since the list stays. */
function unmovedClasses(file: ConfigFile): BuildMessage[] {
  const { migrations } = file.value;
  if (!isTableList(migrations)) return [];
  const transferred = migrations.flatMap((migration, at) => {
    const { transferred_classes: moves } = migration;
    if (!isTableList(moves)) return [];
    return moves.map(({ from, to }) => ({
      code: "build-warning" as const,
      text: `Objects of ${String(to)} do not get what those of ${String(from)} have: transferred_classes is not read.`,
      location: file.locate(["migrations", at, "transferred_classes"]),
      fix: "Another Worker is another app here: bring its data over by requests between the two.",
    }));
  });
  const last = migrations.length - 1;
  const deleted = migrations[last]?.["deleted_classes"];
  if (!isStringList(deleted) || deleted.length === 0) return transferred;
  const text = `The objects of ${deleted.join(", ")} are kept, for going back: a push deletes no data.`;
  const fix = "To delete them: DELETE /api/v1/apps/<app>/objects/<class>/<id>.";
  const location = file.locate(["migrations", last, "deleted_classes"]);
  return [...transferred, { code: "build-warning", text, location, fix }];
}

function environments(file: ConfigFile): BuildMessage[] {
  const { env } = file.value;
  const names = isTable(env) ? Object.keys(env) : [];
  if (names.length === 0) return [];
  const text = `The environments of ${file.path} (${names.join(", ")}) are not used: an app here has what the top level says.`;
  return [{ code: "build-warning", text, location: file.locate(["env"]) }];
}
