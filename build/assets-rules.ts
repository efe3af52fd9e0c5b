// The files _headers and _redirects of an assets folder, read by Cloudflare's rules: what its documentation of static assets says
// of them, and its limits. A line that cannot be read is a warning with its place, and the rest counts.
import { type BuildMessage, locate } from "./messages.ts";

/** What one block of _headers does to the answers for a path. */
export interface HeaderRule {
  /** A path, or an https URL, with splats and placeholders. */
  readonly from: string;
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly unset: readonly string[];
}

/** One line of _redirects. Status 200 serves the file at `to` instead. */
export interface RedirectRule {
  readonly from: string;
  readonly to: string;
  readonly status: number;
  /** Exact, and looked up before all rules that are not. */
  readonly isStatic: boolean;
}

const MAX_LINE_LENGTH = 2000;
const MAX_HEADER_RULES = 100;
const MAX_STATIC_REDIRECTS = 2000;
const MAX_DYNAMIC_REDIRECTS = 100;
/** A file that is none of these two may have any number of lines. */
const MAX_WARNINGS = 20;
const REDIRECT_STATUSES = new Set([200, 301, 302, 303, 307, 308]);

interface Line {
  readonly text: string;
  warn(problem: string): void;
}

/** Lines that say something, each with a way to complain of it. */
function readLines(path: string, text: string, warnings: BuildMessage[]): Line[] {
  const lines: Line[] = [];
  let offset = 0;
  for (const raw of text.split("\n")) {
    const at = offset + (raw.length - raw.trimStart().length);
    offset += raw.length + 1;
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const warn = (problem: string): void => {
      if (warnings.length === MAX_WARNINGS) return;
      warnings.push({ code: "build-warning", text: problem, location: locate(path, text, at, line.length) });
    };
    if (line.length > MAX_LINE_LENGTH) warn(`This line is left out: it has more than ${MAX_LINE_LENGTH} characters.`);
    else lines.push({ text: line, warn });
  }
  return lines;
}

/** Reads a _headers file. */
export function readHeaderRules(path: string, text: string): { rules: HeaderRule[]; warnings: BuildMessage[] } {
  const warnings: BuildMessage[] = [];
  const blocks: { from: string | undefined; line: Line; set: [string, string][]; unset: string[] }[] = [];
  for (const line of readLines(path, text, warnings)) {
    if (/^(\/|[^\s:]+:\/\/)/.test(line.text)) {
      if (blocks.length === MAX_HEADER_RULES) {
        line.warn(`Rules from here on are left out: a _headers file has at most ${MAX_HEADER_RULES}.`);
        break;
      }
      blocks.push({ from: readSource(line, true), line, set: [], unset: [] });
      continue;
    }
    const block = blocks.at(-1);
    if (block === undefined) line.warn("This header is left out: no path comes before it.");
    else readHeader(line, block);
  }
  const rules: HeaderRule[] = [];
  for (const { from, line, set, unset } of blocks) {
    if (from === undefined) continue;
    if (set.length === 0 && unset.length === 0) line.warn("This path is left out: no headers follow it.");
    else rules.push({ from, set, unset });
  }
  return { rules, warnings };
}

function readHeader(line: Line, block: { readonly set: [string, string][]; readonly unset: string[] }): void {
  const detached = /^!\s+(.+)$/.exec(line.text)?.[1]?.trim();
  const colon = line.text.indexOf(":");
  if (detached !== undefined && colon < 0) {
    if (isHeaderName(detached)) block.unset.push(detached.toLowerCase());
    else line.warn(`This line is left out: "${detached}" is no name of a header.`);
    return;
  }
  if (colon < 0) {
    line.warn(`This line is left out: a header is written "Name: value", and is taken away by "! Name".`);
    return;
  }
  const name = line.text.slice(0, colon).trim().toLowerCase();
  const value = line.text.slice(colon + 1).trim();
  if (!isHeaderName(name)) line.warn(`This header is left out: "${name}" is no name of a header.`);
  else if (value === "") line.warn("This header is left out: it has no value.");
  // oxlint-disable-next-line no-control-regex -- what no header may hold
  else if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value))
    line.warn("This header is left out: its value has control characters.");
  else block.set.push([name, value]);
}

/** RFC 9110, section 5.1: a token. */
function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

