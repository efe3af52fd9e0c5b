// The tables of the page for agents. Each is read from what the host itself goes by; only what a limit or a fact means is said here.
import { DRAIN_LIMIT_MS, HOLD_LIMIT_MS } from "../../app/arrival.ts";
import { START_LIMIT_MS } from "../../app/facet-start.ts";
import { QUOTAS as QUOTA_TABLE } from "../../app/quota-table.ts";
import { hostQuotas } from "../../app/quotas.ts";
import { ERROR_CODES, ERROR_MEANINGS } from "../../errors.ts";
import type { Host } from "../../push-host.ts";
import { PUSH_OPTIONS } from "../../push-plan.ts";
import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "../../repo/ingest-limits.ts";
import { listTemplates } from "../../repo/template-list.ts";
import { statusOf } from "../problem.ts";
import { listOperations } from "./operations.ts";
import { listTools } from "./tools.ts";

const QUOTAS: Readonly<Record<string, { readonly meaning: string }>> = QUOTA_TABLE;

type BuildLimits = Host["builder"]["limits"];

const INGEST: Readonly<Record<keyof IngestLimits, string>> = {
  maxPackBytes: "a push, as it is received",
  maxObjectBytes: "one file of a push",
  maxHeldBytes: "one file that git sends as a delta",
  maxInflatedBytes: "a push, uncompressed",
  freeInflatedBytes: "a small push, uncompressed",
  inflationRatio: "a push, uncompressed: so many times what was received",
  maxObjects: "objects in a push",
  maxKnownIds: "objects that a push has or names",
  maxDeltaDepth: "deltas upon deltas",
};

const BUILD: Readonly<Record<keyof BuildLimits, string>> = {
  treeFiles: "files in a commit",
  assetFiles: "static files",
  assetBytes: "one static file",
  modules: "modules that the entry reaches",
  fileBytes: "one source file",
  sourceBytes: "all source that the entry reaches",
  bundleBytes: "the bundle",
  timeMs: "a build",
  memoryBytes: "memory of a build",
  isolateBytes: "memory at which a builder is replaced; nobody notices",
  isolateBuilds: "builds after which a builder is replaced; nobody notices",
};

/** The facts of `-o json`, of a commit through the API and of a deploy's history. */
const PUSH_FACTS: Readonly<Record<string, string>> = {
  app: "the app",
  ok: "every ref moved, and what was to go live is live",
  deploy: "the deploy's number",
  commit: "the commit",
  branch: "the branch that was pushed",
  subject: "the commit's first line",
  received: "objects and bytes of the push",
  build:
    "entry, class, modules, bytes before and after, packages, codeId; sameAs: the deploy of the same code, which was not built again",
  assets: "static files that were new",
  types: "what the type check found, where one was asked for",
  rehearsal: "the start on a copy of the data (or an empty database), and the schema changes it made",
  cutover: "requests drained, dropped and turned away, and the longest hold in ms",
  data: "snapshots taken and restored",
  stored: "bytes that the data has, and those that it may have",
  url: "where it is live",
  deployUrl: "this deploy's own address",
  log: "where all that was said is kept",
  undo: "the command that takes it back",
  refs: "each ref, and why it was refused",
  failure: "stage, code, reason; file, line, column and fix where they are known",
  explained: "the failure in full, with source frames",
  live: "on failure: deploy, commit and url that still answer, or null",
  supersededBy: "the later deploy that is live instead",
  deployments: "of a push of several branches: these facts for each",
  stagesMs: "how long each stage took",
};

/** What to do about a failure, by where it comes from. */
export const FAILURES: readonly (readonly [what: string, remedy: string])[] = [
  [
    "401 auth-required; git says `could not read Username` or `Authentication failed`",
    "there is no token or a wrong one. Do not try again: ask the owner for `SLIPWAY_TOKEN`, and set up as above",
  ],
  ["403 auth-forbidden", "the token may not do this. The message says what it may. Ask the owner for another"],
  ["409 ref-stale, push rejected (fetch first)", "somebody else pushed. `git pull --rebase`, then push again"],
  ["build failed (any 422)", "nothing changed. Mend what file, line and `fix` say, commit, push again"],
  [
    "rehearse failed (start-failed, start-timeout)",
    "your code throws at module level or in the constructor, on a copy of the real data. Nothing changed. The frame is in your source",
  ],
  ["cut over failed", "it started in the rehearsal and not in production. It was taken back: what was live is live"],
  ["live, and answers 500 app-failed", "read the log (`level=error`), then mend it or roll back"],
  ["503 app-busy, 429 rate-limited", "wait for `retry-after` seconds, then repeat"],
  [
    "500 internal-error, a broken connection",
    "the host's own fault. Repeating is safe: a push that was accepted is up to date, and a POST with the same `Idempotency-Key` is done once",
  ],
];

/** Name and value of everything that is limited. */
export function limitRows(limits: BuildLimits): string[][] {
  return [
    ...Object.entries(INGEST).map(([name, text]) => [name, text, amount(name, valueOf(DEFAULT_INGEST_LIMITS, name))]),
    ...Object.entries(BUILD).map(([name, text]) => [name, text, amount(name, valueOf(limits, name))]),
    ["startMs", "module scope and constructor together", amount("startMs", START_LIMIT_MS)],
    ["holdMs", "a request that waits for a deploy, then 503", amount("holdMs", HOLD_LIMIT_MS)],
    ["drainMs", "a request that a deploy waits for", amount("drainMs", DRAIN_LIMIT_MS)],
  ];
}

/** What one app may take where nobody set anything else for it; units are in the names. */
export function quotaRows(env: Host["env"]): string[][] {
  return Object.entries(hostQuotas(env)).map(([name, value]) => [
    name,
    QUOTAS[name]?.meaning ?? "",
    value.toLocaleString("en"),
  ]);
}

export function codeRows(): string[][] {
  return ERROR_CODES.map((code) => [`\`${code}\``, String(statusOf(code)), ERROR_MEANINGS[code]]);
}

export function optionRows(): string[][] {
  return Object.entries(PUSH_OPTIONS).map(([option, meaning]) => [`\`-o ${option}\``, meaning]);
}

export function factRows(): string[][] {
  return Object.entries(PUSH_FACTS).map(([fact, meaning]) => [`\`${fact}\``, meaning]);
}

export function templateRows(): string[][] {
  return listTemplates().map(({ name, text }) => [`\`${name}\``, text]);
}

export function operationRows(): string[][] {
  return listOperations().map(({ method, path, summary, access, args }) => {
    const given = args
      .filter(({ place }) => place !== "path")
      .map(({ name, isRequired }) => (isRequired ? name : `${name}?`));
    return [`\`${method} ${path}\``, access, given.join(", "), summary];
  });
}

export function toolRows(): string[][] {
  return listTools().map(({ name, args }) => {
    const given = args.map((argument) => (argument.isRequired ? argument.name : `${argument.name}?`));
    return [`\`${name}\``, given.join(", ")];
  });
}

function valueOf(limits: object, name: string): number {
  return Number(Object.entries(limits).find(([known]) => known === name)?.[1]);
}

/** "100 MiB", "10 s", "400,000". */
function amount(name: string, value: number): string {
  if (name.endsWith("Ms")) return `${value / 1000} s`;
  if (!name.endsWith("Bytes")) return value.toLocaleString("en");
  return `${value / (1024 * 1024)} MiB`;
}
