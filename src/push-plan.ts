// Which ref of a push deploys, which are only stored, and which are refused because nothing would come of them. Pure: it
// reads the state and the request, and decides nothing about objects.
import type { ErrorCode } from "./errors.ts";
import type { UpdateCommand } from "./git/update-request.ts";

/** The push options of an app that deploys. */
const PUSH_OPTIONS: Readonly<Record<string, string>> = {
  store: "keep a branch without deploying it",
  "restore-data": "bring back the data of when the commit was last live, with its code",
  json: "print the report as one line of JSON",
};

/** What the plan needs to know of the app. */
export interface PlanInput {
  readonly deploys: boolean;
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

/** What a push will do. `refusals` is by ref name; `deployed` is never among them. */
export interface PushPlan {
  readonly deployed: UpdateCommand | undefined;
  readonly refusals: ReadonlyMap<string, PlanRefusal>;
}

const BRANCH = "refs/heads/";

/** The branch name in a ref name, or undefined if the ref is no branch. */
export function branchName(refName: string): string | undefined {
  return refName.startsWith(BRANCH) ? refName.slice(BRANCH.length) : undefined;
}

/** Decides for every command of a push. A repository that only stores takes everything. */
export function planPush(input: PlanInput): PushPlan {
  if (!input.deploys) return { deployed: undefined, refusals: new Map() };
  const unknown = input.pushOptions.find((option) => !(option in PUSH_OPTIONS));
  if (unknown !== undefined) return refuseAll(input.commands, unknownOption(unknown));
  const production = input.head ?? firstBranch(input.commands);
  const storesOthers = input.pushOptions.includes("store");
  const refusals = new Map<string, PlanRefusal>();
  let deployed: UpdateCommand | undefined;
  for (const command of input.commands) {
    const branch = branchName(command.name);
    if (branch === undefined || isDeletion(command)) continue;
    if (command.name === production) deployed = command;
    else if (!storesOthers) refusals.set(command.name, notDeployed(branch, production ?? command.name));
  }
  return { deployed, refusals };
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
      `To make it live:       git push origin ${branch}:${productionBranch}`,
      `To only keep it here:  git push -o store origin ${branch}`,
    ],
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
  return { deployed: undefined, refusals: new Map(commands.map((command) => [command.name, refusal])) };
}
