// Under which names the objects of an app's classes are stored, by the migrations of a wrangler configuration. A class that was renamed
// keeps the name that it had first; one that is made under a name which another had before gets a new one. Nothing is moved, so that each
// version of an app finds its objects by its own configuration, and going back is as safe as going on. The list of migrations has to stay
// whole, which is what wrangler asks for too.
import { isString, isStringList, isTableList } from "./config-check.ts";
import { isTable } from "./config-file.ts";

/** By a class's own name; a class that is not there is stored under that. */
export type StoredNames = Readonly<Record<string, string>>;

/** `migrations` as it is written. What is not of wrangler's form is passed over. */
export function readStoredNames(migrations: unknown): StoredNames {
  const names = new Map<string, string>();
  /** Names under which something else may be stored. */
  const used = new Set<string>();
  const makeNew = (className: string): string => {
    if (!used.has(className)) return className;
    for (let count = 2; ; count += 1) {
      const name = `${className}$${count}`;
      if (!used.has(name) && ![...names.values()].includes(name)) return name;
    }
  };
  const take = (className: string): string => {
    const name = names.get(className) ?? makeNew(className);
    names.delete(className);
    used.add(className).add(name);
    return name;
  };
  for (const migration of isTableList(migrations) ? migrations : []) {
    for (const { from, to } of listRenames(migration["renamed_classes"])) names.set(to, take(from));
    for (const className of listNames(migration["deleted_classes"])) take(className);
    for (const key of ["new_classes", "new_sqlite_classes"]) {
      for (const className of listNames(migration[key]))
        names.set(className, names.get(className) ?? makeNew(className));
    }
  }
  for (const className of used) if (!names.has(className)) names.set(className, makeNew(className));
  return Object.fromEntries([...names].filter(([className, name]) => className !== name));
}

function listRenames(value: unknown): readonly { readonly from: string; readonly to: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((rename: unknown) => {
    if (!isTable(rename)) return [];
    const { from, to } = rename;
    return isString(from) && isString(to) ? [{ from, to }] : [];
  });
}

function listNames(value: unknown): readonly string[] {
  return isStringList(value) ? value : [];
}
