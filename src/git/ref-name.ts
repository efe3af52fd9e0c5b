// Ref names, by the rules of git check-ref-format (refs.c, check_refname_component).
declare const brand: unique symbol;

/** A full ref name that git accepts, beginning with "refs/". */
export type RefName = string & { readonly [brand]: "RefName" };

// Control characters, space and ~ ^ : ? * [ \ are refused anywhere in a name. So is what git would take: U+FFFD, which stands for
// bytes that were not UTF-8, so that the name would not be the one that was sent, and U+0080 to U+009F, which a terminal may obey.
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused here
const FORBIDDEN = /[\u0000-\u0020\u007f-\u009f~^:?*[\\\ufffd]/;

/** The name, or undefined if git check-ref-format refuses it or it does not begin with "refs/". */
export function parseRefName(text: string): RefName | undefined {
  return isRefName(text) ? text : undefined;
}

function isRefName(text: string): text is RefName {
  if (!text.startsWith("refs/") || FORBIDDEN.test(text)) return false;
  if (text.includes("..") || text.includes("@{") || text.endsWith(".")) return false;
  return text.split("/").every(isValidComponent);
}

function isValidComponent(component: string): boolean {
  return component !== "" && !component.startsWith(".") && !component.endsWith(".lock");
}
