// The checks of blobs that git reads by itself: .gitmodules, which tells a recursive clone what to fetch and where to put it, and
// .gitattributes (fsck.c, fsck_blob). A .gitmodules that git cannot parse is accepted from there on, as receive-pack does.
import { type FsckProblem, fsckProblem } from "./fsck-problem.ts";
import { type ConfigVariable, readConfig } from "./git-config.ts";

/** Git's own limit is 512 MB; the largest in use has some hundred kilobytes. */
const MAX_MODULES_BYTES = 1024 * 1024;
const MAX_ATTRIBUTES_BYTES = 100 * 1024 * 1024;
const MAX_ATTRIBUTES_LINE_BYTES = 2048;
const NEWLINE = 0x0a;

const CHECKS = { gitmodules: checkGitmodules, gitattributes: checkGitattributes };

/** The first of git's complaints about a blob that a tree names so. */
export function checkSpecialBlob(name: "gitmodules" | "gitattributes", bytes: Uint8Array): FsckProblem | undefined {
  return CHECKS[name](bytes);
}

function checkGitmodules(bytes: Uint8Array): FsckProblem | undefined {
  if (bytes.byteLength > MAX_MODULES_BYTES) return fsckProblem("gitmodulesLarge");
  for (const variable of readConfig(bytes)) {
    const problem = checkSubmodule(variable);
    if (problem) return problem;
  }
  return undefined;
}

function checkSubmodule(variable: ConfigVariable): FsckProblem | undefined {
  const { section, subsection, key, value } = variable;
  // A NUL in a name hides the rest of the variable from git, the key too, so that it is none of a submodule.
  if (section !== "submodule" || subsection === undefined || subsection.includes("\0")) {
    return undefined;
  }
  if (isBadName(subsection)) return fsckProblem("gitmodulesName", `: ${shown(subsection)}`);
  if (value === undefined) return undefined;
  if (key === "url" && isBadUrl(value)) return fsckProblem("gitmodulesUrl", `: ${shown(value)}`);
  if (key === "path" && value.startsWith("-")) {
    return fsckProblem("gitmodulesPath", `: ${shown(value)}`);
  }
  if (key === "update" && value.startsWith("!")) {
    return fsckProblem("gitmodulesUpdate", `: ${shown(value)}`);
  }
  return undefined;
}

/** The name becomes a path under .git/modules (check_submodule_name). */
function isBadName(name: string): boolean {
  return name === "" || /(?:^|[\\/])\.\.(?:$|[\\/])/.test(name);
}

/** What could be taken for an option, smuggle a line into git's credential protocol or lose its host (check_submodule_url). */
function isBadUrl(url: string): boolean {
  if (url.startsWith("-")) return true;
  const dots = /^(?:\.\.?[\\/])*/.exec(url)?.[0] ?? "";
  if (dots !== "" || url.startsWith("git://")) {
    const climbs = /\.\.[\\/]/.test(dots);
    return hasNewline(url) || (climbs && /^[:/]/.test(url.slice(dots.length)));
  }
  const curlUrl = /^(?:(?:http|ftp)s?::(.*)|((?:http|ftp)s?:\/\/.*))$/s.exec(url);
  return curlUrl ? isBadCurlUrl(curlUrl[1] ?? curlUrl[2] ?? "") : false;
}

/** Stricter than git in one place: a line break counts in any part of the URL, not only after the colon that may be in it. */
function hasNewline(url: string): boolean {
  return /\n|%0a/i.test(url);
}

/** Whether credential_from_url fails, or finds no host: the text after "://" and the user, up to a slash, "?" or "#". */
function isBadCurlUrl(url: string): boolean {
  const protocolEnd = url.indexOf("://");
  if (protocolEnd <= 0 || hasNewline(url)) return true;
  const authority = /[^/?#]*/.exec(url.slice(protocolEnd + 3))?.[0] ?? "";
  return authority.slice(authority.indexOf("@") + 1) === "";
}

/** Lines are counted up to the first NUL, where git stops reading. */
function checkGitattributes(bytes: Uint8Array): FsckProblem | undefined {
  if (bytes.byteLength > MAX_ATTRIBUTES_BYTES) return fsckProblem("gitattributesLarge");
  const nul = bytes.indexOf(0);
  const end = nul < 0 ? bytes.byteLength : nul;
  for (let start = 0; start < end;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const lineEnd = newline < 0 ? end : Math.min(newline, end);
    if (lineEnd - start >= MAX_ATTRIBUTES_LINE_BYTES) return fsckProblem("gitattributesLineLength");
    start = lineEnd + 1;
  }
  return undefined;
}

/** The beginning of a name or value, whose bytes are one character each, as the text that they are. */
function shown(latin1: string): string {
  return Buffer.from(latin1.slice(0, 200), "latin1").toString("utf8");
}
