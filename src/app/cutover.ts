// The cutover of one deploy, as the push that made it asks for it.
import { findCutover, getDeploy } from "../store/deploys.ts";
import { arrive, type CutoverFacts } from "./arrival.ts";
import { runtimeOf, type HostedApp } from "./hosted-app.ts";
import type { StartFailure } from "./start-failure.ts";
import type { UndoneCutover } from "./undoing.ts";

/** What became of a deploy's cutover. */
export type CutoverOutcome =
  | ({ readonly kind: "live" } & CutoverFacts)
  /** A later deploy went live instead. */
  | { readonly kind: "superseded"; readonly byDeployNumber: number }
  /** Its preview, or the app, was deleted meanwhile. */
  | { readonly kind: "ended" }
  /**
   * The code did not start after all, or that of another deploy of its atomic push. Ref and live pointer are where they were; so is what
   * visitors get.
   */
  | {
      readonly kind: "reverted";
      readonly failure: StartFailure;
      readonly liveDeployNumber: number | undefined;
      /** The deploy that did not start. */
      readonly ofDeploy: number;
      /** Refs of its atomic push that are not where they were: another push has moved them on. */
      readonly stayed: readonly string[];
    };

/** Sees a committed deploy live, or undone. A visitor's request may have begun it already: the outcome is the same. */
export async function cutOver(app: HostedApp, deployNumber: number): Promise<CutoverOutcome> {
  const runtime = runtimeOf(app, getDeploy(app.db, deployNumber).facet);
  const arrival = await arrive(app, runtime);
  const { state } = getDeploy(app.db, deployNumber);
  const cutoverJson = findCutover(app.db, deployNumber);
  const liveDeployNumber = runtime.live?.deploy.number;
  if (state === "started" && cutoverJson !== undefined) {
    const facts: CutoverFacts = JSON.parse(cutoverJson);
    return { kind: "live", ...facts };
  }
  if (state === "failed" && cutoverJson !== undefined) {
    const { ofDeploy, stayed, ...failure }: UndoneCutover = JSON.parse(cutoverJson);
    return { kind: "reverted", failure, liveDeployNumber, ofDeploy, stayed };
  }
  if (liveDeployNumber !== undefined && liveDeployNumber > deployNumber) {
    return { kind: "superseded", byDeployNumber: liveDeployNumber };
  }
  if (runtime.live === undefined) return { kind: "ended" };
  throw new Error(`Deploy ${deployNumber} of ${app.name} is ${state} after an arrival that was ${arrival.kind}.`);
}
