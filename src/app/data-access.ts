// What the wrapper (wrapper.ts) does with an instance's database for the supervisor. The storage is taken before the app's constructor
// runs. An app that changes built-ins so that the language does not work any more is not copied, where it takes this to copy it.
import { dumpStorage, type DumpSink } from "./data-dump.ts";

/** What became of a dump. late: it would have taken longer than it may. */
export type DumpOutcome = { readonly kind: "done" } | { readonly kind: "late"; readonly sizeBytes: number };

/** An instance's database. */
export interface DataAccess {
  sizeBytes(): number;
  /** Reads all of it out, as it is at one moment. */
  dump(sink: DumpSink, limitMs: number): Promise<DumpOutcome>;
}

const { now } = Date;

/** Before the instance's constructor runs. */
export function accessData(ctx: DurableObjectState): DataAccess {
  const { storage } = ctx;
  // oxlint-disable-next-line typescript/unbound-method -- applied to ctx with Reflect.apply, before the app can put another in its place.
  const { blockConcurrencyWhile } = ctx;
  const { sql } = storage;
  return {
    sizeBytes: () => sql.databaseSize,
    dump: async (sink, limitMs) => {
      const startedMs = now();
      let outcome: DumpOutcome = { kind: "done" };
      let failure: { readonly error: unknown } | undefined;
      const limited: DumpSink = {
        write: async (part) => {
          await sink.write(part);
          if (now() - startedMs < limitMs) return;
          outcome = { kind: "late", sizeBytes: sql.databaseSize };
          throw new Error("This takes too long.");
        },
      };
      // Nothing comes in meanwhile, so nothing is written. A throw in there would end the instance.
      await Reflect.apply(blockConcurrencyWhile, ctx, [
        async () => {
          try {
            await dumpStorage(storage, limited);
          } catch (error) {
            failure = { error };
          }
        },
      ]);
      if (failure !== undefined && outcome.kind === "done") throw failure.error;
      return outcome;
    },
  };
}
