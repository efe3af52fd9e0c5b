// The guestbook's one page.
import { html, type Html } from "./html.ts";

export const MAX_NAME_LENGTH = 40;
export const MAX_MESSAGE_LENGTH = 500;

/** One row, as the page shows it. */
export type Entry = { name: string; message: string; signedAt: string };

const STYLE = html`
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
  form, label { display: grid; gap: 0.5rem; }
  input, textarea, button { font: inherit; padding: 0.5rem; }
  button { justify-self: start; }
  [role="alert"] { color: light-dark(#a40000, #ff9b9b); }
  ol { list-style: none; padding: 0; }
  li { border-top: 1px solid light-dark(#ddd, #444); padding: 0.75rem 0; overflow-wrap: anywhere; }
  li p { margin: 0; white-space: pre-wrap; }
  time { color: light-dark(#555, #aaa); font-size: 0.875rem; }
`;

export function guestbookPage(entries: readonly Entry[], problem: string): string {
  const page = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Guestbook</title>
    <style>${STYLE}</style>
  </head>
  <body>
    <h1>Guestbook</h1>
    ${problem ? html`<p role="alert">${problem}</p>` : ""}
    <form method="post" action="/sign">
      <label>Name <input name="name" required maxlength="${MAX_NAME_LENGTH}" autocomplete="name"></label>
      <label>Message <textarea name="message" required maxlength="${MAX_MESSAGE_LENGTH}" rows="3"></textarea></label>
      <button>Sign</button>
    </form>
    <h2>${entries.length === 0 ? "Nobody has signed yet" : "Signed by"}</h2>
    <ol>${entries.map(entryItem)}</ol>
  </body>
</html>
`;
  return page.text;
}

function entryItem({ name, message, signedAt }: Entry): Html {
  return html`
      <li>
        <strong>${name}</strong> <time datetime="${signedAt}">${signedAt.slice(0, 10)}</time>
        <p>${message}</p>
      </li>`;
}
