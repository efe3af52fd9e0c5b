// A real Chromium for the browser tests: one that is installed; else the one inside an npm package; else, for root on Debian, its own.
// What is fetched is fetched by the test command itself and kept in node_modules.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { ROOT } from "./host.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Carries Chromium, compressed, in the package. Not among our dependencies: only who has no browser needs its 70 MB. */
const PACKAGE = "@sparticuz/chromium";
const PACKAGE_VERSION = "153.0.0";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser, or why this machine has none. */
export async function launchChromium(): Promise<Browser | string> {
  const reasons: string[] = [];
  for (const find of [findInstalled, fetchPackage, installFromDebian]) {
    // oxlint-disable-next-line no-await-in-loop -- the next is for where this one has none
    const path = await find();
    if (path === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- as above
    const launched = await chromium.launch({ executablePath: path, args: ARGUMENTS }).catch((error: unknown) => {
      reasons.push(`${path} does not start: ${String(error).split("\n", 1)[0]}`);
    });
    if (launched !== undefined) return launched;
  }
  return `There is no Chromium, and none could be installed. ${reasons.join(" ")}`;
}

function findInstalled(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function fetchPackage(): Promise<string | undefined> {
  const folder = join(ROOT, "node_modules", ".chromium");
  const entry = join(folder, "node_modules", PACKAGE, "build", "index.js");
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"private":true}');
    const asked = ["install", "--no-audit", "--no-fund", "--no-save", `${PACKAGE}@${PACKAGE_VERSION}`];
    spawnSync("npm", asked, { cwd: folder, stdio: "ignore" });
  }
  if (!existsSync(entry)) return undefined;
  const { default: carried }: { default: { executablePath(): Promise<string> } } = await import(
    pathToFileURL(entry).href
  );
  return carried.executablePath();
}

function installFromDebian(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update"], { stdio: "ignore", env: environment });
  spawnSync("apt-get", ["install", "-y", "chromium"], { stdio: "ignore", env: environment });
  return findInstalled();
}
