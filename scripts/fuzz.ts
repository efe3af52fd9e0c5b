// `npm run fuzz [-- --seconds N --seed S]`: the properties that `npm test` runs for a while, for long and with a seed of their own.
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DEFAULT_SECONDS = 600;
/** Starting, and finding the smallest input that fails. A fuzzer that takes longer than that hangs, and says so by ending. */
const GRACE_SECONDS = 300;

/** NaN for what is no whole number above 0. */
function readNumber(text: string): number {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
}

const { values } = parseArgs({ options: { seconds: { type: "string" }, seed: { type: "string" } } });
const seconds = values.seconds === undefined ? DEFAULT_SECONDS : readNumber(values.seconds);
const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : readNumber(values.seed);
if (Number.isNaN(seconds + seed)) {
  console.error("--seconds and --seed take whole numbers above 0.");
  process.exit(1);
}
console.log(`Seed ${seed}, ${seconds} seconds for all properties together.`);
const { status, error } = spawnSync("vitest", ["run", "--project", "workerd", "test/fuzz/"], {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, FUZZ_SEED: String(seed), FUZZ_SECONDS: String(seconds) },
  timeout: (seconds + GRACE_SECONDS) * 1000,
});
if (error)
  console.error(`The fuzzer did not come to an end: ${error.message}. The property without a result above hangs.`);
process.exitCode = status ?? 1;
