// The type check of a push that asks for one, by a push option or by the app's setting. It runs once a bundle is made, so that who does
// not ask waits for nothing.
import { formatMessage, formatReason } from "../build/messages.ts";
import { typecheck } from "../build/typecheck/typecheck.ts";
import type { Narrator } from "./push-answer.ts";
import { describeBuildFailure, type PushFailure } from "./push-failure.ts";
import { stageLine } from "./push-report.ts";
import type { Repository } from "./repo/repository.ts";
import type { CommitTree } from "./repo/source-tree.ts";

type Mode = Repository["state"]["settings"]["typecheck"];

/** Push options that say how types are checked: the last of them counts. */
const OPTIONS: Readonly<Record<string, Mode>> = {
  typecheck: "warn",
  "typecheck=warn": "warn",
  "typecheck=strict": "strict",
  "typecheck=off": "off",
};

/** More errors than these are in the log only. */
const MAX_SHOWN = 3;

/** What is checked, and whom to tell. */
export interface TypecheckInput {
  readonly pushOptions: readonly string[];
  readonly setting: Mode;
  readonly tree: CommitTree;
  /** The entry's path in the tree. */
  readonly entry: string;
  readonly narrator: Narrator;
  readonly loader: WorkerLoader;
}

/** Checks the types, if they are to be checked. A failure where errors are to stop the push and there are some, or none can be found. */
export async function checkTypes(input: TypecheckInput): Promise<PushFailure | undefined> {
  const { pushOptions, setting, tree, entry, narrator, loader } = input;
  const mode = pushOptions.flatMap((option) => OPTIONS[option] ?? []).at(-1) ?? setting;
  // An app of assets only has no entry that is a file.
  if (mode === "off" || !tree.files.has(entry)) return undefined;
  const outcome = await typecheck(tree, entry, { loader });
  const messages = outcome.kind === "checked" ? outcome.messages : [outcome.message];
  const [first] = messages;
  narrator.note({ types: outcome.kind === "checked" ? { errors: outcome.total } : { unchecked: true } });
  if (first === undefined) {
    narrator.say(stageLine("types", "no errors"));
    return undefined;
  }
  const total = outcome.kind === "checked" ? outcome.total : 1;
  if (mode === "strict") {
    return describeBuildFailure(messages, total);
  }
  const head = outcome.kind === "checked" ? `${total} ${total === 1 ? "error" : "errors"}; deployed all the same` : "";
  for (const line of [head, ...messages.slice(0, MAX_SHOWN).map(formatReason)].filter((text) => text !== "")) {
    narrator.say(stageLine("types", line));
  }
  for (const message of messages) for (const line of formatMessage(message)) narrator.detail(line);
  return undefined;
}
