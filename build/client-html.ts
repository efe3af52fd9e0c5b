// What a page names that is source: <script type="module" src="./client.tsx"> and <link rel="stylesheet" href="./style.css">. Found and
// replaced by the runtime's own HTML parser, which leaves every other byte as it is.
import { locate, type SourceLocation } from "./messages.ts";

/** One reference, as it is written. */
export interface PageReference {
  readonly kind: "script" | "style";
  readonly url: string;
}

/** What a reference becomes. */
export interface Replacement {
  readonly url: string;
  /** A style sheet that the script brought with it. */
  readonly styleUrl?: string;
}

/** Every reference of a page, in order. Modules only: a classic script is not bundled. */
export async function findReferences(html: Uint8Array): Promise<PageReference[]> {
  const found: PageReference[] = [];
  await rewrite(html, (kind, element) => {
    const url = element.getAttribute(ATTRIBUTES[kind]);
    if (url !== null) found.push({ kind, url });
  });
  return found;
}

/** The page with its references replaced, where `replace` has something for them. */
export function replaceReferences(
  html: Uint8Array,
  replace: (reference: PageReference) => Replacement | undefined,
): Promise<Uint8Array> {
  return rewrite(html, (kind, element) => {
    const url = element.getAttribute(ATTRIBUTES[kind]);
    const replacement = url === null ? undefined : replace({ kind, url });
    if (replacement === undefined) return;
    element.setAttribute(ATTRIBUTES[kind], replacement.url);
    if (replacement.styleUrl === undefined) return;
    element.before(`<link rel="stylesheet" href="${replacement.styleUrl}">`, { html: true });
  });
}

/** Where a reference is written, as well as a search can tell. */
export function locateReference(path: string, html: Uint8Array, url: string): SourceLocation {
  const text = new TextDecoder().decode(html);
  const at = ['"', "'", "="].map((before) => text.indexOf(before + url)).find((found) => found >= 0);
  return at === undefined ? locate(path, text, 0, 1) : locate(path, text, at + 1, url.length);
}

const ATTRIBUTES = { script: "src", style: "href" } as const;

async function rewrite(
  html: Uint8Array,
  visit: (kind: PageReference["kind"], element: Element) => void,
): Promise<Uint8Array> {
  const rewriter = new HTMLRewriter()
    .on("script[src]", {
      element(element) {
        if (element.getAttribute("type")?.toLowerCase() === "module") visit("script", element);
      },
    })
    .on("link[href]", {
      element(element) {
        const rel = element.getAttribute("rel")?.toLowerCase().split(/\s+/) ?? [];
        if (rel.includes("stylesheet") && !rel.includes("alternate")) visit("style", element);
      },
    });
  const response = rewriter.transform(new Response(html));
  return new Uint8Array(await response.arrayBuffer());
}
