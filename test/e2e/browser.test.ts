// The pages in a real browser, against the real host: one journey, in which every text that an app controls tries to become markup.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchChromium } from "./chromium.ts";
import { commit, git, makeFolder } from "./git.ts";
import { callApi, request, startHost, type Host } from "./host.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Each would say so by a dialog, or by the mark that it leaves. */
const ATTACK = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'"&`;
const ATTACKING_BRANCH = `x"><svg/onload=window.hacked=1>`;

/** An app that says whatever it is asked to, and counts who came. */
const APP = `import { DurableObject } from "cloudflare:workers";
export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS said (id INTEGER PRIMARY KEY, words TEXT)");
  }
  async fetch(request) {
    const words = new URL(request.url).searchParams.get("say");
    if (words === "throw") throw new Error("asked to throw");
    if (words) {
      this.ctx.storage.sql.exec("INSERT INTO said (words) VALUES (?)", words);
      console.log(words);
    }
    return Response.json([...this.ctx.storage.sql.exec("SELECT words FROM said")].map((row) => row.words));
  }
}
`;

const launched = await launchChromium();
if (typeof launched === "string") console.warn(`browser tests skipped: ${launched}`);

describe.skipIf(typeof launched === "string")("the dashboard in a browser", () => {
  let browser: Browser;
  let host: Host;
  let context: BrowserContext;
  let page: Page;
  let repository: string;
  /** What went wrong without a test looking: console errors, dialogs, requests to elsewhere. */
  const complaints: string[] = [];

  function watch(watched: BrowserContext): void {
    watched.on("request", (sent) => {
      const { protocol, host: asked } = new URL(sent.url());
      if (protocol !== "data:" && asked !== `localhost:${host.port}`) complaints.push(`request to ${sent.url()}`);
    });
    watched.on("console", (message) => {
      // A page that is answered 4xx on purpose is an error to Chromium.
      const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
      if (message.type() === "error" && !isStatus) complaints.push(`console: ${message.text()}`);
    });
    watched.on("weberror", (error) => complaints.push(`script: ${error.error().message}`));
    watched.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  async function open(path: string): Promise<number | undefined> {
    const answer = await page.goto(`${host.url}${path}`);
    expect(await page.evaluate("window.hacked"), path).toBeUndefined();
    return answer?.status();
  }

  async function say(words: string): Promise<void> {
    await request(`${host.appUrl("hello")}?say=${encodeURIComponent(words)}`);
  }

  async function said(): Promise<unknown> {
    return JSON.parse((await request(host.appUrl("hello"))).text);
  }

  beforeAll(async () => {
    if (typeof launched === "string") return;
    browser = launched;
    host = await startHost();
    context = await browser.newContext({ baseURL: host.url });
    watch(context);
    // A journey: what one step did not reach the next one lacks.
    context.setDefaultTimeout(10_000);
    page = await context.newPage();
  });
  afterAll(async () => {
    await Promise.all([browser?.close(), host?.stop()]);
  });

  test("npm start's link signs in, once", async () => {
    const link = /http:\/\/localhost:\d+\/sign-in\/\S+/.exec(host.logs())?.[0] ?? "";
    await page.goto(link);
    expect(new URL(page.url()).pathname).toBe("/apps");
    await page.getByRole("button", { name: "Sign out" }).click();
    expect(new URL(page.url()).pathname).toBe("/");
    await page.goto(link);
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("used already");
  });

  test("a wrong token is told so, the right one goes on, by keyboard alone", async () => {
    await open("/apps/nothing");
    await page.keyboard.press("Tab");
    await expect.poll(() => page.evaluate("document.activeElement.className")).toBe("skip");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token").focus();
    await page.keyboard.type(host.token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/apps/nothing");
  });

  test("an app is made of a template with one click", async () => {
    await open("/apps");
    expect(await page.textContent("main")).toContain("No app yet");
    await page.getByRole("textbox", { name: "Name" }).fill("hello");
    await page.getByRole("radio", { name: /^Counter/ }).check();
    await page.getByRole("button", { name: "Create and deploy" }).click();
    await page.locator("#deploy-1 .badge", { hasText: "live" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/apps/hello");
  });

  test("the timeline moves while git pushes, and shows a subject as text", async () => {
    await page.evaluate("window.isSamePage = true");
    repository = makeFolder();
    await git(repository, "clone", "--quiet", host.gitUrl("hello.git"), ".");
    await commit(repository, { "src/index.ts": APP }, ATTACK);
    await git(repository, "push", "--quiet");
    await page.locator("#deploy-2 .badge", { hasText: "live" }).waitFor();
    expect(await page.textContent("#deploy-2 .entry-title")).toContain(ATTACK);
    expect(await page.evaluate("window.isSamePage")).toBe(true);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
  });

  test("a failed deploy says why, where it is looked for", async () => {
    await commit(repository, { "src/index.ts": "export {" }, "Break it");
    await expect(git(repository, "push", "--quiet")).rejects.toThrow("syntax-error");
    await page.locator("#deploy-3 .badge", { hasText: "failed" }).waitFor();
    await page.locator("#deploy-3 .entry-title a").click();
    await page.getByRole("alert").waitFor();
    expect(await page.textContent("#log")).toContain("src/index.ts:1");
    await git(repository, "reset", "--quiet", "--hard", "HEAD~1");
  });

  test("the log follows what the app says, as text", async () => {
    await open("/apps/hello/logs");
    await expect.poll(() => page.textContent("#log-state")).toBe("Following");
    await say(ATTACK);
    await page.locator("#log-lines .text", { hasText: ATTACK }).first().waitFor();
    await say("throw");
    await page.locator("#log-lines .error .text", { hasText: "asked to throw" }).first().waitFor();
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    await page.getByLabel("Level").selectOption("error");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.locator("#log-lines .text", { hasText: "asked to throw" }).first().waitFor();
    expect(await page.textContent("#log-lines")).not.toContain("window.hacked");
  });

  test("going back brings the data of then, after it said what will happen", async () => {
    await commit(repository, { "note.txt": "1" }, "Come after");
    await git(repository, "push", "--quiet");
    await say("later");
    expect(await said()).toEqual([ATTACK, "later"]);
    await open("/apps/hello");
    await page.getByRole("link", { name: "Go back to #2" }).click();
    const text = await page.textContent("main");
    expect(text).toContain("#4 Come after");
    expect(text).toContain("1 later deploy will no longer be what runs");
    await page.getByLabel("Bring back the data of #2").check();
    await page.getByRole("button", { name: "Go back to #2" }).click();
    await page.locator("#deploy-5 .badge", { hasText: "live" }).waitFor();
    expect(await said()).toEqual([ATTACK]);
  });

  test("SQL shows rows as text, and changes them only when it is said twice", async () => {
    await open("/apps/hello/sql");
    await page.getByRole("button", { name: "Show rows of said" }).click();
    expect(await page.textContent("table.rows")).toContain(ATTACK);
    await page.getByLabel("Statement").fill("UPDATE said SET words = 'mended'");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("Nothing was changed yet.").waitFor();
    expect(await said()).toEqual([ATTACK]);
    await page.getByRole("button", { name: "Run it and change the data" }).click();
    await page.getByText(/The data of before is snapshot \d+/).waitFor();
    expect(await said()).toEqual(["mended"]);
    await page.getByLabel("Statement").fill("SELECT * FROM nowhere");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    expect(await page.getByRole("alert").textContent()).toContain("no such table: nowhere");
  });

  test("a variable is set, and a secret never shown", async () => {
    await open("/apps/hello/environment");
    await page.getByRole("textbox", { name: "Name" }).fill("PLAIN");
    await page.getByRole("textbox", { name: "Value" }).fill(ATTACK);
    await page.getByRole("checkbox", { name: /^Secret/ }).uncheck();
    await page.getByRole("button", { name: "Set and deploy" }).click();
    expect(await page.textContent("table")).toContain(ATTACK);
    await page.getByRole("textbox", { name: "Name" }).fill("HIDDEN");
    await page.getByRole("textbox", { name: "Value" }).fill("never-to-be-seen");
    await page.getByRole("button", { name: "Set and deploy" }).click();
    expect(await page.textContent("table")).toContain("HIDDEN");
    expect(await page.content()).not.toContain("never-to-be-seen");
  });

  test("a preview has its branch's name as text", async () => {
    await git(repository, "push", "--quiet", "origin", `HEAD:refs/heads/${ATTACKING_BRANCH}`);
    await open("/apps/hello/previews");
    await page.getByRole("heading", { name: ATTACKING_BRANCH }).waitFor();
  });

  test("a token is shown once", async () => {
    await open("/apps/hello/tokens");
    await page.getByRole("textbox", { name: "Name" }).fill(ATTACK);
    await page.getByRole("button", { name: "Make token" }).click();
    const token = await page.locator(".notice code").textContent();
    expect(token).toMatch(/^slp_/);
    await open("/apps/hello/tokens");
    expect(await page.content()).not.toContain(token);
    expect(await page.textContent("table")).toContain(ATTACK);
  });

  const PATHS = [
    "/",
    "/apps",
    "/tokens",
    "/activity",
    "/apps/nothing",
    ...["", "/deploys/2", "/deploys/3", "/rollback/4", "/redeploy", "/logs", "/usage", "/data", "/data/restore/1"].map(
      (path) => `/apps/hello${path}`,
    ),
    ...[
      "/files/2",
      "/files/2?path=src%2Findex.ts",
      "/sql",
      "/environment",
      "/previews",
      "/egress",
      "/tokens",
      "/activity",
      "/settings",
    ].map((path) => `/apps/hello${path}`),
  ];

  test.each([
    { width: 360, colorScheme: "dark" },
    { width: 1280, colorScheme: "light" },
  ] as const)("axe finds nothing serious and nothing overflows: %o", async ({ width, colorScheme }) => {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const found: unknown[] = [];
    for (const path of PATHS) {
      expect(await open(path), path).toBe(path === "/apps/nothing" ? 404 : 200);
      await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
      const excess = Number(
        await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
      );
      if (excess > 0) found.push({ path, overflow: excess });
      await page.evaluate(AXE);
      const { violations } = JSON.parse(
        String(await page.evaluate("axe.run().then(({ violations }) => JSON.stringify({ violations }))")),
      );
      for (const { id, impact, nodes } of violations) {
        if (impact === "serious" || impact === "critical") found.push({ path, id, at: nodes[0]?.html });
      }
    }
    expect(found).toEqual([]);
  });

  test("a page with all that it loads is under 100 KB", async () => {
    for (const path of ["/", "/apps/hello"]) {
      await open(path);
      const bytes = await page.evaluate(
        "performance.getEntries().filter((entry) => 'decodedBodySize' in entry).reduce((sum, entry) => sum + entry.decodedBodySize, 0)",
      );
      expect(Number(bytes), path).toBeGreaterThan(5000);
      expect(Number(bytes), path).toBeLessThan(100_000);
    }
  });

  test("everything is there without the script", async () => {
    const bare = await browser.newContext({ baseURL: host.url, javaScriptEnabled: false });
    watch(bare);
    const plain = await bare.newPage();
    await plain.goto("/");
    await plain.getByLabel("Token").fill(host.token);
    await plain.getByRole("button", { name: "Sign in" }).click();
    await plain.getByRole("link", { name: "hello", exact: true }).click();
    await plain.getByRole("link", { name: "Redeploy …" }).click();
    await plain.getByRole("button", { name: "Redeploy" }).click();
    await plain.getByText("It was deployed once more.").waitFor();
    await plain.goto("/apps/hello/logs");
    expect(await plain.textContent("#log-lines")).toContain("asked to throw");
    await bare.close();
  });

  test("an app is deleted by its name only", async () => {
    await open("/apps/hello/settings");
    const [archive] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download hello.tar" }).click(),
    ]);
    expect(archive.suggestedFilename()).toBe("hello.tar");
    expect(await archive.failure()).toBeNull();
    await page.getByLabel("Type hello to delete it").fill("helo");
    await page.getByRole("button", { name: "Delete hello" }).click();
    expect(await page.getByRole("alert").textContent()).toContain("Nothing was deleted");
    await page.getByLabel("Type hello to delete it").fill("hello");
    await page.getByRole("button", { name: "Delete hello" }).click();
    await page.getByText("No app yet").waitFor();
    expect((await callApi(host, "GET", "/apps/hello")).status).toBe(404);
  });

  test("nothing was asked of another host, no script failed, and no attack ran", () => {
    expect(complaints).toEqual([]);
  });
});
