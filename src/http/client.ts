// Which client a request comes from, for limits and for the audit log.

/** The address, as Cloudflare's network says, which replaces what a client sends itself. wrangler does not: locally it can be chosen. */
export function clientAddress(request: Request): string {
  return request.headers.get("cf-connecting-ip") ?? "local";
}

/** Whom a limit counts as one: an IPv4 address, or the /64 that one IPv6 subscriber has. */
export function clientKey(request: Request): string {
  const address = clientAddress(request);
  if (!address.includes(":")) return address;
  const [head = "", tail = ""] = address.toLowerCase().split("::");
  const [before, after] = [head, tail].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, 8 - (before?.length ?? 0) - (after?.length ?? 0)) }, () => "0");
  const groups = [...(before ?? []), ...zeros, ...(after ?? [])];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
