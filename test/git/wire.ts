// Requests and answers as they are on the wire, for tests of what reads and writes them.
import { HostingError } from "../../src/errors.ts";
import type { ObjectIdTable } from "../../src/git/object-id-table.ts";
import { PktLineReader, encodePktLine } from "../../src/git/pkt-line.ts";
import { streamOf, text } from "./tiny-repository.ts";

/** "0000", "0001" and "0002" as they are, anything else as a pkt-line. */
export function wire(...lines: string[]): Uint8Array {
  return Buffer.concat(lines.map((line) => (/^000[012]$/.test(line) ? text(line) : encodePktLine(`${line}\n`))));
}

export function reader(...lines: string[]): PktLineReader {
  return new PktLineReader(streamOf(wire(...lines)));
}

export function linesOf(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = Number.parseInt(Buffer.from(bytes.subarray(at, at + 4)).toString(), 16);
    lines.push(length < 4 ? `000${length}` : Buffer.from(bytes.subarray(at + 4, at + length)).toString());
    at += Math.max(4, length);
  }
  return lines;
}

export function idsOf(table: ObjectIdTable): string[] {
  return Array.from({ length: table.size }, (_, number) => table.idAt(number));
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof HostingError) return error.code;
    throw error;
  }
  return "none";
}
