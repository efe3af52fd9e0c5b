// Protocol version 2: the capability advertisement, and the head of a command request (gitprotocol-v2, serve.c).
import { HostingError } from "../errors.ts";
import { isCapability, listCapabilities, splitCapability } from "./capabilities.ts";
import { type FetchRequest, readFetchRequest } from "./fetch-request.ts";
import { type LsRefsRequest, readLsRefsRequest } from "./ls-refs.ts";
import { type ObjectInfoRequest, readObjectInfoRequest } from "./object-info.ts";
import { FLUSH_PKT, type PktLineReader, encodePktLine, pktText } from "./pkt-line.ts";

/** A command with its arguments. */
export type CommandRequest =
  | { readonly command: "ls-refs"; readonly request: LsRefsRequest }
  | { readonly command: "fetch"; readonly request: FetchRequest }
  | { readonly command: "object-info"; readonly request: ObjectInfoRequest };

type Command = CommandRequest["command"];

const COMMANDS: readonly Command[] = ["ls-refs", "fetch", "object-info"];

/** The body of GET info/refs?service=git-upload-pack in version 2. */
export function advertiseVersion2(): Uint8Array<ArrayBuffer> {
  const lines = ["version 2", ...listCapabilities("version-2")];
  return Buffer.concat([...lines.map((line) => encodePktLine(`${line}\n`)), FLUSH_PKT]);
}

/**
 * Reads a whole request. One without any line, by which a client says goodbye, is undefined.
 * Errors: HostingError "protocol-error", also for what was not announced.
 */
export async function readCommandRequest(reader: PktLineReader): Promise<CommandRequest | undefined> {
  let command: Command | undefined;
  let isEmpty = true;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = await reader.read();
    if (packet === undefined && isEmpty) return undefined;
    if (packet?.kind === "flush" && isEmpty) return undefined;
    if (packet === undefined || packet.kind === "response-end") throw invalid("ended before its command");
    if (packet.kind !== "data") return readCommand(command, packet.kind === "delimiter" ? reader : undefined);
    const line = pktText(packet.payload);
    const named = readKey(line);
    if (named !== undefined && command !== undefined) throw invalid(`names a second command, ${named}`);
    command ??= named;
    isEmpty = false;
  }
}

/** Arguments follow a delimiter; without one there are none. */
async function readCommand(command: Command | undefined, reader: PktLineReader | undefined): Promise<CommandRequest> {
  if (command === undefined) throw invalid("names no command");
  if (command === "ls-refs") return { command, request: await readLsRefsRequest(reader) };
  if (command === "fetch") return { command, request: await readFetchRequest(reader) };
  return { command, request: await readObjectInfoRequest(reader) };
}

/** The command that a line names; undefined for a capability. */
function readKey(line: string): Command | undefined {
  const { name, value } = splitCapability(line);
  if (name === "command") {
    const command = COMMANDS.find((known) => known === value);
    if (command === undefined) throw invalid(`names ${JSON.stringify(line)}, which is not a command of this server`);
    return command;
  }
  const isCommand = COMMANDS.some((known) => known === name);
  if (isCommand || !isCapability("version-2", name))
    throw invalid(`has the unknown capability ${JSON.stringify(line)}`);
  if (name === "object-format" && value !== "sha1")
    throw invalid(`has ${JSON.stringify(line)}, but this server has sha1 only`);
  return undefined;
}

function invalid(what: string): HostingError {
  return new HostingError("protocol-error", `The request of protocol version 2 ${what}.`);
}
