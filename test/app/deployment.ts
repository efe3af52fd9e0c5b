/// <reference types="@cloudflare/vitest-pool-workers/types" />
// Deploys apps from source text, as a push does it once its build is done: rehearse, commit, cut over.
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { codeId } from "../../src/app/code-id.ts";
import type { CommitOutcome } from "../../src/app/commit.ts";
import type { CutoverOutcome } from "../../src/app/cutover.ts";
import type { DataChoice } from "../../src/app/preview-commit.ts";
import type { Supervisor } from "../../src/app/supervisor.ts";
// oxlint-disable-next-line import/no-unassigned-import -- the whole Worker, so that no test's own time goes into loading it
import "../../src/index.ts";
import { parseObjectId, ZERO_ID, type ObjectId } from "../../src/git/object-id.ts";
import { parseRefName, type RefName } from "../../src/git/ref-name.ts";
import type { Code, CodeModule } from "../../src/store/code.ts";
import type { RefCommand } from "../../src/store/refs.ts";
import type { Snapshot } from "../../src/store/snapshots.ts";

/** What every test app begins with. */
export const IMPORTS = `import { DurableObject } from "cloudflare:workers";\n`;

/** The source of an app that answers with what `body` returns. */
export function appSource(body: string): string {
  return `${IMPORTS}export class App extends DurableObject {\n  async fetch(request) {\n${body}\n  }\n}\n`;
}

export function supervisorOf(app: string): DurableObjectStub<Supervisor> {
  return env.SUPERVISOR.getByName(app);
}

/** A source map that sends every line of index.js to the same line of src/index.ts. */
function identityMap(source: string): string {
  const mappings = source.split("\n").map((_, line) => (line === 0 ? "AAAA" : "AACA"));
  return JSON.stringify({
    version: 3,
    sources: ["src/index.ts"],
    sourcesContent: [source],
    names: [],
    mappings: mappings.join(";"),
  });
}

/** Code as the build makes it. */
export function makeCode(source: string, overrides: Partial<Code> = {}): Code {
  const modules: Record<string, CodeModule> = { "index.js": { kind: "esm", text: source }, ...overrides.modules };
  const definition = {
    className: "App",
    compatibilityDate: "2026-11-02",
    compatibilityFlags: ["nodejs_compat"],
    ...overrides,
    modules,
  };
  return { ...definition, codeId: codeId(definition), sourceMap: identityMap(source) };
}

/** A different object ID for every number. */
export function testId(number: number): ObjectId {
  const id = parseObjectId(number.toString(16).padStart(40, "0"));
  if (id === undefined) throw new Error(`${number} makes no object ID.`);
  return id;
}

export function ref(name: string): RefName {
  const parsed = parseRefName(name);
  if (parsed === undefined) throw new Error(`${name} is not a ref name.`);
  return parsed;
}

export const MAIN = ref("refs/heads/main");

export function command(name: string, oldId: ObjectId, newId: ObjectId): RefCommand {
  return { name: ref(name), oldId, newId };
}

/** What a deploy of these tests came to. */
export interface Deployment {
  readonly commit: CommitOutcome;
  readonly cutover: CutoverOutcome;
}

/** Rehearses and commits code on main. Throws if the rehearsal fails. */
export async function commitCode(app: string, code: Code, varsJson = "{}"): Promise<CommitOutcome> {
  const supervisor = supervisorOf(app);
  const state = await supervisor.openForPush();
  const rehearsal = await supervisor.rehearse({ code, varsJson });
  if (rehearsal.kind === "failed") throw new Error(`The rehearsal failed: ${rehearsal.reason}`);
  return commitRehearsed(app, code.codeId, { oldId: state.refs.find((row) => row.name === MAIN)?.id, varsJson });
}

/** What a commit rests on. */
export interface CommitSetup {
  readonly oldId?: ObjectId | undefined;
  readonly varsJson?: string;
  readonly restoresSnapshot?: number | undefined;
  readonly assetsId?: string | undefined;
}

