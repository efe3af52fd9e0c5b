// The audit log as a table.
import type { FC } from "hono/jsx";
import type { AuditAnswer } from "../api/audit.ts";
import { Ago, Empty } from "./parts.tsx";

/** `path` is where the page is, for the link to older entries. */
export const ActivityTable: FC<{ readonly page: AuditAnswer; readonly path: string }> = ({ page, path }) => {
  if (page.entries.length === 0) {
    return (
      <Empty title="Nothing was done yet">
        <p>Every push and every change is written down here, with who made it.</p>
      </Empty>
    );
  }
  return (
    <>
      <div class="scroll" role="region" aria-label="Activity" tabindex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
              <th scope="col">Outcome</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {page.entries.map((entry) => (
              <tr>
                <td class="nowrap">
                  <Ago at={entry.at} />
                </td>
                <td>{entry.actor}</td>
                <td>
                  <code>{entry.action}</code>
                </td>
                <td>{entry.outcome}</td>
                <td class="nowrap">{entry.address}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {page.next === undefined ? null : (
        <p>
          <a class="button" href={`${path}?cursor=${page.next}`}>
            Older
          </a>
        </p>
      )}
    </>
  );
};
