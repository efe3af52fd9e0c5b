// A push of main whose report is read as the facts that it consists of.
import { tryGit } from "../e2e/git.ts";
import type { Host } from "../e2e/host.ts";

/** What of the report the benches show. */
export interface PushFacts {
  readonly cutover: {
    readonly longestHoldMs: number;
    readonly drainedCount: number;
    readonly droppedCount: number;
    readonly turnedAwayCount: number;
    readonly tookMs: number;
  };
  /** By stage: "build", "rehearse", "cutOver" and others. */
  readonly stagesMs: Readonly<Record<string, number>>;
  readonly rehearsal: { readonly data: string };
}

/** Throws where the push fails. */
export async function pushJson(host: Host, repository: string, app: string): Promise<PushFacts> {
  const { code, stderr } = await tryGit(repository, ["push", "-o", "json", host.gitUrl(`${app}.git`), "main"]);
  const json = /^remote: (\{.*\})\s*$/m.exec(stderr)?.[1];
  if (code !== 0 || json === undefined) throw new Error(`The push ended with ${code}:\n${stderr}`);
  const facts: PushFacts = JSON.parse(json);
  return facts;
}
