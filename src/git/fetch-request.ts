// The arguments of the command fetch of protocol version 2 (gitprotocol-v2, upload-pack.c process_args).
import { HostingError } from "../errors.ts";
import { type FetchArguments, FetchArgumentsReader, addId, unexpected } from "./fetch-arguments.ts";
import { ObjectIdTable } from "./object-id-table.ts";
import { type PktLineReader, pktText } from "./pkt-line.ts";

/** Arguments that are one word each. */
const FLAGS = ["thin-pack", "ofs-delta", "no-progress", "include-tag", "done", "wait-for-done"] as const;

export type FetchFlag = (typeof FLAGS)[number];

export interface FetchRequest {
  readonly wanted: FetchArguments;
  /** What the client says that it has, in its order. */
  readonly haveIds: ObjectIdTable;
  readonly flags: ReadonlySet<FetchFlag>;
}

/** Reads the arguments up to the flush; no reader, no arguments. Errors: HostingError "protocol-error". */
export async function readFetchRequest(reader: PktLineReader | undefined): Promise<FetchRequest> {
  const wanted = new FetchArgumentsReader();
  const haveIds = new ObjectIdTable();
  const flags = new Set<FetchFlag>();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = reader === undefined ? ({ kind: "flush" } as const) : await reader.read();
    if (packet?.kind === "flush") return { wanted: wanted.finish(), haveIds, flags };
    if (packet?.kind !== "data") {
      throw new HostingError("protocol-error", "The arguments of fetch do not end with a flush packet.");
    }
    const line = pktText(packet.payload);
    const flag = FLAGS.find((known) => known === line);
    if (flag !== undefined) flags.add(flag);
    else if (line.startsWith("have ")) addId(haveIds, line.slice("have ".length), line);
    else if (!wanted.take(line)) throw unexpected(line);
  }
}
