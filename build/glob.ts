// Globs as wrangler's rules and npm's workspaces write them: "*" and "?" within one segment, "**" across segments, "{a,b}".
// Matched against whole paths of the tree.

/** The expression that a glob is. A leading "./" means nothing. */
export function globToRegExp(glob: string): RegExp {
  const text = glob.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
  let pattern = "";
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at);
    const stars = /^\*{2,}(\/?)/.exec(rest);
    if (stars !== null && (at === 0 || text[at - 1] === "/") && (stars[1] === "/" || rest === stars[0])) {
      pattern += stars[1] === "/" ? "(?:[^/]*/)*" : ".*";
      at += stars[0].length - 1;
      continue;
    }
    const char = rest[0] ?? "";
    if (char === "{" && rest.includes("}")) depth += 1;
    if (char === "}" && depth > 0) {
      depth -= 1;
      pattern += ")";
    } else pattern += depth > 0 && char === "{" ? "(?:" : depth > 0 && char === "," ? "|" : charPattern(char);
  }
  // Braces that do not close mean themselves.
  return depth > 0 ? new RegExp(`^${text.replaceAll(/[^\w/]/g, "\\$&")}$`) : new RegExp(`^${pattern}$`);
}

function charPattern(char: string): string {
  if (char === "*") return "[^/]*";
  if (char === "?") return "[^/]";
  return /[\w/]/.test(char) ? char : `\\${char}`;
}
