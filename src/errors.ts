// The one error class that crosses module borders, and the closed list of its codes. A leaf: it imports nothing.
// An expected outcome (a ref refused, a build that failed) is a returned value; a HostingError is a client's fault.
// http/router.ts alone maps a code to an HTTP status.

/**
 * Every code that a pusher, an API client or a visitor can be shown, and what it means, as agents are told it. Codes are stable: a code is
 * never renamed or reused.
 */
export const ERROR_MEANINGS = {
  // Who is asking, and for what.
  "auth-required": "no token, or one that is not known; send one as the message says",
  "auth-forbidden": "a token that may not do this, or a request that a browser sends from another origin",
  "rate-limited": "too many wrong tokens or requests without one from this client; wait as retry-after says",
  "host-not-configured": "ADMIN_TOKEN is not set, so everything but the templates is closed",
  "not-found": "no such route, repository, template or deploy",
  "method-not-allowed": "an address that does not take this method; the header allow says which it takes",
  "invalid-request": "a JSON body, header or parameter that is not of the documented shape",
  "idempotency-mismatch": "an Idempotency-Key that was used for another call",
  "idempotency-running": "the first call with this key has not been answered yet",
  "invalid-app-name": "a name that is not of the form [a-z][a-z0-9-]{0,39}, or is reserved; the message says the rule",
  "app-exists": "there is an app of this name already",
  // Git's side.
  "service-unknown": "a git service other than git-upload-pack and git-receive-pack",
  "media-type-unsupported": "a git request whose content type is not the service's",
  "protocol-error": "bytes that are not what git's protocol says",
  "push-too-large": "a push over the limit on received bytes; push fewer commits at a time, or smaller files",
  "push-too-complex": "more objects, ids or inflated bytes than one push may come to",
  "object-too-large": "one object of the push is over the limit on its size",
  "pack-invalid": "a pack that is malformed, truncated or does not match its checksum",
  "object-invalid": "an object that git fsck refuses",
  "object-collision": "an object with the id of a stored one and other content",
  "object-missing": "an object that is named but neither sent nor stored",
  "ref-invalid": "a name that git check-ref-format refuses, or one that is not for pushing",
  "ref-stale": "the ref moved between the advertisement and the commit; fetch, then push again",
  "ref-conflict": "refs/heads/a beside refs/heads/a/b",
  "ref-refused": "refused by a setting or by another command of an atomic push",
  "branch-not-deployed":
    "a branch that is not the production branch, pushed without -o store where there are no previews",
  "preview-exists": "a branch whose preview would not run its commit any more",
  "preview-limit": "more branches in one push than there may be previews",
  "branch-protected": "the production branch cannot be deleted",
  "push-option-unknown": "a push option that this host does not know, or that does not go with this push",
  "push-superseded": "a newer push to the branch went live before this one",
  // The build.
  "entry-not-found": 'no entry module: set "main" in wrangler.jsonc, or have src/index.ts',
  "config-invalid": "wrangler.jsonc, package.json or tsconfig.json cannot be read",
  "config-unsupported": "asks for something this host does not have",
  "syntax-error": "source that does not parse; the message has file, line and column",
  "dependency-not-found": "an import of a package that package.json does not name, or that the runtime does not have",
  "import-not-found": "an import of a file that is not in the commit",
  "build-failed": "any other message of the bundler",
  "build-warning": "what does not stop a build",
  "build-limit": "more time, memory, files or bytes than a build may take",
  "bundle-too-large": "the bundle is over its limit; the message names the largest modules",
  "lfs-pointer": "a file whose content is in Git LFS: it is not in the push; commit the file itself",
  "type-error": "what TypeScript's checker finds, where a push asks for it",
  submodule: "a file of a submodule: its content is not in the push",
  "dependency-missing": "the registry has no package of this name",
  "dependency-version-missing": "it has the package, and no version for what is asked",
  "dependency-unsupported": "a dependency from git, an address or a folder outside of the repository",
  "dependency-native": "a native addon, which the runtime cannot load",
  "lockfile-invalid": "a lockfile that cannot be read",
  "lockfile-unsupported": "a lockfile of a kind that is not read",
  "lockfile-drift": "package.json and the lockfile say different things",
  "integrity-mismatch": "a tarball that is not the one that was locked",
  "package-invalid": "a tarball that cannot be unpacked",
  "registry-unreachable": "the npm registry did not answer; push again",
  "registry-unauthorized": "a private package, and no token that opens it",
  "install-script": "a warning: a package's install script is not run",
  // The app's class and its start.
  "export-missing": "the entry exports nothing that could receive requests, or not a class that is bound",
  "export-wrong-kind": "the export is not a class that extends DurableObject",
  "start-failed": "a throw at module scope or in the constructor, seen on a copy of the app's data",
  "start-timeout": "module scope and constructor together took too long",
  // Variables.
  "secrets-unavailable": "the host has no ENV_KEY, or not the one that a secret was sealed with",
  "variables-stale": "the variables, or what is live, changed while a change of them was under way",
  "probe-failed": "what package.json names as the probe answered 400 or more, threw, or was too slow",
  // Data and its snapshots.
  "snapshot-not-kept": "data of a time of which no snapshot is kept",
  "snapshot-needed": "a snapshot that a deploy under way restores",
  "restore-failed": "a snapshot that could not be copied back",
  "copy-too-slow": "data of an app that runs, too much to be copied by a runtime that makes no copies itself",
  "sql-failed": "a statement that SQLite refuses",
  "sql-read-only": "a statement that changes something, in a call that only reads",
  "sql-timeout": "a call that takes longer than it may",
  "archive-invalid": "a file that is no archive of an app, or not a whole one",
  "app-deleted": "the app was deleted and its name is kept: undelete it, or delete it for good",
  // Serving.
  "app-not-found": "no app answers at this host name",
  "app-not-deployed": "there is an app, and nothing of it has been deployed",
  "app-failed": "the app threw or did not start; its log says why",
  "preview-expired":
    "a preview that nobody visited, or one of too many; it comes back with the next push to its branch",
  "deploy-not-found": "an old deploy that cannot be shown",
  "preview-not-found": "an address below an app at which nothing is deployed",
  "quota-exceeded": "a cap on what an app may take; the answer says which, used and limit",
  "storage-full":
    "the app stores more than its quota databaseBytes: requests other than GET, HEAD, OPTIONS and DELETE are refused, and far beyond it all",
  "app-busy": "held longer than a deploy may hold a request; ask again",
  "internal-error": "the host's own fault; repeating the request is safe",
} as const;

/** One of the closed list of codes. */
export type ErrorCode = keyof typeof ERROR_MEANINGS;

/** All of them. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_MEANINGS).filter(isErrorCode);

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_MEANINGS, text);
}

/** What an error may say besides its message. */
export interface HostingErrorOptions extends ErrorOptions {
  readonly retryAfterS?: number;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A request that cannot be served as asked. The message is a full sentence that the client may be shown. */
export class HostingError extends Error {
  readonly code: ErrorCode;
  /** When the same request may be served, where it is too early for it now. */
  readonly retryAfterS: number | undefined;
  /** What else a program is told: members of the problem details. */
  readonly facts: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options?: HostingErrorOptions) {
    super(message, options);
    this.name = "HostingError";
    this.code = code;
    this.retryAfterS = options?.retryAfterS;
    this.facts = options?.facts;
  }
}
