// What may come of input that a client sent: a value, or a HostingError whose code is one of those that the unit documents.
import { type ErrorCode, HostingError } from "../../src/errors.ts";

/** The value, or the code. Any other error is thrown on: it is what the fuzzer is after. */
export function outcomeOf<Value>(codes: readonly ErrorCode[], work: () => Value): Value | ErrorCode {
  try {
    return work();
  } catch (error) {
    return codeIn(codes, error);
  }
}

/** The same for a promise. */
export async function outcomeOfAsync<Value>(
  codes: readonly ErrorCode[],
  work: Promise<Value>,
): Promise<Value | ErrorCode> {
  try {
    return await work;
  } catch (error) {
    return codeIn(codes, error);
  }
}

function codeIn(codes: readonly ErrorCode[], error: unknown): ErrorCode {
  if (error instanceof HostingError && codes.includes(error.code)) return error.code;
  throw error;
}
