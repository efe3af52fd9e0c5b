// Parts of a page that the host sends again when they change. An element says in data-follow where they come from.

/** As event-follow.ts sends it. The parts are HTML that this host made, by the id of the element that they belong into. */
interface Shown {
  readonly key: string;
  readonly parts: Readonly<Record<string, string>>;
}

export function followParts(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-follow]")) follow(element);
}

function follow(element: HTMLElement): void {
  const url = new URL(element.dataset["follow"] ?? "", location.href);
  const source = new EventSource(url);
  source.addEventListener("parts", (event: MessageEvent<string>) => {
    const shown: Shown = JSON.parse(event.data);
    for (const [id, html] of Object.entries(shown.parts)) show(id, html);
  });
  addEventListener("pagehide", () => source.close());
}

function show(id: string, html: string): void {
  const place = document.getElementById(id);
  if (place === null || html === "") return;
  const isAtEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
  const focused = document.activeElement;
  const focusedHref = focused instanceof HTMLAnchorElement && place.contains(focused) ? focused.href : undefined;
  place.innerHTML = html;
  if (isAtEnd) place.scrollTop = place.scrollHeight;
  if (focusedHref === undefined) return;
  [...place.querySelectorAll("a")].find(({ href }) => href === focusedHref)?.focus();
}
