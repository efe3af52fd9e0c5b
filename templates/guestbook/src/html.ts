// Markup without injection: html`…` escapes every value that is not markup itself.

/** Markup that is safe to send. Only html`…` makes it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** html`<p>${name}</p>`: strings and numbers are escaped, Html goes in as it is, a list is joined. */
export function html(texts: TemplateStringsArray, ...values: (string | number | Html | readonly Html[])[]): Html {
  return new Html(String.raw({ raw: texts }, ...values.map(toMarkup)));
}

function toMarkup(value: string | number | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map((item) => item.text).join("");
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
