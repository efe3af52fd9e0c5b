// The upload request of protocol versions 0 and 1 over HTTP (gitprotocol-pack, upload-pack.c receive_needs and
// get_common_commits). Each POST carries everything: wants, shallow lines, a flush, then the haves of one round.
import { HostingError } from "../errors.ts";
import { type RequestedCapabilities, parseCapabilities } from "./capabilities.ts";
import { type FetchArguments, FetchArgumentsReader, addId, unexpected } from "./fetch-arguments.ts";
import { ObjectIdTable } from "./object-id-table.ts";
import { type PktLineReader, pktText } from "./pkt-line.ts";

/** One POST of a client. */
export interface UploadRequest {
  readonly wanted: FetchArguments;
  readonly capabilities: RequestedCapabilities<"git-upload-pack">;
  /** What the client says that it has, in its order. */
  readonly haveIds: ObjectIdTable;
  /**
   * How the haves end: "done" asks for the pack at once, "flush" for another round of negotiation. "absent" is a request
   * that ends with its wants, by which a client asks only for the shallow lines.
   */
  readonly ending: "done" | "flush" | "absent";
}

/** Errors: HostingError "protocol-error". A request without wants, or of nothing, by which a client says goodbye, is undefined. */
export async function readUploadRequest(reader: PktLineReader): Promise<UploadRequest | undefined> {
  const wants = await readWants(reader);
  if (wants === undefined) return undefined;
  const haveIds = new ObjectIdTable();
  const ending = await readHaves(reader, haveIds);
  return { ...wants, haveIds, ending };
}

async function readWants(reader: PktLineReader): Promise<Pick<UploadRequest, "wanted" | "capabilities"> | undefined> {
  const wanted = new FetchArgumentsReader();
  let capabilities: RequestedCapabilities<"git-upload-pack"> = new Map();
  for (let count = 0; ; count++) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = await reader.read();
    if (packet === undefined && count === 0) return undefined;
    if (packet === undefined) throw endsEarly();
    if (packet.kind !== "data") break;
    const { line, words } = splitCapabilities(pktText(packet.payload));
    if (words !== "" && capabilities.size === 0) capabilities = parseCapabilities("git-upload-pack", words);
    if (line.startsWith("filter ") && !capabilities.has("filter")) throw unexpected(line);
    if (!wanted.take(line)) throw unexpected(line);
  }
  if (capabilities.has("deepen-relative")) wanted.deepenRelatively();
  return wanted.wantIds.size === 0 ? undefined : { wanted: wanted.finish(), capabilities };
}

/** The capabilities follow a want's id after a space; the first want with some counts. */
function splitCapabilities(text: string): { line: string; words: string } {
  const end = "want ".length + 40;
  if (!text.startsWith("want ") || text.length <= end) return { line: text, words: "" };
  return { line: text.slice(0, end), words: text.slice(end) };
}

async function readHaves(reader: PktLineReader, haveIds: ObjectIdTable): Promise<UploadRequest["ending"]> {
  for (let count = 0; ; count++) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = await reader.read();
    if (packet === undefined && count === 0) return "absent";
    if (packet === undefined) throw endsEarly();
    if (packet.kind !== "data") return "flush";
    const line = pktText(packet.payload);
    if (line === "done") return "done";
    if (!line.startsWith("have ")) throw unexpected(line);
    addId(haveIds, line.slice("have ".length), line);
  }
}

function endsEarly(): HostingError {
  return new HostingError("protocol-error", "The fetch request ended before a flush packet.");
}
