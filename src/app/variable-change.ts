// Reading and changing the variables of an app. A change is a configuration of its own, which becomes the newest by a deploy: what is prepared
// here nobody sees before that deploy's commit. Where there is nothing to deploy it becomes the newest at once.
import { randomBytes } from "node:crypto";
import { findLiveDeploy, type Deploy } from "../store/deploys.ts";
import {
  addConfiguration,
  findNewestEnvId,
  listVariables,
  setNewestEnvId,
  type Variable,
  type VariableScope,
} from "../store/variables.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { makeAssetBindings } from "./assets.ts";
import { PRODUCTION_FACET } from "./environment.ts";
import { schedulePruning } from "./pruning.ts";
import { explainMissingKey, sealSecret, SecretBoxError } from "./secret-box.ts";
import { openVariable, viewVariables } from "./variables.ts";

/** In both scopes together. Cloudflare's own limit. */
const MAX_VARIABLES = 128;

/** One variable to be. */
export interface VariableChange {
  readonly name: string;
  readonly scope: VariableScope;
  /** undefined: it goes. */
  readonly value: string | undefined;
  /** undefined: as it is; a value that is set for the first time is plain. */
  readonly isSecret: boolean | undefined;
}

/** A variable as its owner sees it: a secret's value never comes back. */
export interface ShownVariable {
  readonly name: string;
  readonly scope: VariableScope;
  readonly kind: "plain" | "secret";
  readonly value: string | undefined;
  readonly setAtMs: number;
  readonly setBy: string;
}

/** The newest configuration, and what of it the live deploy has otherwise. */
export interface VariableList {
  readonly variables: readonly ShownVariable[];
  readonly live: { readonly deployNumber: number; readonly changed: readonly string[] } | undefined;
}

/** What became of a change so far. */
export type PreparedChange =
  | { readonly kind: "no-app" }
  | { readonly kind: "refused"; readonly code: "invalid-request" | "secrets-unavailable"; readonly reason: string }
  /** It is all so already. */
  | { readonly kind: "unchanged" }
  /** It is the newest configuration, and no deploy of production is any different for it. */
  | { readonly kind: "stored" }
  | {
      readonly kind: "prepared";
      readonly envId: string | undefined;
      /** The newest configuration, on which it rests. */
      readonly basedOn: string | undefined;
      readonly live: Deploy;
    };

/** undefined: the app does not exist. */
export function readVariables(app: HostedApp): VariableList | undefined {
  if (findExisting(app) === undefined) return undefined;
  const newest = listVariables(app.db, findNewestEnvId(app.db));
  const live = findLiveDeploy(app.db, PRODUCTION_FACET)?.deploy;
  return {
    variables: newest.map(({ content, name, scope, setAtMs, setBy }) => {
      const kind = "plain" in content ? "plain" : "secret";
      return { name, scope, kind, value: "plain" in content ? content.plain : undefined, setAtMs, setBy };
    }),
    live: live && { deployNumber: live.number, changed: listChanged(app, live.envId) },
  };
}

/** What of an app's variables goes to another app. */
export interface CopyChoice {
  readonly secrets: boolean;
}

/** The newest configuration as changes that make it elsewhere, secrets in the clear: never to be logged or stored as it is. */
export type VariableCopy =
  | { readonly kind: "refused"; readonly code: "secrets-unavailable"; readonly reason: string }
  | {
      readonly kind: "copied";
      readonly changes: readonly VariableChange[];
      /** The names of secrets that stay behind. */
      readonly missingSecrets: readonly string[];
    };

export function copyVariables(app: HostedApp, { secrets }: CopyChoice): VariableCopy {
  const newest = findExisting(app) === undefined ? [] : listVariables(app.db, findNewestEnvId(app.db));
  const isCopied = ({ content }: Variable): boolean => secrets || "plain" in content;
  try {
    const changes = newest.filter(isCopied).map((variable) => {
      const { name, scope, content } = variable;
      return { name, scope, value: openVariable(app, variable), isSecret: "sealed" in content };
    });
    const left = newest.filter((variable) => !isCopied(variable)).map(({ name }) => name);
    return { kind: "copied", changes, missingSecrets: [...new Set(left)] };
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error;
    return { kind: "refused", code: "secrets-unavailable", reason: error.message };
  }
}

/** The names that production has otherwise in the newest configuration than in this one. */
export function listChanged(app: HostedApp, envId: string | undefined): readonly string[] {
  const newestId = findNewestEnvId(app.db);
  return listDifferent(app, envId, newestId);
}

function listDifferent(app: HostedApp, oneId: string | undefined, otherId: string | undefined): readonly string[] {
  if (oneId === otherId) return [];
  const [one, other] = [oneId, otherId].map((id) => viewVariables(listVariables(app.db, id), PRODUCTION_FACET));
  const ids = new Map(one?.map(({ name, valueId }) => [name, valueId]));
  const changed = (other ?? []).filter(({ name, valueId }) => ids.get(name) !== valueId).map(({ name }) => name);
  const left = new Set(other?.map(({ name }) => name));
  return [...changed, ...[...ids.keys()].filter((name) => !left.has(name))].toSorted();
}

