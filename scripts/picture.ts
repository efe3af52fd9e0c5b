// `npm run picture`: the picture of the dashboard in the README, docs/dashboard.png, taken of a real host after a few deploys: some that
// went live, one that was refused, one that was rolled back, a preview. To be run again when the pages change.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launchChromium } from "../test/e2e/chromium.ts";
import { commit, git, makeFolder, tryGit } from "../test/e2e/git.ts";
import { callApi, ROOT, startHost, type Host } from "../test/e2e/host.ts";
import { runScript, StartError } from "./start-error.ts";

const FILE = join(ROOT, "docs", "dashboard.png");
const SIZE = { width: 1120, height: 690 };
const ENTRY = "src/index.ts";

/** The deploys that the timeline shows, oldest first. */
async function makeHistory(host: Host): Promise<void> {
  const repository = makeFolder();
  await git(repository, "clone", "--quiet", host.gitUrl("new/guestbook/hello.git"), ".");
  await git(repository, "push", "--quiet");
  const source = readFileSync(join(repository, ENTRY), "utf8");
  await commit(repository, { [ENTRY]: `${source}\nexport const GREETING = "Welcome";\n` }, "Welcome our guests");
  await git(repository, "push", "--quiet");
  await commit(repository, { [ENTRY]: `${source}\nexport const GREETING = ;\n` }, "Greet them by name");
  const refused = await tryGit(repository, ["push", "--quiet"]);
  if (refused.code === 0) throw new StartError("A push that cannot be built was accepted.");
  await commit(repository, { [ENTRY]: `${source}\nexport const GREETING = "Dear guests";\n` }, "Greet them warmly");
  await git(repository, "push", "--quiet");
  await git(repository, "switch", "--quiet", "-c", "dark-mode");
  await git(repository, "commit", "--quiet", "--allow-empty", "-m", "Try a dark page");
  await git(repository, "push", "--quiet", "origin", "dark-mode");
  await callApi(host, "POST", "/apps/hello/rollback", { deploy: 2 });
}

async function takePicture(host: Host): Promise<void> {
  const browser = await launchChromium();
  if (typeof browser === "string") throw new StartError(browser);
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(/http:\/\/localhost:\d+\/sign-in\/\S+/.exec(host.logs())?.[0] ?? host.url);
    await page.goto(`${host.url}/apps/hello`);
    await page.locator(".badge", { hasText: "live" }).first().waitFor();
    await page.screenshot({ path: FILE });
  } finally {
    await browser.close();
  }
}

await runScript(async () => {
  const host = await startHost();
  try {
    await makeHistory(host);
    await takePicture(host);
    console.log(`${FILE} is written.`);
  } finally {
    await host.stop();
  }
});
