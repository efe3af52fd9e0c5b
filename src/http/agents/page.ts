// /llms.txt and /AGENTS.md: one page from which an agent with git and curl can do everything, made from the running host's own tables.
// Anybody may read it: it says nothing of this host but what it can do.
import type { Host } from "../../push-host.ts";
import { limitAnonymous } from "../auth.ts";
import { appUrl } from "../host-name.ts";
import { listRecipes, type Recipe } from "./recipes.ts";
import {
  codeRows,
  factRows,
  FAILURES,
  limitRows,
  operationRows,
  optionRows,
  quotaRows,
  templateRows,
  toolRows,
} from "./tables.ts";

/** The page, as Markdown. `contentType` is what the address stands for. */
export function answerAgents(request: Request, host: Host, contentType: "text/plain" | "text/markdown"): Response {
  limitAnonymous(request, host);
  return new Response(writePage(new URL(request.url), host), {
    headers: {
      "content-type": `${contentType}; charset=utf-8`,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    },
  });
}

function writePage(url: URL, host: Host): string {
  const { origin } = url;
  const urlOf = (label: string): string => appUrl(url, host.env.HOST, label);
  return [
    `# Slipway at ${origin}`,
    `> A git-push host for small stateful apps. \`git push\` builds TypeScript, starts it on a copy of the app's data, and makes it live, or rejects the push and changes nothing. This page is made by the running host, and is all that an agent with git and curl needs.`,
    contract(origin, urlOf),
    "## Recipes",
    "Run them from the top in one POSIX shell; each builds on those above it.",
    ...listRecipes({ origin, urlOf }).map(writeRecipe),
    "## When something fails",
    FAILURES.map(([what, remedy]) => `- **${what}**: ${remedy}.`).join("\n"),
    "Exit codes are true: `git push` exits 0 only if what you pushed is live (or stored, with `-o store`). Nothing ever asks for input.",
    "## Push options",
    table(["Option", "Meaning"], optionRows()),
    "## What `git push -o json` prints",
    "One line behind `remote: `, on git's error output; the same object answers a commit through the API. What does not apply is absent.",
    table(["Fact", "Meaning"], factRows()),
    "## Templates",
    table(["Template", "Shows"], templateRows()),
    "## API",
    `Below \`${origin}/api/v1\`, JSON both ways; \`/openapi.json\` there has every schema. Access is what the token must allow: read, push or admin for the app, the whole host, or any token. Errors are problem details (RFC 9457): branch on \`code\`, read \`detail\`. A POST with an \`Idempotency-Key\` header is done once in a day. Lists take \`limit\` and \`cursor\`; \`next\` of an answer is the next page's cursor.`,
    table(["Operation", "Access", "Arguments", "Does"], operationRows()),
    "## MCP",
    `\`${origin}/mcp\` (streamable HTTP, \`Authorization: Bearer\` with the same token) has the same as tools. A refusal is a result with \`isError\`, a code and what to do.`,
    table(["Tool", "Arguments"], toolRows()),
    "## Limits",
    table(["Name", "What", "At most"], limitRows(host.builder.limits)),
    "An app's own caps, where its owner has no others (`GET /apps/{app}/quotas`):",
    table(["Name", "What", "At most"], quotaRows(host.env)),
    "## Error codes",
    "Codes are never renamed. The status is that of the API; a push says the same code in its `remote:` lines and behind `[remote rejected]`.",
    table(["Code", "Status", "Meaning"], codeRows()),
    "",
  ].join("\n\n");
}

function contract(origin: string, urlOf: (label: string) => string): string {
  return `## The contract

- An app is a git repository. Its entry is \`main\` of wrangler.jsonc, else what package.json names, else \`src/index.ts\`. It exports \`class App extends DurableObject\` (from \`cloudflare:workers\`): one instance, which gets every request in \`fetch(request)\`, WebSocket upgrades included. Or it is an ordinary Worker: a default export with \`fetch\`, whose Durable Object classes wrangler.jsonc binds, as for wrangler.
- \`this.ctx.storage.sql\` (SQLite) and \`this.ctx.storage.kv\` are the app's own database, synchronous, kept across deploys. There is no file system, and what is only in memory is gone after a deploy or some idle time. Schema changes go into the constructor, so that they can run again.
- \`this.ctx.storage.setAlarm(time)\` calls \`alarm(info)\` of the class, at least once, also after a deploy. \`triggers.crons\` of wrangler.jsonc call \`scheduled(controller)\`, in UTC. Neither happens in a rehearsal; in previews as the settings \`previewAlarms\` and \`previewCrons\` say.
- A push goes live only if it starts on a copy of the data. With \`"slipway": { "probe": "/health" }\` in package.json it must also answer that GET there with less than 400.
- Imports: files of the repository, npm packages that package.json and package-lock.json name, \`cloudflare:workers\`, and \`node:*\` with the flag \`nodejs_compat\`. Files in \`public/\` are served as they are.
- Repository: \`${origin}/<app>.git\`; the first push makes the app. \`${origin}/new/<template>/<app>.git\` is a template until then. Names: \`[a-z][a-z0-9-]{0,39}\`, no \`--\`, no \`-\` at the end.
- The first branch pushed is production, at \`${urlOf("<app>")}\`. Another is a preview on a copy of production's data of its own, made at its first push, at \`${urlOf("<branch>--<app>")}\`. Each deploy can be seen at \`${urlOf("v<number>--<app>")}\`.
- Before each deploy the data is kept as a snapshot. Going back takes code alone, or its data too: \`git push -f -o restore-data origin COMMIT:main\`, or a rollback with \`"data": true\`. That keeps a snapshot of its own, so it can be undone.
- Authentication, never with a prompt: the token as Bearer, or as the password of HTTP Basic with any user name.
- A template's own AGENTS.md says more of how an app is written.`;
}

function writeRecipe({ title, text, commands }: Recipe): string {
  return [`### ${title}`, text, ["```sh", ...commands, "```"].join("\n")].join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map(tableRow).join("\n");
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}
