// `npm run check`: what can be said of the source without running it. All checks run, so that one look shows everything.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

// By its path: typescript-6, which the Worker carries for pushed code, has a command of the same name.
const TSC = [process.execPath, join("node_modules", "typescript", "bin", "tsc")];

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  format: ["oxfmt", "--check"],
  lint: ["oxlint", "--deny-warnings"],
  types: TSC,
  ...Object.fromEntries(
    readdirSync(join(ROOT, "templates")).map((name) => [
      `types of templates/${name}`,
      [...TSC, "-p", `templates/${name}`],
    ]),
  ),
  "types of the dashboard's script": [...TSC, "-p", "src/http/dashboard/browser"],
  "unused code": ["knip"],
};

export interface Tally {
  passed: number;
  failed: number;
}

/** Prints a line for each check, and the output of those that failed. */
export function runChecks(): Tally {
  // Types and imports of the generated files: they are not in git.
  run([process.execPath, "scripts/generate.ts"]);
  const tally: Tally = { passed: 0, failed: 0 };
  for (const [name, command] of Object.entries(CHECKS)) {
    const { isPassed, output } = run(command);
    tally[isPassed ? "passed" : "failed"] += 1;
    console.log(isPassed ? `✓ ${name}` : `✗ ${name}\n${output}`);
  }
  return tally;
}

function run([command = "", ...args]: readonly string[]): { isPassed: boolean; output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  return { isPassed: status === 0, output: error ? error.message : stdout + stderr };
}

if (import.meta.main && runChecks().failed > 0) process.exitCode = 1;
