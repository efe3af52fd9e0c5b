// The page for agents against the tables that it is made from. test/e2e/agents.test.ts runs its commands.
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { QUOTAS } from "../../../src/app/quota-table.ts";
import { ERROR_CODES, ERROR_MEANINGS } from "../../../src/errors.ts";
import { listOperations } from "../../../src/http/agents/operations.ts";
import { limitRows } from "../../../src/http/agents/tables.ts";
import { listTools } from "../../../src/http/agents/tools.ts";
import { route } from "../../../src/http/router.ts";
import { createHost } from "../../../src/push-host.ts";
import { PUSH_OPTIONS } from "../../../src/push-plan.ts";
import { DEFAULT_INGEST_LIMITS } from "../../../src/repo/ingest-limits.ts";
import { listTemplates } from "../../../src/repo/template-list.ts";

const host = createHost(env);

async function readPage(url = "http://localhost:8787/llms.txt", init: RequestInit = {}): Promise<string> {
  return (await route(new Request(url, init), host, createExecutionContext())).text();
}

describe("the page for agents", () => {
  it("has every code, option, limit, template, operation and tool", async () => {
    const page = await readPage();
    for (const code of ERROR_CODES) expect(page).toMatch(new RegExp(String.raw`^\| \`${code}\`\s*\| [45]\d\d`, "m"));
    for (const meaning of Object.values(ERROR_MEANINGS)) expect(page).toContain(meaning.replaceAll("|", "\\|"));
    for (const [option, meaning] of Object.entries(PUSH_OPTIONS))
      expect(page).toContain(`| \`-o ${option}\` | ${meaning} |`);
    for (const { name } of listTemplates()) expect(page).toContain(`| \`${name}\` |`);
    for (const { method, path } of listOperations()) expect(page).toContain(`| \`${method} ${path}\` |`);
    for (const { name } of listTools()) expect(page).toContain(`| \`${name}\` |`);
    const limits = Object.keys({ ...DEFAULT_INGEST_LIMITS, ...host.builder.limits });
    for (const name of limits)
      expect(page).toMatch(new RegExp(String.raw`^\| ${name} \| .+ \| [\d,.]+( s| MiB)? \|$`, "m"));
  });

  it("says the limits of this very host", () => {
    const rows = limitRows({ ...host.builder.limits, timeMs: 1500, modules: 1234 });
    expect(rows).toContainEqual(["timeMs", "a build", "1.5 s"]);
    expect(rows).toContainEqual(["modules", "modules that the entry reaches", "1,234"]);
    expect(rows).toContainEqual(["maxPackBytes", "a push, as it is received", "100 MiB"]);
  });

  it("says what an app may take, with this host's own figures", async () => {
    const page = await readPage();
    for (const [name, { meaning }] of Object.entries(QUOTAS)) expect(page).toContain(`| ${name} | ${meaning} |`);
    const other = createHost({ ...env, QUOTAS: { requestsPerMinute: 1234 } });
    const request = new Request("http://localhost/llms.txt");
    expect(await (await route(request, other, createExecutionContext())).text()).toMatch(
      /^\| requestsPerMinute \| .+ \| 1,234 \|$/m,
    );
  });

  it("tells in sentences what an app may rest on", async () => {
    const page = await readPage();
    const contract = page.slice(page.indexOf("## The contract"), page.indexOf("## Recipes"));
    for (const word of [
      "setAlarm",
      "triggers.crons",
      '"probe"',
      "preview",
      "snapshot",
      "restore-data",
      '"data": true',
    ]) {
      expect(contract, word).toContain(word);
    }
  });

  it("names this host as it was asked for, and no other", async () => {
    const page = await readPage("https://localhost/AGENTS.md");
    expect(page).toContain("https://localhost/new/counter/$APP.git");
    expect(page).toContain("https://$APP.localhost/");
    expect(page).not.toMatch(/8787|http:\/\//);
  });

  it("needs no token and has none", async () => {
    const page = await readPage("http://localhost/llms.txt", { headers: { authorization: "Bearer unit-test-token" } });
    expect(page).not.toContain("unit-test-token");
  });

  it("is one page", async () => {
    expect((await readPage()).length).toBeLessThan(40_000);
  });
});
