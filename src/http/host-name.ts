// Which origin a request is for: the host's own, or an app's. Every app has its own origin, <app>.HOST.

/** Where a request goes, by its host name alone. `label` is what stands before HOST, not yet checked to be an app's name. */
export type Origin = { readonly kind: "host" } | { readonly kind: "app"; readonly label: string };

/** The origin that `url` names. Any name that is not below `hostName` is the host itself: an address, a workers.dev name. */
export function readOrigin(url: URL, hostName: string): Origin {
  const suffix = `.${hostName.toLowerCase()}`;
  // With the root's dot (RFC 1034, 3.1) it is the same name.
  const name = url.hostname.toLowerCase().replace(/\.$/, "");
  return name.endsWith(suffix) ? { kind: "app", label: name.slice(0, -suffix.length) } : { kind: "host" };
}

/** The URL that an app answers at, given any URL of this host. */
export function appUrl(hostUrl: URL, hostName: string, label: string): string {
  const port = hostUrl.port === "" ? "" : `:${hostUrl.port}`;
  return `${hostUrl.protocol}//${label}.${hostName}${port}/`;
}
