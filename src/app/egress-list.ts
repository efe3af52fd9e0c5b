// The owner's side of egress: the lists of an app, what they decide for a request, and the last requests that went out or did not.
import { listEgressRules, setEgressRules } from "../store/egress.ts";
import { noteLine, noteUsage } from "./activity.ts";
import { environmentKind } from "./environment.ts";
import type { EgressEvent } from "./egress-event.ts";
import { decideEgress, parseEgressRule, type EgressDecision } from "./egress-policy.ts";
import { quotasOf } from "./quotas.ts";
import { takeFrom } from "./rate.ts";
import { findExisting, type HostedApp } from "./hosted-app.ts";
import { maskSecretsOf } from "./variables.ts";

/** What the owner sees and sets. */
export interface EgressLists {
  readonly allow: readonly string[];
  readonly previewAllow: readonly string[];
}

/** The lists, and the last events, newest first. */
export interface EgressState extends EgressLists {
  readonly recent: readonly EgressEvent[];
}

/** So many of the last events are kept, in memory: what has to last is in the app's log. */
const MAX_RECENT = 100;

/** undefined: the app does not exist. */
export function readEgress(app: HostedApp): EgressState | undefined {
  if (findExisting(app) === undefined) return undefined;
  const allow = listEgressRules(app.db, "production");
  return { allow, previewAllow: listEgressRules(app.db, "preview"), recent: app.recentEgress.toReversed() };
}

/** What is not given stays. Holds from the next request on, without a deploy. false: the app does not exist. */
export function changeEgress(app: HostedApp, lists: Partial<EgressLists>): boolean {
  if (findExisting(app) === undefined) return false;
  app.db.transaction(() => {
    if (lists.allow !== undefined) setEgressRules(app.db, "production", lists.allow);
    if (lists.previewAllow !== undefined) setEgressRules(app.db, "preview", lists.previewAllow);
  });
  return true;
}

/** Decides for one request of one environment. */
export function decideFor(app: HostedApp, facet: string, url: string): EgressDecision {
  const parsed = URL.parse(url);
  if (findExisting(app) === undefined || parsed === null) return { kind: "refused", reason: "the app is gone" };
  const scope = environmentKind(facet) === "production" ? "production" : "preview";
  const rules = listEgressRules(app.db, scope).flatMap((text) => parseEgressRule(text) ?? []);
  const decision = decideEgress(parsed, { rules, ownHost: app.env.HOST });
  const { egressRequestsPerMinute } = quotasOf(app);
  if (decision.kind === "refused" || takeFrom(app.egressRate, egressRequestsPerMinute, app.now()) === undefined) {
    return decision;
  }
  return { kind: "refused", reason: `the app has sent more than ${egressRequestsPerMinute} requests in a minute` };
}

/** Keeps an event for the owner to see. */
export function noteEgress(app: HostedApp, event: EgressEvent): void {
  const { atMs, facet, deployNumber, method, host, path, status, reason, sentBytes, receivedBytes } = event;
  const outcome = status === undefined ? (reason ?? "no answer") : `${status}, ${receivedBytes} bytes`;
  const level = status === undefined ? "warn" : "info";
  noteUsage(app, event, { egressRequests: 1, egressSentBytes: sentBytes, egressReceivedBytes: receivedBytes });
  noteLine(app, { atMs, facet, deployNumber, kind: "egress", level, text: `${method} ${host}${path} ${outcome}` });
  app.recentEgress.push({ ...event, path: maskSecretsOf(app, event, path) });
  if (app.recentEgress.length > MAX_RECENT) app.recentEgress.shift();
}
