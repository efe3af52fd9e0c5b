// A plain Durable Object and an app of this host, side by side, and a plain Worker with its objects beside one that is an app: the same text,
// asked the same. What they answer differently is what the table in docs/apps.md lists, no more and no less.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import type { Code } from "../../src/store/code.ts";
import { ALARM_VISITS } from "./compat/alarm-visits.ts";
import { HTTP_VISITS } from "./compat/http-visits.ts";
import type { Seen } from "./compat/outcome.ts";
import type { Side, Visits } from "./compat/side.ts";
import { CRONS } from "./compat/scheduled.ts";
import { CRON_VISITS } from "./compat/scheduled-visits.ts";
import { SOCKET_VISITS } from "./compat/socket-visits.ts";
import { commitCode, makeCode, supervisorOf } from "./deployment.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** vitest.config.ts: the class and the Worker as text, the variables of both sides, and docs/apps.md. */
    readonly compat: {
      readonly source: string;
      readonly workerSource: string;
      readonly variables: object;
      /** A compatibility date from before most of what is by date. */
      readonly oldDate: string;
      readonly page: string;
    };
  }
}

const APP = "compat";

/** One side of a comparison: an object for each name, alike but for its data. */
type OpenSide = (name: string) => Promise<Side>;

const address = (path: string): string => `http://${APP}.localhost${path}`;

function plainObjects(binding: string): DurableObjectNamespace {
  const namespace: unknown = Reflect.get(env, binding);
  if (typeof namespace !== "object" || namespace === null || !isNamespace(namespace))
    throw new Error(`vitest.config.ts binds no ${binding}.`);
  return namespace;
}

function isNamespace(value: object): value is DurableObjectNamespace {
  return "getByName" in value;
}

/** A stub for each request, as each of a Worker's has: one that saw its object break stays broken. */
function plainClass(binding: string, suffix = ""): OpenSide {
  return async (name) => ({
    fetch: (path, init) =>
      plainObjects(binding)
        .getByName(name + suffix)
        .fetch(address(path), init),
    evict: () => evictDurableObject(plainObjects(binding).getByName(name + suffix)),
  });
}

function plainService(binding: string): Fetcher {
  const service: unknown = Reflect.get(env, binding);
  if (!isFetcher(service)) throw new Error(`vitest.config.ts binds no ${binding}.`);
  return service;
}

const plainWorker: OpenSide = async (name) => {
  const worker = plainService("PLAIN_WORKER");
  return {
    fetch: (path, init) => worker.fetch(forObject(name, path, init)),
    evict: () => evictDurableObject(plainObjects("PLAIN_SUITE").getByName(name)),
    runCron: async (cron, atMs) => {
      const body = JSON.stringify({ cron, atMs });
      const ran = await plainService("PLAIN_CRONS").fetch(address("/"), { method: "POST", body });
      return (await ran.json<{ outcome: string }>()).outcome;
    },
  };
};

function isFetcher(value: unknown): value is Fetcher {
  return typeof value === "object" && value !== null && "fetch" in value;
}

/** The Worker of the suite reads the header. */
function forObject(name: string, path: string, init?: RequestInit): Request {
  const request = new Request(address(path), init);
  request.headers.set("x-object", name);
  return request;
}

async function deploySuite(app: string, source: string, overrides: Partial<Code> = {}): Promise<void> {
  const { variables } = inject("compat");
  const { deploy } = await commitCode(app, makeCode(source, overrides), JSON.stringify(variables));
  if (deploy === undefined) throw new Error("The commit made no deploy.");
  await supervisorOf(app).cutOver(deploy.number);
}

/** An app for each name: an app has one object of the class that receives the requests. */
function hostedClass(suffix: string, overrides: Partial<Code>): OpenSide {
  return async (name) => {
    const app = name + suffix;
    await deploySuite(app, inject("compat").source, overrides);
    return {
      fetch: (path, init) => supervisorOf(app).fetch(address(path), init),
      evict: () => evictDurableObject(supervisorOf(app)),
    };
  };
}

const BINDINGS = ["Peer", "Suite"].map((className) => ({ name: className.toUpperCase(), className }));

