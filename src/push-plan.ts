// Which ref of a push deploys, which are only stored, and which are refused because nothing would come of them. Pure: it
// reads the state and the request, and decides nothing about objects.
import type { DataChoice } from "./app/preview-commit.ts";
import type { ErrorCode } from "./errors.ts";
import type { UpdateCommand } from "./git/update-request.ts";
import { shellWord } from "./push-failure.ts";

/** The push options of an app that deploys. */
export const PUSH_OPTIONS: Readonly<Record<string, string>> = {
  store: "keep a branch without deploying it",
  "restore-data": "bring back the data of when the commit was last live, with its code",
  "data=fork": "give the preview a fresh copy of production's data",
  "data=empty": "give the preview an empty database",
  "data=keep": "let the preview keep the data it has, as it does unasked",
  typecheck: "check types too, and deploy whatever comes of it",
  "typecheck=warn": "the same",
  "typecheck=strict": "check types, and deploy only if there are no errors",
  "typecheck=off": "do not check types, whatever the app's setting says",
  json: "print the report as one line of JSON",
};

/** What the plan needs to know of the app. */
export interface PlanInput {
  readonly deploys: boolean;
  /** How many previews there may be; 0: branches other than production do not deploy. */
  readonly maxPreviews: number;
  /** The production branch, undefined before the first push of a branch. */
  readonly head: string | undefined;
  readonly commands: readonly UpdateCommand[];
  readonly pushOptions: readonly string[];
}

/** Why one command is refused; `lines` say more than fits behind the ref's name. */
export interface PlanRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly lines: readonly string[];
}

/** A branch that deploys. */
export interface PlannedDeployment {
  readonly command: UpdateCommand;
  /** Without refs/heads/. */
  readonly branch: string;
  /** undefined: to production. */
  readonly preview: { readonly data?: DataChoice | undefined } | undefined;
}

/** What a push will do. `refusals` is by ref name; no deployment is among them. Production comes first. */
export interface PushPlan {
  readonly deployments: readonly PlannedDeployment[];
  readonly refusals: ReadonlyMap<string, PlanRefusal>;
}

const BRANCH = "refs/heads/";

/** The branch name in a ref name, or undefined if the ref is no branch. */
function branchName(refName: string): string | undefined {
  return refName.startsWith(BRANCH) ? refName.slice(BRANCH.length) : undefined;
}

/** Decides for every command of a push. A repository that only stores takes everything. */
export function planPush(input: PlanInput): PushPlan {
  if (!input.deploys) return { deployments: [], refusals: new Map() };
  const unknown = input.pushOptions.find((option) => !Object.hasOwn(PUSH_OPTIONS, option));
  if (unknown !== undefined) return refuseAll(input.commands, unknownOption(unknown));
  const production = input.head ?? firstBranch(input.commands);
  const storesOthers = input.pushOptions.includes("store");
  const refusals = new Map<string, PlanRefusal>();
  const data = readDataChoice(input.pushOptions);
  const deployments: PlannedDeployment[] = [];
  let previewCount = 0;
  for (const command of input.commands) {
    const branch = branchName(command.name);
    if (branch === undefined || isDeletion(command)) continue;
    if (command.name === production) deployments.unshift({ command, branch, preview: undefined });
    else if (storesOthers) continue;
    else if (input.maxPreviews === 0) refusals.set(command.name, notDeployed(branch, production ?? command.name));
    else if (previewCount === input.maxPreviews) refusals.set(command.name, tooManyPreviews(branch, input.maxPreviews));
    else {
      previewCount += 1;
      deployments.push({ command, branch, preview: { data } });
    }
  }
  // Production first, then by name: two pushes that wait for each other's branches would never end.
  deployments.sort(
    (a, b) => Number(a.preview !== undefined) - Number(b.preview !== undefined) || (a.branch < b.branch ? -1 : 1),
  );
  if (data !== undefined && previewCount === 0) return refuseAll(input.commands, noPreviewForData(data));
  return { deployments, refusals };
}

/** The last of them counts, as git has it with its own options. */
function readDataChoice(pushOptions: readonly string[]): DataChoice | undefined {
  const choices: Readonly<Record<string, DataChoice>> = {
    "data=fork": "fork",
    "data=empty": "empty",
    "data=keep": "keep",
  };
  return pushOptions.flatMap((option) => choices[option] ?? []).at(-1);
}

/** The branch that becomes production: main or master where the push has one, else the first in the push. */
export function firstBranch(commands: readonly UpdateCommand[]): string | undefined {
  const created = commands.filter((command) => branchName(command.name) !== undefined && !isDeletion(command));
  const preferred = created.find((command) => command.name === `${BRANCH}main` || command.name === `${BRANCH}master`);
  return (preferred ?? created[0])?.name;
}

function isDeletion(command: UpdateCommand): boolean {
  return /^0+$/.test(command.newId);
}

function notDeployed(branch: string, production: string): PlanRefusal {
  const productionBranch = branchName(production) ?? production;
  return {
    code: "branch-not-deployed",
    reason: `${branch} is not the production branch (${productionBranch}), so nothing would go live`,
    lines: [
      `${branch} is not the production branch, which is ${productionBranch}, so this push would make nothing live.`,
      `To make it live:       git push origin ${shellWord(`${branch}:${productionBranch}`)}`,
      `To only keep it here:  git push -o store origin ${shellWord(branch)}`,
    ],
  };
}

function tooManyPreviews(branch: string, maxPreviews: number): PlanRefusal {
  return {
    code: "preview-limit",
    reason: `${branch} would be one preview too many: at most ${maxPreviews} may be alive`,
    lines: [
      `${branch} is not deployed: at most ${maxPreviews} previews may be alive, and this push has more branches.`,
      `To only keep it here:  git push -o store origin ${shellWord(branch)}`,
    ],
  };
}

function noPreviewForData(data: DataChoice): PlanRefusal {
  return {
    code: "push-option-unknown",
    reason: `-o data=${data} is for previews, and this push deploys none`,
    lines: [`-o data=${data} chooses the data of a preview, and this push deploys none. Push without it.`],
  };
}

function unknownOption(option: string): PlanRefusal {
  const known = Object.entries(PUSH_OPTIONS).map(([name, meaning]) => `  -o ${name}: ${meaning}`);
  return {
    code: "push-option-unknown",
    reason: `unknown push option ${JSON.stringify(option)}`,
    lines: [`The push option ${JSON.stringify(option)} is not one this host knows. It knows:`, ...known],
  };
}

function refuseAll(commands: readonly UpdateCommand[], refusal: PlanRefusal): PushPlan {
  return { deployments: [], refusals: new Map(commands.map((command) => [command.name, refusal])) };
}
