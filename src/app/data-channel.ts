// Parts of a database on their way from one facet to another, through the supervisor: one at a time, so that it holds no more of them
// than that. Facets cannot call each other.
import { RpcTarget } from "cloudflare:workers";
import type { DumpPart, DumpSink } from "./data-dump.ts";
import type { DumpSource } from "./data-restore.ts";

/** Both ends. A write returns once its part was taken. */
export class DataChannel extends RpcTarget implements DumpSink, DumpSource {
  #offered: { readonly part: DumpPart | undefined; readonly taken: () => void } | undefined;
  #onOffer: (() => void) | undefined;
  #onFailure: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  write(part: DumpPart): Promise<void> {
    return this.#offer(part);
  }

  async read(): Promise<DumpPart | undefined> {
    while (this.#offered === undefined) {
      if (this.#failure !== undefined) throw this.#failure.error;
      // oxlint-disable-next-line no-await-in-loop -- it waits for one of two things
      await new Promise<void>((resolve) => {
        this.#onOffer = resolve;
      });
    }
    const { part, taken } = this.#offered;
    this.#offered = undefined;
    taken();
    return part;
  }

  /** There are no more parts. */
  end(): Promise<void> {
    return this.#offer(undefined);
  }

  /** Both ends throw it from here on. The first failure counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#onOffer?.();
    this.#onFailure?.();
  }

  async #offer(part: DumpPart | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#failure !== undefined) resolve();
      this.#onFailure = resolve;
      this.#offered = { part, taken: resolve };
      this.#onOffer?.();
    });
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
