// Atomic pushes with deploys: all of one goes back where a deploy of it does not start (undoing.ts), so that what cannot come back, the
// previews of branches that it deletes, goes only once all of them have.
import { addAtomicPush, findSettledPush, listMovedRefs, removeMovedRefs } from "../store/atomic-pushes.ts";
import type { Deploy } from "../store/deploys.ts";
import { findRef, isDeletion, type RefCommand } from "../store/refs.ts";
import type { RefRow } from "../store/repository-state.ts";
import type { HostedApp } from "./hosted-app.ts";
import { endPreview } from "./preview-commit.ts";
import { settleBackups } from "./preview-data.ts";

/** Inside of its transaction. `refsBefore`: as they were before it. */
export function recordAtomicPush(
  app: HostedApp,
  commands: readonly RefCommand[],
  { deploys, refsBefore }: { readonly deploys: readonly Deploy[]; readonly refsBefore: readonly RefRow[] },
): void {
  const deployed = new Set<string>(deploys.map(({ ref }) => ref));
  const peeledIds = new Map(refsBefore.map(({ name, peeledId }) => [name, peeledId]));
  const refs = commands
    .filter(({ name }) => !deployed.has(name))
    .map(({ name, oldId, newId }) => ({ name, oldId, newId, oldPeeledId: peeledIds.get(name) }));
  addAtomicPush(app.db, deploys, refs);
}

/**
 * Ends the previews of branches that atomic pushes deleted of which nothing can be undone any more, and what was kept for going back.
 * Returns the environments that end.
 */
export function settleAtomicPushes(app: HostedApp): readonly string[] {
  const ended: string[] = [];
  settleBackups(app);
  app.db.transaction(() => {
    for (let push = findSettledPush(app.db); push !== undefined; push = findSettledPush(app.db)) {
      for (const command of listMovedRefs(app.db, push)) {
        const isGone = isDeletion(command) && findRef(app.db, command.name) === undefined;
        const preview = isGone ? endPreview(app, command.name) : undefined;
        if (preview !== undefined) ended.push(preview.facet);
      }
      removeMovedRefs(app.db, push);
    }
  });
  return ended;
}
