// `npm test`: the checks, then every test. `npm test -- <filter>` runs only the test files whose path has the filter in it.
// The last line is "N passed, N failed" over both.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecks, type Tally } from "./check.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is read of vitest's JSON report. */
interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

function runTests(args: readonly string[]): Tally {
  const folder = mkdtempSync(join(tmpdir(), "slipway-test-"));
  const reportPath = join(folder, "report.json");
  const { status } = spawnSync(
    "vitest",
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`, ...args],
    { cwd: ROOT, stdio: "inherit" },
  );
  const tally = readTally(reportPath);
  rmSync(folder, { recursive: true });
  // An error outside of every test, or a pool that did not start.
  if (status !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

function readTally(reportPath: string): Tally {
  const report: TestReport = JSON.parse(readFileSync(reportPath, "utf8"));
  // A file that could not even be imported has failed and has no tests.
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + brokenFiles.length };
}

const args = process.argv.slice(2);
const checks = args.length === 0 ? runChecks() : { passed: 0, failed: 0 };
const tests = runTests(args);
console.log(`\n${checks.passed + tests.passed} passed, ${checks.failed + tests.failed} failed`);
if (checks.failed + tests.failed > 0 || tests.passed === 0) process.exitCode = 1;
