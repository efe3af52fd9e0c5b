// Deployed code, under its content hash. A module's bytes are cut into rows below Cloudflare's limit of 2 MB for a row. Rows are
// never changed; code that no deploy and no build names is pruned.
import { findFirst, type Database } from "./database.ts";

/** One module as the loader takes it. JSON is inlined by the bundler. */
export type CodeModule =
  | { readonly kind: "esm"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  | { readonly kind: "wasm"; readonly bytes: Uint8Array };

/** An app's own Durable Object classes, each of whose objects has a database of its own. */
export interface ObjectClasses {
  /** The names that their objects are stored under: exports of the entry module, but for those in `exports`. */
  readonly classes: readonly string[];
  /** Their names in `env`. */
  readonly bindings: readonly { readonly name: string; readonly className: string }[];
  /** The exports of classes that were renamed, by those names; undefined: none was. */
  readonly exports?: Readonly<Record<string, string>> | undefined;
}

/** What the app itself calls a class. */
export function exportOf(objects: ObjectClasses | undefined, className: string): string {
  const exports = objects?.exports ?? {};
  return (Object.hasOwn(exports, className) ? exports[className] : undefined) ?? className;
}

/** The entry of an ordinary Worker: its default export. Every other entry is a Durable Object class. */
export const WORKER_ENTRY = "default";

/** What the app's isolate is made of, and what the code ID is the hash of: without the source map, which changes nothing. */
export interface CodeDefinition {
  /** By module name; the bundle is "index.js". */
  readonly modules: Readonly<Record<string, CodeModule>>;
  /** The export that every request goes to: a Durable Object class, or WORKER_ENTRY. */
  readonly className: string;
  /** undefined: the app reaches no objects by name. */
  readonly objects?: ObjectClasses | undefined;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** When scheduled() is called, as cron expressions; undefined: never. */
  readonly crons?: readonly string[] | undefined;
}

/** Code with its ID and the source map of "index.js" (JSON, with the sources inlined). */
export interface Code extends CodeDefinition {
  readonly codeId: string;
  readonly sourceMap: string;
}

interface CodeColumns extends Record<string, SqlStorageValue> {
  readonly class_name: string;
  readonly objects: string | null;
  readonly compatibility_date: string;
  readonly compatibility_flags: string;
  readonly crons: string;
}

interface ChunkColumns extends Record<string, SqlStorageValue> {
  readonly kind: string;
  readonly module: string;
  readonly bytes: ArrayBuffer;
}

/** Below the 2 MB that a row may have, with room for the key. */
const CHUNK_BYTES = 1_500_000;

/** Under which kind the source map stands beside the modules. */
const SOURCE_MAP = "source-map";

/** Stores code for a deploy to come. Code that is stored already is only marked as used. */
export function putCode(db: Database, code: Code, nowMs: number): void {
  db.transaction(() => {
    if (touchCode(db, code.codeId, nowMs)) return;
    db.sql.exec(
      `INSERT INTO code (code_id, class_name, objects, compatibility_date, compatibility_flags, crons, used_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      code.codeId,
      code.className,
      code.objects === undefined ? null : JSON.stringify(code.objects),
      code.compatibilityDate,
      JSON.stringify(code.compatibilityFlags),
      JSON.stringify(code.crons ?? []),
      nowMs,
    );
    for (const [name, module] of Object.entries(code.modules)) {
      const bytes = "text" in module ? Buffer.from(module.text) : module.bytes;
      putChunks(db, { codeId: code.codeId, kind: module.kind, module: name }, bytes);
    }
    putChunks(db, { codeId: code.codeId, kind: SOURCE_MAP, module: "index.js.map" }, Buffer.from(code.sourceMap));
  });
}

/** Marks code as used now, so that it is not pruned before its deploy is committed. false: there is no such code. */
export function touchCode(db: Database, codeId: string, nowMs: number): boolean {
  return db.sql.exec("UPDATE code SET used_at_ms = ? WHERE code_id = ?", nowMs, codeId).rowsWritten > 0;
}

/** Whether the code is stored. */
export function hasCode(db: Database, codeId: string): boolean {
  return findFirst(db.sql.exec("SELECT 1 AS found FROM code WHERE code_id = ?", codeId)) !== undefined;
}

function putChunks(
  db: Database,
  key: { readonly codeId: string; readonly kind: string; readonly module: string },
  bytes: Uint8Array,
): void {
  // An empty module is one empty chunk.
  for (let start = 0, position = 0; position === 0 || start < bytes.length; start += CHUNK_BYTES, position += 1) {
    db.sql.exec(
      "INSERT INTO code_chunks (code_id, kind, module, position, bytes) VALUES (?, ?, ?, ?, ?)",
      key.codeId,
      key.kind,
      key.module,
      position,
      Uint8Array.from(bytes.subarray(start, start + CHUNK_BYTES)).buffer,
    );
  }
}

/** Who receives requests, without reading the modules. Throws if the code is not stored. */
export function getCodeEntry(db: Database, codeId: string): Pick<CodeDefinition, "className" | "objects"> {
  const { class_name: className, objects } = getRow(db, codeId);
  return objects === null ? { className } : { className, objects: JSON.parse(objects) };
}

function getRow(db: Database, codeId: string): CodeColumns {
  const row = findFirst(db.sql.exec<CodeColumns>("SELECT * FROM code WHERE code_id = ?", codeId));
  if (row === undefined) throw new Error(`Code ${codeId} is not stored.`);
  return row;
}

/** The code without its source map. Throws if it is not stored: a deploy's code always is. */
export function getCodeDefinition(db: Database, codeId: string): CodeDefinition {
  const row = getRow(db, codeId);
  const query =
    "SELECT kind, module, bytes FROM code_chunks WHERE code_id = ? AND kind <> ? ORDER BY kind, module, position";
  const modules: Record<string, CodeModule> = {};
  for (const { kind, name, bytes } of joinChunks(db.sql.exec<ChunkColumns>(query, codeId, SOURCE_MAP))) {
    modules[name] = readModule(kind, bytes);
  }
  const compatibilityFlags: string[] = JSON.parse(row.compatibility_flags);
  return {
    ...getCodeEntry(db, codeId),
    modules,
    compatibilityDate: row.compatibility_date,
    compatibilityFlags,
    crons: readCrons(row),
  };
}

/** When scheduled() is called, without reading the modules. None if the code is not stored. */
export function getCrons(db: Database, codeId: string): readonly string[] {
  const row = findFirst(db.sql.exec<{ crons: string }>("SELECT crons FROM code WHERE code_id = ?", codeId));
  return row === undefined ? [] : readCrons(row);
}

function readCrons({ crons }: { readonly crons: string }): readonly string[] {
  return JSON.parse(crons);
}

/** The source map of "index.js". Throws if the code is not stored. */
export function getSourceMap(db: Database, codeId: string): string {
  const query = "SELECT kind, module, bytes FROM code_chunks WHERE code_id = ? AND kind = ? ORDER BY position";
  for (const { bytes } of joinChunks(db.sql.exec<ChunkColumns>(query, codeId, SOURCE_MAP))) return bytes.toString();
  throw new Error(`Code ${codeId} is not stored.`);
}

/** Rows in the order of their positions, as whole modules. */
function* joinChunks(rows: Iterable<ChunkColumns>): Generator<{ kind: string; name: string; bytes: Buffer }> {
  let current: { kind: string; name: string; chunks: Buffer[] } | undefined;
  for (const row of rows) {
    if (current?.kind !== row.kind || current.name !== row.module) {
      if (current !== undefined) yield { ...current, bytes: Buffer.concat(current.chunks) };
      current = { kind: row.kind, name: row.module, chunks: [] };
    }
    current.chunks.push(Buffer.from(row.bytes));
  }
  if (current !== undefined) yield { ...current, bytes: Buffer.concat(current.chunks) };
}

function readModule(kind: string, bytes: Buffer): CodeModule {
  switch (kind) {
    case "esm":
    case "text":
      return { kind, text: bytes.toString() };
    case "data":
    case "wasm":
      return { kind, bytes };
    default:
      throw new Error(`A module of kind ${kind} is stored, which this version does not know.`);
  }
}

// Named neither by a deploy nor by a build.
const IS_UNUSED = `
  NOT EXISTS (SELECT 1 FROM deploys WHERE deploys.code_id = code.code_id)
  AND NOT EXISTS (SELECT 1 FROM builds WHERE builds.code_id = code.code_id)`;

/** Whether there is code that may have to be pruned one day. */
export function hasUnusedCode(db: Database): boolean {
  return findFirst(db.sql.exec(`SELECT 1 AS found FROM code WHERE ${IS_UNUSED} LIMIT 1`)) !== undefined;
}

/** Deletes code that no deploy and no build names and that was not used since `usedBeforeMs`. */
export function pruneCode(db: Database, usedBeforeMs: number): void {
  db.transaction(() => {
    const query = `SELECT code_id FROM code WHERE used_at_ms < ? AND ${IS_UNUSED}`;
    for (const { code_id: codeId } of db.sql.exec<{ code_id: string }>(query, usedBeforeMs).toArray()) {
      db.sql.exec("DELETE FROM code_chunks WHERE code_id = ?", codeId);
      db.sql.exec("DELETE FROM code WHERE code_id = ?", codeId);
    }
  });
}
