// The answer to a push (gitprotocol-pack, "Report Status"): what became of the pack, then of each ref.
import type { ErrorCode } from "../errors.ts";
import { FLUSH_PKT, MAX_PKT_PAYLOAD_BYTES, encodePktLine } from "./pkt-line.ts";
import { type ObjectId } from "./object-id.ts";

/** What became of one command. The name is as the client sent it. */
export type RefReport =
  | { readonly kind: "ok"; readonly name: string; readonly options?: RefReportOptions }
  | { readonly kind: "refused"; readonly name: string; readonly reason: string; readonly code?: ErrorCode };

/** What was done, where it is not what was asked for. Only report-status-v2 can say it. */
export interface RefReportOptions {
  readonly refName?: string;
  readonly oldId?: ObjectId;
  readonly newId?: ObjectId;
  readonly isForced?: boolean;
}

export interface PushReport {
  /** Why the pack was not stored; absent where it was, or where there was none. */
  readonly unpackError?: string;
  readonly refs: readonly RefReport[];
}

const encoder = new TextEncoder();

/**
 * The report as pkt-lines, with the flush that ends it. The caller puts them on side-band 1 where the client asked for a
 * side-band. Version 2 is for a client that asked for report-status-v2.
 */
export function writeReportStatus(report: PushReport, version: 1 | 2): Uint8Array[] {
  const lines = [`unpack ${report.unpackError === undefined ? "ok" : printable(report.unpackError)}`];
  for (const ref of report.refs) {
    if (ref.kind === "refused") lines.push(`ng ${sentName(ref)} ${printable(ref.reason)}`);
    else lines.push(`ok ${sentName(ref)}`, ...(version === 2 ? optionLines(ref.options) : []));
  }
  return [...lines.map(encodeLine), FLUSH_PKT];
}

function optionLines(options: RefReportOptions = {}): string[] {
  const { refName, oldId, newId, isForced } = options;
  const lines: string[] = [];
  if (refName !== undefined) lines.push(`option refname ${refName}`);
  if (oldId !== undefined) lines.push(`option old-oid ${oldId}`);
  if (newId !== undefined) lines.push(`option new-oid ${newId}`);
  if (isForced) lines.push("option forced-update");
  return lines;
}

/** The name as the client knows it, which looks for it in the answer, but on one line. */
function sentName({ name }: RefReport): string {
  return name.replaceAll(/[\0\r\n]/g, " ");
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not come through
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trimEnd();
}

/** One packet. What does not fit is cut off. */
function encodeLine(line: string): Uint8Array {
  const bytes = encoder.encode(`${line}\n`);
  if (bytes.byteLength <= MAX_PKT_PAYLOAD_BYTES) return encodePktLine(bytes);
  const cut = bytes.subarray(0, MAX_PKT_PAYLOAD_BYTES);
  cut[cut.byteLength - 1] = 0x0a;
  return encodePktLine(cut);
}