/** Commits code that was rehearsed, or at least stored. */
export async function commitRehearsed(
  app: string,
  id: string,
  { oldId, varsJson = "{}", restoresSnapshot, assetsId }: CommitSetup = {},
): Promise<CommitOutcome> {
  const supervisor = supervisorOf(app);
  const state = await supervisor.openForPush();
  const newId = testId(Math.floor(Math.random() * 2 ** 48));
  return supervisor.commit({
    repositoryId: state.repositoryId,
    commands: [{ name: MAIN, oldId: oldId ?? ZERO_ID, newId }],
    atomic: false,
    checkedPackIds: [],
    deploy: {
      ref: MAIN,
      commitId: newId,
      treeId: testId(7),
      subject: "Change it",
      codeId: id,
      varsJson,
      restoresSnapshot,
      assetsId,
    },
    nowMs: Date.now(),
  });
}

/** A whole deploy. */
export async function deploy(app: string, source: string, overrides: Partial<Code> = {}): Promise<Deployment> {
  const commit = await commitCode(app, makeCode(source, overrides));
  if (commit.deploy === undefined) throw new Error("The commit made no deploy.");
  return { commit, cutover: await supervisorOf(app).cutOver(commit.deploy.number) };
}

/** A snapshot by hand. */
export async function takeSnapshot(app: string): Promise<Snapshot> {
  const taken = await supervisorOf(app).takeSnapshot();
  if (taken.kind !== "taken") throw new Error(`There is no snapshot of ${app}: ${taken.kind}.`);
  return taken.snapshot;
}

/** A visitor's request. */
export function visit(app: string, path = "/", init: RequestInit = {}): Promise<Response> {
  return supervisorOf(app).fetch(`http://${app}.localhost${path}`, init);
}

/** The text of a visitor's answer. */
export async function visitText(app: string, path = "/"): Promise<string> {
  return (await visit(app, path)).text();
}

/** A deploy of a preview, as a push of its branch does it. */
export async function pushBranch(
  app: string,
  branch: string,
  source: string,
  options: {
    readonly data?: DataChoice;
    readonly isRehearsed?: boolean;
    /** What happens between the commit and the cutover. */
    readonly onCommit?: () => Promise<unknown>;
    readonly overrides?: Partial<Code>;
  } = {},
): Promise<{ readonly commit: CommitOutcome; readonly kind: string | undefined }> {
  const supervisor = supervisorOf(app);
  const state = await supervisor.openForPush();
  const code = makeCode(source, options.overrides);
  const name = ref(`refs/heads/${branch}`);
  const commitId = testId(Math.floor(Math.random() * 2 ** 48));
  const candidate = { code, varsJson: "{}" };
  const rehearsal = await supervisor.rehearse(candidate, { ref: name, commitId, preview: { data: options.data } });
  if (rehearsal.kind === "failed" && options.isRehearsed !== false) throw new Error(rehearsal.reason);
  const commit = await supervisor.commit({
    repositoryId: state.repositoryId,
    commands: [{ name, oldId: state.refs.find((row) => row.name === name)?.id ?? ZERO_ID, newId: commitId }],
    atomic: false,
    checkedPackIds: [],
    previews: [
      {
        deploy: { ref: name, commitId, treeId: testId(7), subject: "Try it", codeId: code.codeId, varsJson: "{}" },
        data: options.data,
      },
    ],
    nowMs: Date.now(),
  });
  const [made] = commit.previews;
  await options.onCommit?.();
  const cutover = made && (await supervisor.cutOver(made.number));
  return { commit, kind: cutover?.kind };
}

/** A visitor of an environment, by what stands before HOST in its address. */
export function visitLabel(app: string, label: string, path = "/"): Promise<Response> {
  return supervisorOf(app).fetch(`http://${label}.localhost${path}`);
}

export async function textOf(app: string, label: string, path = "/"): Promise<string> {
  return (await visitLabel(app, label, path)).text();
}

/** As after a restart of the host: the app does not outlive its supervisor either. */
export async function restart(app: string): Promise<void> {
  await runInDurableObject(supervisorOf(app), (_, { facets }) => facets.abort("app", new Error("The host restarts.")));
  await evictDurableObject(supervisorOf(app));
}
