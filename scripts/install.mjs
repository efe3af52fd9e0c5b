// Installs the packages that package-lock.json names, where node_modules does not hold them yet. Every npm script runs it first.
// Plain JavaScript for Node 20: it runs before the Node that the other scripts need (itself a package) is there.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The packages of a lockfile by path, without the project itself. */
function readPackages(path) {
  if (!existsSync(path)) return {};
  const { "": _project, ...packages } = JSON.parse(readFileSync(path, "utf8")).packages;
  return packages;
}

/** npm writes node_modules/.package-lock.json when everything is in place. Optional packages are those of other platforms. */
function isInstalled() {
  const installed = readPackages(join(ROOT, "node_modules", ".package-lock.json"));
  const wanted = Object.entries(readPackages(join(ROOT, "package-lock.json")));
  return wanted.every(([path, { version, optional }]) =>
    installed[path] ? installed[path].version === version : optional,
  );
}

if (!isInstalled()) {
  console.log("Installing what is missing (once) …");
  // npm's own output comes only with a failure. The error level leaves out warnings that ask nothing of the reader.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const [command, ...args] = [...npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) {
    console.error(`${stdout ?? ""}${stderr ?? ""}\nThe packages could not be installed: npm's reason is above.`);
    process.exit(1);
  }
}
