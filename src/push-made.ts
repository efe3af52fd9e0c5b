// Pushes that are made here, for callers without a git client: a commit of changed files, a template, all of another repository. Each
// makes a pack and goes through the stages of push.ts like any other; what those say and note becomes one report.
import type { AppName } from "./app/app-name.ts";
import { HostingError, type ErrorCode } from "./errors.ts";
import { ZERO_ID, type ObjectId } from "./git/object-id.ts";
import { writePack } from "./git/pack-write.ts";
import { parseRefName, type RefName } from "./git/ref-name.ts";
import type { RefReport } from "./git/report-status.ts";
import type { UpdateCommand } from "./git/update-request.ts";
import type { Narrator } from "./push-answer.ts";
import { deletedApp } from "./push-deleted.ts";
import type { Host } from "./push-host.ts";
import { pushMade } from "./push.ts";
import { makeFileCommit, type CommitInput } from "./repo/commit-files.ts";
import { openRepository, type Repository } from "./repo/repository.ts";
import { openTemplateRepository } from "./repo/template-repository.ts";
import { openWholePack } from "./repo/whole-pack.ts";

/** Who pushes where. */
export interface MadePushRequest {
  readonly app: AppName;
  readonly actor: string;
  /** The URL of what stands before HOST in a name of the app's, and where its resources of the API begin, for the report. */
  readonly urlOf: (label: string) => string;
  readonly apiUrl: string;
  readonly now: () => number;
}

/** Changed files, and what they are to be built on. */
export interface CommitRequest extends Omit<CommitInput, "parentId" | "author"> {
  /** undefined: the production branch; "main" in an app that has none yet. */
  readonly branch: string | undefined;
  /** What the branch must name: a commit, or null for nothing. undefined: whatever it names. */
  readonly parent: ObjectId | null | undefined;
  readonly author: { readonly name: string; readonly email: string };
  /** As git push -o. */
  readonly pushOptions: readonly string[];
}

/** What a push came to: what -o json prints, and the lines that a pusher would have seen. */
export interface MadePushReport {
  readonly app: string;
  readonly ok: boolean;
  readonly lines: readonly string[];
  readonly [fact: string]: unknown;
}

const BRANCH = "refs/heads/";
const FIRST_BRANCH = "main";

/**
 * Commits the files and deploys the commit where its branch deploys.
 * @throws HostingError with the code of the refusal and the report as a fact; "ref-stale" where `parent` is not what the branch names
 */
export async function commitFiles(
  request: MadePushRequest,
  host: Host,
  asked: CommitRequest,
): Promise<MadePushReport & { readonly commit: string }> {
  const repository = await openForPush(request, host);
  const { head, refs } = repository.state;
  const name = readBranch(asked.branch ?? head?.slice(BRANCH.length) ?? FIRST_BRANCH);
  const tipId = refs.find((ref) => ref.name === name)?.id;
  const headId = refs.find((ref) => ref.name === head)?.id;
  if (tipId !== undefined && asked.parent !== undefined && asked.parent !== tipId) throw stale(name, tipId);
  // A new branch begins at the commit that was named, else at the production branch.
  const parentId = tipId ?? (asked.parent === null ? undefined : (asked.parent ?? headId));
  const nowMs = request.now();
  const author = { ...asked.author, timeS: Math.floor(nowMs / 1000), timezone: "+0000" };
  const { files, message } = asked;
  const { commitId, objects } = await makeFileCommit(repository, { parentId, files, message, author });
  const command = { name, oldId: tipId ?? ZERO_ID, newId: commitId };
  const report = await runMade(request, host, {
    commands: [command],
    pushOptions: asked.pushOptions,
    pack: new Blob([writePack(objects)]).stream(),
  });
  return { ...report, commit: commitId };
}

/**
 * Makes an app of a template.
 * @throws HostingError "not-found" for the template, "app-exists", or as commitFiles
 */