/** Keeps the change, for a deploy to make it the newest configuration. No change at all deploys what is the newest, where it is not live. */
export function prepareVariables(app: HostedApp, changes: readonly VariableChange[], actor: string): PreparedChange {
  const repository = findExisting(app);
  if (repository === undefined) return { kind: "no-app" };
  const newest = findNewestEnvId(app.db);
  const before = listVariables(app.db, newest);
  const wanted = changes.filter((change) => !isDone(app, findIn(before, change), change));
  const live = findLiveDeploy(app.db, PRODUCTION_FACET)?.deploy;
  const refusal = checkChanges(app, before, { wanted, live });
  if (refusal !== undefined) return refusal;
  const made = wanted.flatMap((change) => {
    const isSecret = isSecretNow(findIn(before, change), change);
    return makeVariable(app, { change, isSecret, actor, repositoryId: repository.repositoryId }) ?? [];
  });
  const kept = before.filter((variable) => !wanted.some((change) => isOf(variable, change)));
  return app.db.transaction(() => {
    const envId = wanted.length === 0 ? newest : randomId();
    if (wanted.length > 0 && envId !== undefined) {
      addConfiguration(app.db, { envId, variables: [...kept, ...made], nowMs: app.now() });
      schedulePruning(app);
    }
    const isForPreviews = wanted.length > 0 && wanted.every(({ scope }) => scope === "preview");
    const isLive = live === undefined || isForPreviews || listDifferent(app, live.envId, envId).length === 0;
    if (!isLive) return { kind: "prepared", envId, basedOn: newest, live };
    if (wanted.length === 0) return { kind: "unchanged" };
    setNewestEnvId(app.db, envId);
    return { kind: "stored" };
  });
}

function findIn(variables: readonly Variable[], change: VariableChange): Variable | undefined {
  return variables.find((variable) => isOf(variable, change));
}

function isOf(variable: Variable, { name, scope }: VariableChange): boolean {
  return variable.name === name && variable.scope === scope;
}

/** A value that nobody said otherwise of stays what it was: a secret does not come to be shown by being replaced. */
function isSecretNow(old: Variable | undefined, { isSecret }: VariableChange): boolean {
  return isSecret ?? (old !== undefined && "sealed" in old.content);
}

function isDone(app: HostedApp, old: Variable | undefined, change: VariableChange): boolean {
  if (change.value === undefined || old === undefined) return change.value === undefined && old === undefined;
  if (isSecretNow(old, change) !== "sealed" in old.content) return false;
  try {
    return openVariable(app, old) === change.value;
  } catch (error) {
    // One that cannot be opened any more is set again.
    if (error instanceof SecretBoxError) return false;
    throw error;
  }
}

interface WantedChanges {
  readonly wanted: readonly VariableChange[];
  readonly live: Deploy | undefined;
}

function checkChanges(
  app: HostedApp,
  before: readonly Variable[],
  { wanted, live }: WantedChanges,
): Extract<PreparedChange, { kind: "refused" }> | undefined {
  const set = wanted.filter(({ value }) => value !== undefined);
  const names = new Set([
    ...before.map(({ scope, name }) => `${scope} ${name}`),
    ...set.map(({ scope, name }) => `${scope} ${name}`),
  ]);
  for (const { scope, name, value } of wanted) if (value === undefined) names.delete(`${scope} ${name}`);
  if (names.size > MAX_VARIABLES)
    return refused(`An app has at most ${MAX_VARIABLES} variables; these would be ${names.size}.`);
  const bindings =
    live && Object.keys(makeAssetBindings(app, live.assetsId, { facet: live.facet, deployNumber: live.number }));
  const bound = set.find(({ name }) => bindings?.includes(name));
  if (bound !== undefined)
    return refused(`${bound.name} is a binding of the app's own: choose another name, or name the binding otherwise.`);
  const needsKey = set.some((change) => isSecretNow(findIn(before, change), change));
  const noKey = needsKey ? explainMissingKey(app.env.ENV_KEY) : undefined;
  return noKey === undefined ? undefined : { kind: "refused", code: "secrets-unavailable", reason: noKey };
}

function refused(reason: string): Extract<PreparedChange, { kind: "refused" }> {
  return { kind: "refused", code: "invalid-request", reason };
}

interface NewVariable {
  readonly change: VariableChange;
  readonly isSecret: boolean;
  readonly actor: string;
  readonly repositoryId: string;
}

/** undefined: it goes. */
function makeVariable(app: HostedApp, { change, isSecret, actor, repositoryId }: NewVariable): Variable | undefined {
  const { name, scope, value } = change;
  if (value === undefined) return undefined;
  const valueId = randomId();
  const content = isSecret
    ? { sealed: sealSecret(app.env.ENV_KEY, { repositoryId, valueId, name }, value) }
    : { plain: value };
  return { valueId, scope, name, content, setAtMs: app.now(), setBy: actor };
}

function randomId(): string {
  return randomBytes(12).toString("hex");
}
