// What to say when the class that receives requests is not there, or is something else.
import type { ErrorCode } from "../errors.ts";
import type { ExportFact, ExportKind } from "./start-report.ts";

/** Why no export receives the requests. */
export interface ExportProblem {
  readonly code: Extract<ErrorCode, "export-missing" | "export-wrong-kind">;
  readonly reason: string;
}

const KIND_WORDS: Readonly<Record<ExportKind, string>> = {
  "class extends DurableObject": "a class that extends DurableObject",
  "class extends WorkerEntrypoint": "a class that extends WorkerEntrypoint",
  class: "a class that does not extend DurableObject",
  function: "a function",
  "object with fetch": "an object with fetch",
  object: "an object without fetch",
  value: "a plain value",
};

const EXPECTED_WORKER = "export default { fetch(request, env, ctx) { … } }";

const EXPECTED = `export class App extends DurableObject { … }  (DurableObject comes from "cloudflare:workers")`;

/** The entry module has no class `className`, or what it exports under that name is no Durable Object class. */
export function explainMissingClass(exports: readonly ExportFact[], className: string): ExportProblem {
  if (className === "default") return explainNoEntry(exports, "The default export is no Worker.");
  const found = exports.find((fact) => fact.name === className);
  if (found !== undefined) {
    const reason = `${className} is ${KIND_WORDS[found.kind]}. Expected: ${EXPECTED.replace("App", className)}`;
    return { code: "export-wrong-kind", reason };
  }
  return explainNoEntry(
    exports,
    `The wrangler configuration binds ${className}, which the entry module does not export.`,
  );
}

/** No export of the entry module can receive requests. `why` is a sentence on the rule that came nearest, if one did. */
export function explainNoEntry(exports: readonly ExportFact[], why: string): ExportProblem {
  const list = exports.map((fact) => `${fact.name} (${KIND_WORDS[fact.kind]})`).join(", ");
  const reason = [
    why,
    `Expected: ${EXPECTED}, or an ordinary Worker: ${EXPECTED_WORKER}.`,
    exports.length === 0 ? "The entry module exports nothing." : `It exports: ${list}.`,
    suggestion(exports),
  ];
  return { code: "export-missing", reason: reason.filter((part) => part !== "").join(" ") };
}

/** An ordinary Worker whose wrangler configuration binds a class that there is not. */
export function explainMissingObjectClass(exports: readonly ExportFact[], className: string): ExportProblem {
  const expected = `Expected: ${EXPECTED.replace("App", className)}.`;
  const bound = `The wrangler configuration binds ${className}`;
  const found = exports.find((fact) => fact.name === className);
  if (found !== undefined) {
    return { code: "export-wrong-kind", reason: `${bound}, which is ${KIND_WORDS[found.kind]}. ${expected}` };
  }
  const classes = exports.filter((fact) => fact.kind === "class extends DurableObject").map((fact) => fact.name);
  const has = classes.length === 0 ? "It exports no Durable Object class." : `It exports ${classes.join(" and ")}.`;
  const reason = `${bound}, which the entry module does not export. ${has} ${expected}`;
  return { code: "export-missing", reason };
}

function suggestion(exports: readonly ExportFact[]): string {
  const near = exports.find((fact) => fact.name.toLowerCase() === "app" && fact.name !== "App");
  if (near !== undefined) return `Did you mean ${near.name}? Names are case-sensitive: export it as App.`;
  const [only, second] = exports.filter((fact) => fact.kind === "class extends DurableObject");
  if (only === undefined || second !== undefined) return "";
  if (only.name === "default") return "Did you mean the default export? Export it by the name App.";
  return `Did you mean ${only.name}? Rename it to App, or export it as App: export { ${only.name} as App }.`;
}
