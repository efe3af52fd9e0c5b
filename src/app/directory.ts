// The directory: one Durable Object, named "directory", that knows which apps exist. Not on the path of an app's request.
import { DurableObject } from "cloudflare:workers";
import { listApps, putApp, removeApp, type DirectoryEntry } from "../store/apps.ts";
import { openDatabase, type Database } from "../store/database.ts";
import { DIRECTORY_MIGRATIONS, migrate } from "../store/schema.ts";

/** A page of the list: from after a name. */
export interface DirectoryPage {
  readonly after?: string | undefined;
  readonly limit: number;
}

export class Directory extends DurableObject<Env> {
  readonly #db: Database;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = openDatabase(ctx.storage);
    migrate(this.#db, DIRECTORY_MIGRATIONS);
  }

  /** Idempotent. */
  register(entry: DirectoryEntry): void {
    putApp(this.#db, entry);
  }

  /** Idempotent. */
  remove(name: string): void {
    removeApp(this.#db, name);
  }

  /** By name. */
  list(page: DirectoryPage): readonly DirectoryEntry[] {
    return listApps(this.#db, page);
  }
}
