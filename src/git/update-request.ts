// The update request that opens a push (gitprotocol-pack, "Reference Update Request and Packfile Transfer"), read as git's
// receive-pack reads it (builtin/receive-pack.c, read_head_info and read_push_options). Whether its commands are allowed, or even
// name valid refs, is for others. Push certificates are not announced and not read.
import { HostingError } from "../errors.ts";
import { type RequestedCapabilities, parseCapabilities, splitCapability } from "./capabilities.ts";
import { type ObjectId, parseObjectId } from "./object-id.ts";
import { type PktLineReader, pktText } from "./pkt-line.ts";

/** One ref to create (old id zero), delete (new id zero) or move. The name is what the client sent, valid or not. */
export interface UpdateCommand {
  readonly name: string;
  readonly oldId: ObjectId;
  readonly newId: ObjectId;
}

export interface UpdateRequest {
  readonly commands: readonly UpdateCommand[];
  /** The commits whose parents a shallow client does not have. */
  readonly shallowIds: readonly ObjectId[];
  readonly capabilities: RequestedCapabilities<"git-receive-pack">;
  readonly pushOptions: readonly string[];
  /** There are no commands: the client only asks whether it may push ("0000"), and no pack follows. */
  readonly isProbe: boolean;
}

/** How much a client may send before its pack. Lines are commands, shallow ids and push options together. */
export interface UpdateRequestLimits {
  readonly maxLines: number;
  readonly maxBytes: number;
}

const DEFAULT_LIMITS: UpdateRequestLimits = {
  maxLines: 100_000,
  maxBytes: 16 * 1024 * 1024,
};

const SHALLOW = "shallow ";
const ID_DIGITS = 40;
const NAME_AT = 2 * (ID_DIGITS + 1);

/**
 * Reads up to where the pack begins; `reader.rest()` then gives the pack.
 * Errors: HostingError "protocol-error" for what git's receive-pack dies of, "push-too-large" past the limits.
 */
export async function readUpdateRequest(
  reader: PktLineReader,
  limits: UpdateRequestLimits = DEFAULT_LIMITS,
): Promise<UpdateRequest> {
  const budget = { lines: limits.maxLines, bytes: limits.maxBytes };
  const commands: UpdateCommand[] = [];
  const shallowIds: ObjectId[] = [];
  let capabilities: RequestedCapabilities<"git-receive-pack"> = new Map();
  for await (const payload of readList(reader, budget)) {
    // A shallow line never carries capabilities; on any other line they follow the first NUL.
    const [line = "", features] = pktText(payload).split("\0", 2);
    if (line.startsWith(SHALLOW)) {
      shallowIds.push(readShallowLine(line));
      continue;
    }
    if (features !== undefined) {
      checkObjectFormat(features);
      capabilities = new Map([...parseCapabilities("git-receive-pack", features), ...capabilities]);
    }
    commands.push(readCommand(line));
  }
  const pushOptions: string[] = [];
  if (capabilities.has("push-options")) {
    for await (const payload of readList(reader, budget)) pushOptions.push(pktText(payload));
  }
  return { commands, shallowIds, capabilities, pushOptions, isProbe: commands.length === 0 };
}

/** The packets of one list. Any packet without data ends it, as in git; the end of the request does not. */
async function* readList(reader: PktLineReader, budget: { lines: number; bytes: number }): AsyncGenerator<Uint8Array> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- packets come one after the other
    const packet = await reader.read();
    if (!packet) {
      throw new HostingError(
        "protocol-error",
        "The push ended before the flush packet that closes its list of commands.",
      );
    }
    if (packet.kind !== "data") return;
    budget.lines -= 1;
    budget.bytes -= packet.payload.byteLength;
    if (budget.lines < 0 || budget.bytes < 0) {
      throw new HostingError(
        "push-too-large",
        "The push names more refs than one push may. Push fewer refs at a time.",
      );
    }
    yield packet.payload;
  }
}

function readShallowLine(line: string): ObjectId {
  const id = readId(line, SHALLOW.length);
  if (id) return id;
  throw expected("a commit id after shallow", line);
}

/** Git takes ids in either case, and any name at all: it refuses the ref then, not the push. */
function readCommand(line: string): UpdateCommand {
  if (line === "push-cert") {
    throw new HostingError("protocol-error", "Signed pushes are not supported. Push without --signed.");
  }
  const oldId = readId(line, 0);
  const newId = readId(line, ID_DIGITS + 1);
  const hasSpaces = line[ID_DIGITS] === " " && line[NAME_AT - 1] === " ";
  if (!oldId || !newId || !hasSpaces) throw expected("old id, new id and ref name", line);
  return { oldId, newId, name: line.slice(NAME_AT) };
}

function readId(line: string, at: number): ObjectId | undefined {
  return parseObjectId(line.slice(at, at + ID_DIGITS).toLowerCase());
}

/** A client that says nothing means SHA-1. The first mention counts, as in git. */
function checkObjectFormat(features: string): void {
  const mention = features
    .split(/\s+/)
    .map(splitCapability)
    .find(({ name }) => name === "object-format");
  if (!mention || mention.value === "sha1") return;
  throw new HostingError(
    "protocol-error",
    `This host stores SHA-1 objects; the push has object format ${JSON.stringify(mention.value)}.`,
  );
}

function expected(what: string, line: string): HostingError {
  const got = JSON.stringify(line.slice(0, 200));
  return new HostingError("protocol-error", `Expected ${what} in the push, but got ${got}.`);
}
