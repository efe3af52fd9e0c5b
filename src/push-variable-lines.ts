// Which variables a push deploys with, and what it says of them. Names only: no value is ever in a report.
import type { PreparedDeploy } from "./app/deploy-check.ts";
import type { Supervisor } from "./app/supervisor.ts";
import type { Narrator } from "./push-answer.ts";
import type { Deployment } from "./push-deployment.ts";
import { count, stageLine } from "./push-report.ts";

type VariableChoice = Awaited<ReturnType<Supervisor["chooseVariables"]>>;

/** The configuration that a push deploys with; what is odd about it is said. */
export async function pickVariables(
  supervisor: DurableObjectStub<Supervisor>,
  { command, preview, narrator }: Pick<Deployment, "command" | "preview" | "narrator">,
  candidate: { readonly varsJson: string; readonly assetsId?: string | undefined },
): Promise<Pick<PreparedDeploy, "envId" | "variables">> {
  const { varsJson, assetsId } = candidate;
  const query = { commitId: command.newId, isPreview: preview !== undefined, varsJson, assetsId };
  const choice = await supervisor.chooseVariables(query);
  sayVariables(narrator, choice);
  return { envId: choice.envId, variables: choice.variables };
}

function sayVariables(narrator: Narrator, { asIn, hidden, bound }: VariableChoice): void {
  for (const line of asInLines(asIn)) narrator.say(line);
  if (hidden.length > 0)
    narrator.say(stageLine("variables", `${listSome(hidden)}: the owner's, in place of the repository's vars`));
  if (bound.length > 0)
    narrator.say(stageLine("variables", `${listSome(bound)}: the app's binding, in place of what the owner set`));
  if (asIn !== undefined) narrator.note({ variables: { asInDeploy: asIn.deployNumber, changed: asIn.changed } });
}

/** That an earlier deploy's variables came back. */
export function asInLines(asIn: VariableChoice["asIn"]): string[] {
  if (asIn === undefined) return [];
  const { deployNumber, changed } = asIn;
  return [stageLine("variables", `as in deploy ${deployNumber} (${listSome(changed)} changed since)`)];
}

/** More names than these are counted. */
const MAX_NAMED = 4;

/** "A, B" or "A, B, C, D and 2 more variables". */
export function listSome(names: readonly string[]): string {
  const left = names.length - MAX_NAMED;
  return left > 0 ? `${names.slice(0, MAX_NAMED).join(", ")} and ${count(left, "more variable")}` : names.join(", ");
}
