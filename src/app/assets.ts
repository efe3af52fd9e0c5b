// Static assets of a deploy: before the app on a visitor's request, and for the app itself through env. In order: a rule of _redirects, a
// file by html_handling, not_found_handling where a browser opens a page, the app. run_worker_first leaves all to the app, whose env.ASSETS
// has not_found_handling for every path; a WebSocket is always the app's. Manifests that are in use stay in memory, so that a request
// costs a look-up in a map and, where a file answers it, one read of R2.
import { getManifest, type AssetFile } from "../store/assets.ts";
import { findRepository } from "../store/settings.ts";
import { ERROR_HEADER } from "./answers.ts";
import { loadAssets, type LoadedAssets } from "./asset-cache.ts";
import { answerWithFile } from "./assets-answer.ts";
import { matchAsset, type Handling } from "./assets-match.ts";
import type { RequestPlace } from "./assets-rules.ts";
import type { EnvironmentProps } from "./environment-props.ts";
import type { HostedApp } from "./hosted-app.ts";

/** Which assets the entrypoint is for. A rehearsal has them before it has a deploy's number. */
export interface AssetsProps extends EnvironmentProps {
  readonly assetsId: string;
}

/** What answers a request, before its file is read. */
type Decision =
  | { readonly kind: "file"; readonly file: AssetFile; readonly status: 200 | 404 }
  | { readonly kind: "redirect"; readonly location: string; readonly status: number }
  | { readonly kind: "method-not-allowed" }
  | { readonly kind: "not-found" }
  /** Nothing: the app's turn. */
  | { readonly kind: "none" };

/** The answer to a visitor's request if an asset, or a rule, comes before the app. Decided before this returns. */
export function answerBeforeApp(app: HostedApp, assetsId: string, request: Request): Promise<Response> | undefined {
  // No asset can be a WebSocket.
  if (request.headers.has("upgrade")) return undefined;
  const assets = load(app, assetsId);
  const { serving, rules } = assets;
  const url = new URL(request.url);
  if (rules.isWorkerFirst(url.pathname)) return undefined;
  const isNavigation = serving.servesNavigations && request.headers.get("sec-fetch-mode") === "navigate";
  const handling: Handling = isNavigation ? serving : { ...serving, notFoundHandling: "none" };
  const decision = decide(assets, handling, { url, method: request.method });
  return decision.kind === "none" ? undefined : answer(app, assets, { decision, request, url });
}

/** What env.ASSETS.fetch answers: not_found_handling counts, run_worker_first does not. */
export function fetchAsset(app: HostedApp, assetsId: string, request: Request): Promise<Response> {
  const assets = load(app, assetsId);
  const url = new URL(request.url);
  const decision = decide(assets, assets.serving, { url, method: request.method });
  return answer(app, assets, { decision, request, url });
}

/** What is in `env` for an app's assets: a stub, under the name that its configuration gives it. */
export function makeAssetBindings(
  app: HostedApp,
  assetsId: string | undefined,
  environment: Omit<AssetsProps, "app" | "assetsId">,
): Readonly<Record<string, Fetcher>> {
  if (assetsId === undefined) return {};
  const props: AssetsProps = { ...environment, app: app.name, assetsId };
  return { [load(app, assetsId).serving.binding]: app.ctx.exports.Assets({ props }) };
}

function decide(
  { files, rules }: LoadedAssets,
  handling: Handling,
  { url, method }: { readonly url: URL; readonly method: string },
): Decision {
  const redirect = rules.findRedirect(url);
  if (redirect !== undefined && redirect.status !== 200) {
    return { kind: "redirect", location: locationOf(redirect.to, url), status: redirect.status };
  }
  const pathname = redirect === undefined ? url.pathname : toUrl(redirect.to, url).pathname;
  const match = matchAsset(files, handling, pathname);
  if (match.kind === "none") return { kind: redirect === undefined ? "none" : "not-found" };
  if (method !== "GET" && method !== "HEAD") return { kind: "method-not-allowed" };
  if (match.kind === "redirect") return { kind: "redirect", location: match.to + url.search, status: 307 };
  return match;
}

/** A path stays on the app's own origin, whatever a placeholder brought: "//host" and "/\host" are other hosts to a browser. */
function toUrl(to: string, base: URL): URL {
  return new URL(to.startsWith("/") ? to.replace(/^[/\\]+/, "/") : to, base);
}

/** The query of the request goes along, unless the rule has one. */
function locationOf(to: string, url: URL): string {
  const target = toUrl(to, url);
  if (target.search === "") target.search = url.search;
  if (target.origin !== url.origin) return target.href;
  // The host that a visitor sees may be another than the one that came here.
  return target.pathname + target.search + target.hash;
}

async function answer(
  app: HostedApp,
  { rules }: LoadedAssets,
  { decision, request, url }: { readonly decision: Decision; readonly request: Request; readonly url: RequestPlace },
): Promise<Response> {
  if (decision.kind === "redirect") {
    return new Response(null, { status: decision.status, headers: { location: decision.location } });
  }
  if (decision.kind === "method-not-allowed") {
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  }
  if (decision.kind !== "file") return new Response(null, { status: 404 });
  const repositoryId = findRepository(app.db)?.repositoryId ?? "";
  const changeHeaders = (headers: Headers): void => {
    rules.changeHeaders(url, headers);
    // What marks the host's own answers.
    headers.delete(ERROR_HEADER);
  };
  return answerWithFile({ bucket: app.env.BUCKET, repositoryId, cache: app.assetContents }, request, {
    ...decision,
    changeHeaders,
  });
}

/** From memory, else from the database, which is read at once. */
function load(app: HostedApp, assetsId: string): LoadedAssets {
  return loadAssets(app.assets, assetsId, () => getManifest(app.db, assetsId));
}
