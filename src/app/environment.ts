// An environment of an app: production, the preview of a branch, or one old deploy on show. Each has a facet of its own, whose name
// is what it is known by everywhere: in the database, in memory, in the loader. Pure.
import { parseAppName, type AppName } from "./app-name.ts";

/** The facet that answers visitors, and the one that a deploy is tried in. */
export const PRODUCTION_FACET = "app";
export const REHEARSAL_FACET = "rehearsal";

/** The copy that the owner's questions are put to. */
export const READING_FACET = "reading";

const PREVIEW = "preview:";
const VERSION = "version:";

/** What an app is told that it runs as. */
export type EnvironmentKind = "production" | "preview" | "version";

/** The facet of a branch's preview. */
export function previewFacet(slug: string): string {
  return PREVIEW + slug;
}

/** The facet that shows one deploy. */
export function versionFacet(deployNumber: number): string {
  return `${VERSION}${deployNumber}`;
}

/** The number of the deploy that a facet shows; undefined for any other facet. */
export function shownDeployNumber(facet: string): number | undefined {
  return facet.startsWith(VERSION) ? Number(facet.slice(VERSION.length)) : undefined;
}

/** Which kind of environment a facet is. */
export function environmentKind(facet: string): EnvironmentKind {
  if (facet.startsWith(PREVIEW)) return "preview";
  return facet.startsWith(VERSION) ? "version" : "production";
}

/** Whether a facet is one at all: others hold copies of data, and no visitor gets there. */
export function isEnvironment(facet: string): boolean {
  return facet === PRODUCTION_FACET || facet.startsWith(PREVIEW) || facet.startsWith(VERSION);
}

/** What stands before HOST in the environment's address: "hello", "fix--hello", "v12--hello". */
export function environmentLabel(app: string, facet: string): string {
  if (facet.startsWith(PREVIEW)) return `${facet.slice(PREVIEW.length)}--${app}`;
  return facet.startsWith(VERSION) ? `v${facet.slice(VERSION.length)}--${app}` : app;
}

/** The environment that a host name's label is for; undefined if it can be none. That it can be does not say that it is there. */
export function parseLabel(label: string): { readonly app: AppName; readonly facet: string } | undefined {
  const split = label.lastIndexOf("--");
  const app = parseAppName(label.slice(split === -1 ? 0 : split + 2));
  if (app === undefined) return undefined;
  if (split === -1) return { app, facet: PRODUCTION_FACET };
  const name = label.slice(0, split);
  if (isDeployName(name)) return { app, facet: versionFacet(Number(name.slice(1))) };
  return isSlug(name) ? { app, facet: previewFacet(name) } : undefined;
}

/** "v12". No preview has such a slug: these are the addresses of deploys. */
function isDeployName(name: string): boolean {
  return /^v[1-9][0-9]{0,8}$/.test(name);
}

/** What a branch is called in a host name: lower-case letters, digits and single hyphens, none of them first or last. */
function isSlug(name: string): boolean {
  return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name);
}

/** What an app finds in env.SLIPWAY. */
interface EnvironmentFacts {
  readonly app: string;
  readonly environment: EnvironmentKind;
  readonly branch: string;
  readonly commit: string;
  /** The deploy's number; absent in a rehearsal, which has none yet. */
  readonly deploy?: number;
}

/**
 * The app's `env`: its own variables and, unless one of them has that name, SLIPWAY, by which it knows where it runs. JSON text,
 * so that what the isolate's name binds is what the isolate gets.
 */
export function appEnvironmentJson(
  app: string,
  facet: string,
  deploy: { readonly ref: string; readonly commitId: string; readonly varsJson: string; readonly number?: number },
): string {
  const { ref, commitId, varsJson, number } = deploy;
  const facts: EnvironmentFacts = {
    app,
    environment: environmentKind(facet),
    branch: ref.replace(/^refs\/heads\//, ""),
    commit: commitId,
    ...(number === undefined ? {} : { deploy: number }),
  };
  return JSON.stringify({ SLIPWAY: facts, ...JSON.parse(varsJson) });
}
