// Cron triggers: triggers.crons as Cloudflare reads them, five fields in UTC, where Sunday is day 1 of the week or SUN.
import { Cron } from "croner";
import { type ConfigCheck, isStringList } from "./config-check.ts";

/** The same as in src/app/cron-schedule.ts. */
const SYNTAX = {
  mode: "5-part",
  alternativeWeekdays: true,
  sloppyRanges: true,
  timezone: "UTC",
  paused: true,
} as const;

/** The expressions that are right; what is wrong with the others goes to the problems. */
export function readCrons(check: ConfigCheck): readonly string[] {
  const keys = ["triggers", "crons"];
  const crons = check.value(keys, 'a list such as ["0 * * * *"]', isStringList) ?? [];
  return crons.filter((cron, at) => {
    const problem = explainCron(cron);
    if (problem === undefined) return true;
    check.problems.push({
      code: "config-invalid",
      text: `The cron expression "${cron}" cannot be read: ${problem}`,
      location: check.file.locate([...keys, at]),
      fix: 'Write five fields, minute, hour, day of month, month and day of week (1 or SUN is Sunday), such as "30 7 * * MON-FRI".',
    });
    return false;
  });
}

/** A sentence; undefined: it is right. */
function explainCron(cron: string): string | undefined {
  const { length } = cron.trim().split(/\s+/);
  if (length !== 5) return `it has ${length === 1 ? "one field" : `${length} fields`}, not five.`;
  try {
    const next = new Cron(cron, SYNTAX).nextRun();
    return next === null ? "there is no such day." : undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `${text.replace(/^CronPattern: /, "").replace(/\.$/, "")}.`;
  }
}