export async function pushTemplate(request: MadePushRequest, host: Host, template: string): Promise<MadePushReport> {
  const source = await openTemplateRepository(template, host.packs);
  if (source === undefined) throw new HostingError("not-found", `There is no template ${JSON.stringify(template)}.`);
  if ((await host.env.SUPERVISOR.getByName(request.app).describe()) !== undefined) {
    throw new HostingError("app-exists", `There is an app ${request.app} already.`);
  }
  return pushCopy(request, host, source);
}

/**
 * Pushes another repository's refs to an app that has none: the production branch, then all the others, which are stored.
 * @throws HostingError "invalid-request" where there is no production branch, or as commitFiles
 */
export async function pushCopy(request: MadePushRequest, host: Host, source: Repository): Promise<MadePushReport> {
  const { head, refs } = source.state;
  const first = refs.filter((ref) => ref.name === head).map(create);
  if (first.length === 0) {
    throw new HostingError("invalid-request", "There is nothing to copy: the app has no production branch yet.");
  }
  const pack = await openWholePack(source);
  const report = await runMade(request, host, { commands: first, pushOptions: [], pack });
  const rest = refs.filter((ref) => ref.name !== head).map(create);
  if (rest.length > 0) await runMade(request, host, { commands: rest, pushOptions: ["store"], pack: undefined });
  return report;
}

/** The command that makes a ref. */
function create({ name, id }: { readonly name: RefName; readonly id: ObjectId }): UpdateCommand {
  return { name, oldId: ZERO_ID, newId: id };
}

/** What a push says and sends. */
export interface MadeCommands {
  readonly commands: readonly UpdateCommand[];
  readonly pushOptions: readonly string[];
  readonly pack: ReadableStream<Uint8Array> | undefined;
}

/** The push, refused as a whole. @throws HostingError as commitFiles */
export async function runMade(request: MadePushRequest, host: Host, made: MadeCommands): Promise<MadePushReport> {
  const { commands, pushOptions, pack } = made;
  const update = { commands, shallowIds: [], capabilities: new Map(), pushOptions, isProbe: false };
  const { narrator, facts, lines } = makeRecorder(request.now);
  const { refs } = await pushMade(request, host, { update, pack }, narrator);
  const refusal = refs.find((ref) => ref.kind === "refused");
  const report = { ...facts, app: request.app, ok: refusal === undefined, lines };
  if (refusal === undefined) return report;
  throw new HostingError(codeOf(refusal), refusal.reason, { facts: { report } });
}

function codeOf(refusal: Extract<RefReport, { kind: "refused" }>): ErrorCode {
  return refusal.code ?? "ref-refused";
}

/** A narrator that keeps everything: `lines` and `facts` grow as the push goes on. */
function makeRecorder(now: () => number) {
  const lines: string[] = [];
  const stagesMs: Record<string, number> = {};
  const facts: Record<string, unknown> = { stagesMs };
  const narrator: Narrator = {
    say: (line) => void lines.push(line),
    detail: () => undefined,
    brief: () => undefined,
    note: (more) => void Object.assign(facts, more),
    time: async (stage, doWork) => {
      const startedMs = now();
      const result = await doWork();
      stagesMs[stage] = (stagesMs[stage] ?? 0) + now() - startedMs;
      return result;
    },
  };
  return { narrator, facts, lines };
}

async function openForPush({ app, apiUrl }: MadePushRequest, host: Host): Promise<Repository> {
  const state = await host.env.SUPERVISOR.getByName(app).openForPush();
  if (state.deletedUntilMs !== undefined) throw deletedApp({ app, apiUrl }, state.deletedUntilMs);
  return openRepository(host.packs, state);
}

function readBranch(branch: string): RefName {
  const name = parseRefName(BRANCH + branch);
  if (name !== undefined) return name;
  throw new HostingError("ref-invalid", `${JSON.stringify(branch)} is no name for a branch (git check-ref-format).`);
}

function stale(name: RefName, tipId: ObjectId): HostingError {
  const message = `${name.slice(BRANCH.length)} is at ${tipId} by now. Read what changed there, then commit on top of it.`;
  return new HostingError("ref-stale", message, { facts: { current: tipId } });
}
