// The code ID: what an app's isolate is made of, as one hash. The same modules, class, compatibility date, flags and crons give the same ID
// on every host; the source map and the variables are not part of it.
import { createHash } from "node:crypto";
import type { CodeDefinition } from "../store/code.ts";

/** SHA-256 as 64 hexadecimal digits. Neither the order of modules nor that of flags counts. */
export function codeId(definition: CodeDefinition): string {
  const hash = createHash("sha256");
  // Every field is preceded by its length, so that no two definitions give the same bytes.
  const add = (field: string | Uint8Array): void => {
    const bytes = typeof field === "string" ? Buffer.from(field) : field;
    hash.update(`${bytes.byteLength}:`).update(bytes);
  };
  add("slipway code 1");
  add(definition.className);
  add(definition.compatibilityDate);
  add(definition.compatibilityFlags.toSorted().join(","));
  // Without any the ID is what it was before there were crons.
  const { crons = [] } = definition;
  if (crons.length > 0) add(`crons ${JSON.stringify(crons)}`);
  for (const name of Object.keys(definition.modules).toSorted()) {
    const module = definition.modules[name];
    if (module === undefined) continue;
    add(name);
    add(module.kind);
    add("text" in module ? module.text : module.bytes);
  }
  // Only where there are any, so that code without them keeps the ID that it had.
  if (definition.objects !== undefined) {
    const { classes, bindings, exports = {} } = definition.objects;
    add("objects");
    add(classes.toSorted().join(","));
    for (const { name, className } of bindings) add(`${name}=${className}`);
    for (const className of Object.keys(exports).toSorted()) add(`${className} is ${exports[className]}`);
  }
  return hash.digest("hex");
}