/** Reads a _redirects file. `hasHtmlHandling`: "/index.html" is itself redirected to "/". */
export function readRedirectRules(
  path: string,
  text: string,
  hasHtmlHandling: boolean,
): { rules: RedirectRule[]; warnings: BuildMessage[] } {
  const warnings: BuildMessage[] = [];
  const rules: RedirectRule[] = [];
  const seen = new Set<string>();
  let staticCount = 0;
  let dynamicCount = 0;
  for (const line of readLines(path, text, warnings)) {
    const rule = readRedirect(line, hasHtmlHandling);
    if (rule === undefined) continue;
    if (seen.has(rule.from)) {
      line.warn(`This rule is left out: ${rule.from} has one already.`);
      continue;
    }
    seen.add(rule.from);
    // In a file of both kinds the exact rules come first: one behind a rule with a splat is taken in its order with those.
    const isStatic = dynamicCount === 0 && !isDynamic(rule.from);
    if (isStatic) staticCount += 1;
    else dynamicCount += 1;
    if (dynamicCount > MAX_DYNAMIC_REDIRECTS) {
      line.warn(`Rules from here on are left out: at most ${MAX_DYNAMIC_REDIRECTS} may have splats and placeholders.`);
      break;
    }
    if (staticCount > MAX_STATIC_REDIRECTS)
      line.warn(`This rule is left out: at most ${MAX_STATIC_REDIRECTS} are exact.`);
    else rules.push({ ...rule, isStatic });
  }
  return { rules, warnings };
}

/** Whether a rule has a splat or a placeholder. */
function isDynamic(from: string): boolean {
  return /\*|:[A-Za-z]\w*/.test(from);
}

function readRedirect(line: Line, hasHtmlHandling: boolean): Omit<RedirectRule, "isStatic"> | undefined {
  const words = line.text.split(/\s+/);
  const comment = words.findIndex((word, at) => at >= 2 && word.startsWith("#"));
  const [source = "", target = "", statusWord = "302", ...more] = comment < 0 ? words : words.slice(0, comment);
  if (target === "" || more.length > 0) {
    line.warn("This rule is left out: a redirect is two words, from and to, and may have a status.");
    return undefined;
  }
  const from = readSource({ ...line, text: source }, false);
  if (from === undefined) return undefined;
  const status = Number(statusWord);
  if (!REDIRECT_STATUSES.has(status)) {
    line.warn(`This rule is left out: its status is ${statusWord}, and may be 200, 301, 302, 303, 307 or 308.`);
    return undefined;
  }
  const to = readTarget(target);
  if (to === undefined || (status === 200 && !to.startsWith("/"))) {
    const expected = status === 200 ? `a path that begins with "/"` : `a path that begins with "/", or an https URL`;
    line.warn(`This rule is left out: what it leads to must be ${expected}.`);
    return undefined;
  }
  const leadsToIndex = to.startsWith("/") && /\/index(\.html)?$/.test(to);
  if (leadsToIndex && (from.endsWith("/*") || (from.endsWith("/") && hasHtmlHandling))) {
    line.warn("This rule is left out: it would lead back to itself.");
    return undefined;
  }
  return { from, to, status };
}

/** Whether a rule could match in more than one way. Trying them all could take for ever. */
function isAmbiguous(from: string): boolean {
  const names: readonly string[] = from.match(/\*|:[A-Za-z]\w*/g) ?? [];
  const isCrowded = from.split("/").some((part) => (part.match(/\*|:[A-Za-z]\w*/g) ?? []).length > 1);
  return isCrowded || names.includes(":splat") || new Set(names).size < names.length;
}

/** The path that a rule is for, as a URL writes it; for _headers also an https URL. */
function readSource(line: Line, mayHaveHost: boolean): string | undefined {
  const { text } = line;
  if (isAmbiguous(text.replace(/^https:\/\//, ""))) {
    line.warn("This rule is left out: it may have one splat, one placeholder between two slashes, and no name twice.");
    return undefined;
  }
  const hasHost = /^[^\s:/]+:\/\//.test(text);
  if (!hasHost) return encodePath(text.startsWith("/") ? text : `/${text}`);
  const [, host, path = ""] = /^https:\/\/([^/]+)\/?(.*)$/.exec(text) ?? [];
  if (!mayHaveHost || host === undefined) {
    line.warn(
      `This rule is left out: ${mayHaveHost ? "a URL in it must begin with https://" : "it must begin with a path"}.`,
    );
    return undefined;
  }
  if (/:\d+$/.test(host)) {
    line.warn("This rule is left out: it names a port.");
    return undefined;
  }
  return `https://${host}${encodePath(`/${path}`)}`;
}

/** Where a redirect leads: a path with its query and fragment, or an https URL. */
function readTarget(text: string): string | undefined {
  if (text.startsWith("/")) return text.replace(/^[/\\]+/, "/");
  return /^https:\/\/[^/]+/.test(text) ? text : undefined;
}

/** A path as URLs have it, without query and fragment. Splats and placeholders are characters that stay. */
function encodePath(path: string): string {
  const [bare = "/"] = path.split(/[?#]/, 1);
  return new URL(`https://host${bare.replace(/^[/\\]+/, "/")}`).pathname;
}
