// The directory: one Durable Object that knows which apps exist. Not on the path of an app's request.
import { DurableObject } from "cloudflare:workers";

/** One app, as a list shows it. */
export interface DirectoryEntry {
  readonly name: string;
  readonly createdAtMs: number;
}

export declare class Directory extends DurableObject<Env> {
  /** Idempotent. */
  register(entry: DirectoryEntry): void;
  /** Idempotent. */
  remove(name: string): void;
  /** By name, after the given one. */
  list(page: { after?: string | undefined; limit: number }): readonly DirectoryEntry[];
}