/** An app for each name here too: one that is asked something cannot be evicted. */
const hostedWorker: OpenSide = async (name) => {
  const app = `${name}-worker`;
  const objects = { classes: ["Peer", "Suite"], bindings: BINDINGS };
  await deploySuite(app, inject("compat").workerSource, { className: "default", objects, crons: Object.values(CRONS) });
  return {
    fetch: (path, init) => supervisorOf(app).fetch(forObject(name, path, init)),
    evict: () => evictDurableObject(supervisorOf(app)),
    runCron: (cron, atMs) => runHostedCron(app, cron, atMs),
  };
};

/** As if its time had come; what came of it is in the log. */
async function runHostedCron(app: string, cron: string, atMs: number): Promise<string> {
  await runInDurableObject(supervisorOf(app), (_, { storage }) => {
    storage.sql.exec("UPDATE crons SET next_ms = ? WHERE cron = ?", atMs, cron);
  });
  await runDurableObjectAlarm(supervisorOf(app));
  const read = async () => (await supervisorOf(app).readLogs({ limit: 1, kind: "alarm", text: `cron ${cron} ` })) ?? [];
  await expect.poll(read, { timeout: 10_000 }).toHaveLength(1);
  const [line] = await read();
  return line?.level === "error" ? "exception" : "ok";
}

/** Everything that one side does, by the name of each thing. */
async function observe(open: OpenSide): Promise<Map<string, string>> {
  const apart = Object.entries(ALARM_VISITS).map(async ([name, visit]) => {
    const side = await open(`compat-${name.toLowerCase().replace(".", "-")}`);
    return [name, JSON.stringify(await visit(side))] as const;
  });
  const together = await observeOne(await open(APP));
  return new Map([...together, ...(await Promise.all(apart))]);
}

/** One object, one thing at a time. */
async function observeOne(side: Side): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const probes: string[] = await (await side.fetch("/probes")).json();
  for (const probe of probes) {
    // oxlint-disable no-await-in-loop -- in order
    await (await side.fetch("/clear")).text();
    const response = await side.fetch(`/probe/${probe}`);
    if (response.status !== 200) throw new Error(`${probe} got ${response.status}: ${await response.text()}`);
    const things: Seen = await response.json();
    for (const [name, value] of Object.entries(things)) seen.set(`${probe}.${name}`, JSON.stringify(value));
  }
  const visits: Visits = { ...HTTP_VISITS, ...SOCKET_VISITS };
  for (const [name, visit] of Object.entries(visits)) {
    await (await side.fetch("/clear")).text();
    seen.set(name, JSON.stringify(await visit(side)) ?? "undefined");
  }
  const { runCron } = side;
  if (runCron === undefined) return seen;
  for (const [name, visit] of Object.entries(CRON_VISITS)) {
    seen.set(name, JSON.stringify(await visit(side, runCron)));
    // oxlint-enable no-await-in-loop
  }
  return seen;
}

/** What differs, as both sides have it. */
async function compare(there: OpenSide, here: OpenSide): Promise<Map<string, string>> {
  const [plain, hosted] = await Promise.all([observe(there), observe(here)]);
  expect([...hosted.keys()]).toEqual([...plain.keys()]);
  const differences = [...plain].filter(([name, value]) => hosted.get(name) !== value);
  return new Map(differences.map(([name, value]) => [name, `there: ${value}\n  here:  ${hosted.get(name)}`]));
}

/** The probes that the page's table names, in the first column. */
function listedDifferences(page: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith("Differences from a Durable Object of your own"));
  const rows = (section ?? "").split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));
}

describe("the same code as a plain Worker and as an app", () => {
  it("behaves the same but for what docs/apps.md lists", async () => {
    const compared = await Promise.all([
      compare(plainClass("PLAIN"), hostedClass("", {})),
      compare(plainClass("PLAIN_OLD", "-old"), hostedClass("-old", { compatibilityDate: inject("compat").oldDate })),
      compare(plainWorker, hostedWorker),
    ]);
    const listed = listedDifferences(inject("compat").page);
    const unlisted = compared.flatMap((differences) => [...differences].filter(([name]) => !listed.includes(name)));
    expect(unlisted.map(([name, both]) => `${name}\n  ${both}`).join("\n")).toBe("");
    expect(listed.filter((name) => !compared.some((differences) => differences.has(name)))).toEqual([]);
  }, 180_000);
});
