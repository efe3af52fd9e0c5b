// Ref names, by the rules of git check-ref-format (refs.c, check_refname_component).
declare const brand: unique symbol;

/** A full ref name that git accepts, beginning with "refs/". */
export type RefName = string & { readonly [brand]: "RefName" };

// Control characters, space and ~ ^ : ? * [ \ are refused anywhere in a name.
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused here
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]/;

/** The name, or undefined if git check-ref-format refuses it or it does not begin with "refs/". */
export function parseRefName(text: string): RefName | undefined {
  if (!text.startsWith("refs/") || FORBIDDEN.test(text)) return undefined;
  if (text.includes("..") || text.includes("@{") || text.endsWith(".")) return undefined;
  const components = text.split("/");
  const isValid = components.length >= 2 && components.every(isValidComponent);
  return isValid ? (text as RefName) : undefined;
}

function isValidComponent(component: string): boolean {
  return component !== "" && !component.startsWith(".") && !component.endsWith(".lock");
}
