// Files of variables in the repository. wrangler reads them on a developer's machine; nothing reads them here, and whoever can clone the
// repository reads what is secret in them.
import type { BuildMessage } from "./messages.ts";
import { fileName, isInNodeModules } from "./tree-path.ts";

/** ".env", ".dev.vars", and those of an environment, as ".env.production". */
const ENV_FILE = /^(\.env|\.dev\.vars)(\.[^/]+)?$/;

/** Those that say which variables there are, and have no values. */
const EXAMPLE = /\.(example|sample|template|dist|defaults?)$/;

/** A warning for each that is in the app's folder, or above it. */
export function envFileWarnings(paths: Iterable<string>, root: string): BuildMessage[] {
  const folder = root === "" ? "" : `${root}/`;
  const found = [...paths].filter((path) => {
    const name = fileName(path);
    const isNear = path.startsWith(folder) || path === name;
    return isNear && ENV_FILE.test(name) && !EXAMPLE.test(name) && !isInNodeModules(path);
  });
  return found.map((path) => ({
    code: "build-warning",
    text: `${path} is in the repository, and its variables are not in env.`,
    fix: `Take it out (git rm --cached ${path}; name it in .gitignore), set what is in it with PUT /api/v1/apps/<app>/env/<NAME>, and change its secrets, which every clone has.`,
  }));
}
