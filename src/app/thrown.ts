// What an app threw, as text. Part of the wrapper (wrapper.ts): what is used here is taken from the built-ins before the app runs.
import type { ThrownException } from "./start-report.ts";

const toText = String;

/** Never throws, whatever was thrown. */
export function describeThrown(error: unknown): ThrownException {
  try {
    if (error instanceof Error) {
      return { name: toText(error.name), message: toText(error.message), stack: toText(error.stack) };
    }
    return { name: "", message: toText(error), stack: "" };
  } catch {
    // An object whose own text throws: there is nothing to tell of it.
    return { name: "", message: "a value that cannot be shown", stack: "" };
  }
}
