// An answer that the host gives where nobody else does: a page for people, problem details (RFC 9457) for programs, else a line of
// text. The page rests on nothing: no script, no other request, no word that came with the request.
import { createHash } from "node:crypto";
import { parseAccept } from "hono/utils/accept";

/** What a client is told. All of it is shown: nothing of it may be secret. */
export interface ErrorAnswer {
  readonly status: number;
  readonly code: string;
  /** A full sentence. */
  readonly detail: string;
  /** What whoever can mend it should do; not for programs. */
  readonly hint?: string | undefined;
  readonly retryAfterS?: number | undefined;
}

type Form = "html" | "json" | "text";

const STYLE = `:root{color-scheme:light dark;font:1.0625rem/1.6 system-ui,sans-serif;background:light-dark(#fbfaf8,#16181b);color:light-dark(#23262a,#e6e4df)}
body{margin:0;min-height:100vh;display:grid;place-items:center}
main{box-sizing:border-box;width:100%;max-width:36rem;padding:2rem 1.5rem}
h1{font-size:1.375rem;line-height:1.3;margin:0 0 .75rem}
p{margin:0 0 .75rem;overflow-wrap:anywhere}
.hint,.code{color:light-dark(#5b6068,#a9adb3);font-size:.9375rem}
code{font:.9em ui-monospace,monospace}`;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<Form, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/problem+json",
  text: "text/plain; charset=utf-8",
};

/** The answer in the form that the request's Accept prefers. To HEAD, what GET would have got without its body. */
export function answerError(error: ErrorAnswer, request: Request): Response {
  const form = preferredForm(request.headers.get("accept"));
  const headers = new Headers({
    "content-type": TYPES[form],
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    vary: "accept",
  });
  if (error.retryAfterS !== undefined) headers.set("retry-after", String(error.retryAfterS));
  const body = request.method === "HEAD" ? null : render(error, form);
  return new Response(body, { status: error.status, headers });
}

/** HTML only for who asks for it by name, as browsers do; text for who takes anything, as curl does. */
function preferredForm(accept: string | null): Form {
  for (const { type } of parseAccept(accept ?? "").toSorted((a, b) => b.q - a.q)) {
    const name = type.toLowerCase();
    if (name === "text/html" || name === "application/xhtml+xml") return "html";
    if (name === "application/json" || name === "application/problem+json") return "json";
    if (name === "text/plain" || name === "text/*" || name === "*/*") return "text";
  }
  return "text";
}

function render({ status, code, detail, hint }: ErrorAnswer, form: Form): string {
  if (form === "json") return `${JSON.stringify({ type: "about:blank", status, code, title: code, detail })}\n`;
  if (form === "text") return `${detail}${hint === undefined ? "" : `\n${hint}`}\n`;
  const [title, rest] = splitSentence(detail);
  const paragraphs = [
    ...(rest === "" ? [] : [`<p>${escapeHtml(rest)}</p>`]),
    ...(hint === undefined ? [] : [`<p class="hint">${escapeHtml(hint)}</p>`]),
    `<p class="code">${status} <code>${escapeHtml(code)}</code></p>`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${paragraphs.join("\n")}
</main>
</body>
</html>
`;
}

/** The first sentence is the headline. */
function splitSentence(text: string): readonly [first: string, rest: string] {
  const end = text.search(/\. (?=\p{Lu})/u);
  return end === -1 ? [text, ""] : [text.slice(0, end + 1), text.slice(end + 2)];
}

/** Messages can quote what was asked for. */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
