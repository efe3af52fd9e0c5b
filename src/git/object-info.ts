// The command object-info of protocol version 2: the sizes of objects, without the objects (gitprotocol-v2, protocol-caps.c).
import { HostingError } from "../errors.ts";
import { addId, unexpected } from "./fetch-arguments.ts";
import { ObjectIdTable } from "./object-id-table.ts";
import { FLUSH_PKT, type PktLineReader, encodePktLine, pktText } from "./pkt-line.ts";

export interface ObjectInfoRequest {
  readonly hasSize: boolean;
  /** In the order of the request. */
  readonly ids: ObjectIdTable;
}

/** Reads the arguments up to the flush; no reader, no arguments. Errors: HostingError "protocol-error". */
export async function readObjectInfoRequest(reader: PktLineReader | undefined): Promise<ObjectInfoRequest> {
  const ids = new ObjectIdTable();
  let hasSize = false;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = reader === undefined ? ({ kind: "flush" } as const) : await reader.read();
    if (packet?.kind === "flush") return { hasSize, ids };
    if (packet?.kind !== "data") {
      throw new HostingError("protocol-error", "The arguments of object-info do not end with a flush packet.");
    }
    const line = pktText(packet.payload);
    if (line === "size") hasSize = true;
    else if (line.startsWith("oid ")) addId(ids, line.slice("oid ".length), line);
    else throw unexpected(line);
  }
}

/** The answer. `sizeOf` is given 20 bytes; of an object that it does not know, the size is left empty. */
export function writeObjectInfo(
  { hasSize, ids }: ObjectInfoRequest,
  sizeOf: (idBytes: Uint8Array) => number | undefined,
): Uint8Array<ArrayBuffer> {
  const lines = hasSize && ids.size > 0 ? [encodePktLine("size")] : [];
  for (let i = 0; i < ids.size; i++) {
    const size = hasSize ? ` ${sizeOf(ids.bytesAt(i)) ?? ""}` : "";
    lines.push(encodePktLine(`${ids.idAt(i)}${size}`));
  }
  return Buffer.concat([...lines, FLUSH_PKT]);
}
