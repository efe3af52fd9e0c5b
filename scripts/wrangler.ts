// This project's own wrangler, as the scripts run it: in the project's folder, without telemetry and without questions.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { WranglerAnswer } from "./doctor-checks.ts";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const QUESTION_LIMIT_MS = 30_000;

/** Runs it before everybody's eyes. false: it failed, and has said why. */
export function runWrangler(args: readonly string[]): boolean {
  return spawnSync("wrangler", args, { cwd: ROOT, env: environment(), stdio: "inherit" }).status === 0;
}

/** Asks it something. What it prints is for the one who asks. */
export function askWrangler(args: readonly string[]): WranglerAnswer {
  const { status, stdout, stderr } = spawnSync("wrangler", args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...environment(), CI: "true" },
    timeout: QUESTION_LIMIT_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const codes = [...`${stdout ?? ""}${stderr ?? ""}`.matchAll(/\[code: (\d+)\]/g)].map((match) => Number(match[1]));
  return { isDone: status === 0, stdout: stdout ?? "", codes };
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" };
}
