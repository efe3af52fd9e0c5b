// The arguments of a tool call as a request to the API. What is right of them is for the API to say; here only what cannot be sent.
import type { Tool } from "./tools.ts";

/** What to send, or why nothing can be. */
export type Call =
  | { readonly kind: "call"; readonly url: string; readonly body: string | undefined }
  | { readonly kind: "invalid"; readonly reason: string };

/** `apiUrl` without a slash at its end. */
export function buildCall(tool: Tool, given: Readonly<Record<string, unknown>>, apiUrl: string): Call {
  const known = tool.args.map(({ name }) => name);
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  const missing = tool.args.filter(({ name, isRequired }) => isRequired && given[name] === undefined);
  if (unknown.length > 0) return invalid(tool, `${unknown.join(", ")} is not one of its arguments`);
  if (missing.length > 0) return invalid(tool, `${missing.map(({ name }) => name).join(", ")} is missing`);
  let { path } = tool.call;
  const query = new URLSearchParams();
  const body: Record<string, unknown> = { ...tool.sets };
  for (const { name, place } of tool.args) {
    const value = given[name];
    if (value === undefined) continue;
    if (place === "body") {
      body[name] = value;
      continue;
    }
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      return invalid(tool, `${name} is neither text nor a number`);
    }
    if (place === "query") query.set(name, String(value));
    // A dot or nothing would be another path.
    else if (/^\.{0,2}$/.test(String(value))) return invalid(tool, `${name} is empty`);
    else path = path.replace(`{${name}}`, encodeURIComponent(value));
  }
  const hasBody = tool.args.some(({ place }) => place === "body");
  const search = query.size === 0 ? "" : `?${query.toString()}`;
  return { kind: "call", url: `${apiUrl}${path}${search}`, body: hasBody ? JSON.stringify(body) : undefined };
}

function invalid(tool: Tool, what: string): Call {
  const names = tool.args.map(({ name, isRequired }) => (isRequired ? name : `${name}?`));
  return { kind: "invalid", reason: `${tool.name}(${names.join(", ")}): ${what}.` };
}
