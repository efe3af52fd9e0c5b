// What an app's state is, in a word, from what the API says of it and of its newest attempt to deploy.
import type { AppAnswer } from "../api/apps.ts";
import type { HistoryAnswer } from "../api/deploys.ts";
import type { Tone } from "./parts.tsx";

/** A state as a badge shows it. */
export interface State {
  readonly tone: Tone;
  readonly text: string;
}

export function appState(app: AppAnswer, newest: HistoryAnswer | undefined): State {
  if (newest?.state === "running") return { tone: "busy", text: "deploying" };
  if (app.live === null) {
    return newest === undefined ? { tone: "calm", text: "nothing deployed" } : { tone: "bad", text: "not deployed" };
  }
  if (newest?.failure && newest.number > app.live.number) return { tone: "good", text: "live, last deploy failed" };
  return { tone: "good", text: "live" };
}

const DEPLOY_STATES: Readonly<Record<HistoryAnswer["state"], State>> = {
  running: { tone: "busy", text: "running" },
  live: { tone: "good", text: "live" },
  started: { tone: "calm", text: "was live" },
  committed: { tone: "busy", text: "starting" },
  failed: { tone: "bad", text: "failed" },
  interrupted: { tone: "bad", text: "interrupted" },
  superseded: { tone: "calm", text: "gave way" },
};

export function deployState(deploy: HistoryAnswer): State {
  const isElsewhere = deploy.environment !== null && deploy.environment !== "app";
  // Whether a preview still runs it is for the list of previews.
  if (deploy.state === "started" && isElsewhere) return { tone: "calm", text: "preview" };
  return DEPLOY_STATES[deploy.state];
}

/** Why it failed, without the code that some reasons begin with. */
export function failureReason({ code, reason }: NonNullable<HistoryAnswer["failure"]>): string {
  return reason.startsWith(`${code} `) ? reason.slice(code.length + 1) : reason;
}

/** How long it took; undefined while it runs, or where nobody saw its end. */
export function tookMs(deploy: HistoryAnswer): number | undefined {
  return deploy.endedAt === null ? undefined : Date.parse(deploy.endedAt) - Date.parse(deploy.createdAt);
}

/** What it deployed to, as its owner calls it. */
export function environmentName(environment: string | null): string {
  if (environment === null || environment === "app") return "production";
  return environment.replace(/^preview:/, "preview ").replace(/^version:/, "version ");
}
