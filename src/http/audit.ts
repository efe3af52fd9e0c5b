// Writing into the audit log. It does not hold up the answer, and what cannot be written does not undo what was done.
import type { Caller } from "../app/access.ts";
import type { Host } from "../push-host.ts";
import { clientAddress } from "./client.ts";

/** What was done. */
export interface Deed {
  readonly caller: Caller;
  readonly action: string;
  readonly app: string | undefined;
  /** What came of it: a status, or what became of each ref. */
  readonly outcome: string;
}

const MAX_TEXT = 200;

/** Adds an entry once the answer is on its way. */
export function recordAudit(
  request: Request,
  at: { readonly host: Host; readonly context: Pick<ExecutionContext, "waitUntil"> },
  { caller, action, app, outcome }: Deed,
): void {
  const entry = {
    atMs: Date.now(),
    actor: caller.name,
    tokenId: caller.tokenId,
    action: action.slice(0, MAX_TEXT),
    app,
    address: clientAddress(request),
    outcome: outcome.slice(0, MAX_TEXT),
  };
  const written = at.host.env.DIRECTORY.getByName("directory").recordAudit(entry);
  at.context.waitUntil(written.catch((error: unknown) => console.error("The audit log cannot be written", error)));
}
