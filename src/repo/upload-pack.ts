// The service git-upload-pack over HTTP: ref advertisements, and fetches in protocol versions 0, 1 and 2 (upload-pack.c, serve.c,
// http-backend.c). Stateless: each request carries the whole of the negotiation. A request is read to its end and its answer is
// known in full before the response starts, but for the pack, which is made as the client reads it.
import type { FetchRequest } from "../git/fetch-request.ts";
import { writeLsRefs } from "../git/ls-refs.ts";
import { objectIdToBytes } from "../git/object-id.ts";
import { type ObjectInfoRequest, writeObjectInfo } from "../git/object-info.ts";
import { DELIMITER_PKT, FLUSH_PKT, PktLineReader, encodePktLine } from "../git/pkt-line.ts";
import { advertiseVersion2, readCommandRequest } from "../git/protocol-v2.ts";
import { advertiseForReceive, advertiseForUpload } from "../git/ref-advertisement.ts";
import { SENT, listObjects } from "../git/rev-list.ts";
import { type UploadRequest, readUploadRequest } from "../git/upload-request.ts";
import { type PackOptions, planPack, resolveWants } from "./fetch-plan.ts";
import { negotiateVersion0, negotiateVersion2 } from "./negotiation.ts";
import { openObjectGraph } from "./open-object-graph.ts";
import { streamPack } from "./pack-stream.ts";
import type { Repository } from "./repository.ts";
import { updateShallows } from "./shallow-update.ts";
import { LARGE_PACKET_BYTES, SMALL_PACKET_BYTES, inSideBand, progressLine } from "./side-band-stream.ts";

export type ProtocolVersion = 0 | 1 | 2;

/** The body of GET info/refs?service=git-upload-pack. */
export function advertiseUploadPack(repository: Repository, version: ProtocolVersion): Uint8Array<ArrayBuffer> {
  return version === 2 ? advertiseVersion2() : advertiseForUpload(repository.state, version);
}

/** The body of GET info/refs?service=git-receive-pack, which has no version 2. A repository that is not there has no refs. */
export function advertiseReceivePack(
  repository: Repository | undefined,
  version: ProtocolVersion,
): Uint8Array<ArrayBuffer> {
  return advertiseForReceive(repository?.state.refs ?? [], version === 1 ? 1 : 0);
}

/**
 * Answers POST git-upload-pack; the body is not compressed any more. What git itself refuses in words comes as an ERR line in
 * the answer. Errors: HostingError "protocol-error" for a body that is not a request.
 */
export async function uploadPack(
  repository: Repository,
  version: ProtocolVersion,
  body: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  return streamOf(await answer(repository, version, new PktLineReader(body)));
}

type Answer = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

async function answer(repository: Repository, version: ProtocolVersion, reader: PktLineReader): Promise<Answer> {
  if (version !== 2) {
    const request = await readUploadRequest(reader);
    return request === undefined ? [] : answerVersion0(repository, request);
  }
  const command = await readCommandRequest(reader);
  if (command === undefined) return [];
  if (command.command === "ls-refs") return [writeLsRefs(repository.state, command.request)];
  if (command.command === "fetch") return answerFetch(repository, command.request);
  return [await answerObjectInfo(repository, command.request)];
}

async function answerVersion0(repository: Repository, request: UploadRequest): Promise<Answer> {
  const { wanted, capabilities } = request;
  const open = await openObjectGraph(repository);
  const resolved = resolveWants(repository, open, wanted);
  if (resolved.kind === "refused") return [errLine(resolved.reason)];
  const shallow = updateShallows({ ...resolved, graph: open.graph, state: repository.state }, wanted);
  if (shallow.kind === "refused") return [errLine(shallow.reason)];
  const head = shallow.lines.map((line) => encodePktLine(line));
  if (wanted.deepening !== undefined) head.push(FLUSH_PKT);
  if (request.ending === "absent") return head;
  const asked = { wants: [...resolved.wants, ...shallow.wants], shallows: shallow.shallows };
  const negotiation = negotiateVersion0(open.graph, asked, request);
  head.push(...negotiation.lines.map((line) => encodePktLine(`${line}\n`)));
  if (!negotiation.isPackNext) return head;
  const options = packOptions((name) => capabilities.has(name));
  const plan = planPack(repository, open, { ...resolved, haves: negotiation.common, shallow, options });
  const isLarge = capabilities.has("side-band-64k");
  if (!isLarge && !capabilities.has("side-band")) return sequence(head, streamPack(plan));
  if (!capabilities.has("no-progress")) head.push(progressLine(countLine(plan.sentCount)));
  return sequence(head, inSideBand(streamPack(plan), isLarge ? LARGE_PACKET_BYTES : SMALL_PACKET_BYTES));
}

async function answerFetch(repository: Repository, { wanted, haveIds, flags }: FetchRequest): Promise<Answer> {
  if (wanted.wantIds.size === 0 && !flags.has("wait-for-done")) return [];
  const open = await openObjectGraph(repository);
  const resolved = resolveWants(repository, open, wanted);
  if (resolved.kind === "refused") return [errLine(resolved.reason)];
  const negotiation = negotiateVersion2(open.graph, resolved.wants, { wanted, haveIds, flags });
  const head = negotiation.lines.map((line) => encodePktLine(`${line}\n`));
  if (!negotiation.isPackNext) return [...head, FLUSH_PKT];
  if (head.length > 0) head.push(DELIMITER_PKT);
  const shallow = updateShallows({ ...resolved, graph: open.graph, state: repository.state }, wanted);
  if (shallow.kind === "refused") return [...head, errLine(shallow.reason)];
  if (wanted.deepening !== undefined || shallow.shallows.length > 0) {
    head.push(encodePktLine("shallow-info\n"), ...shallow.lines.map((line) => encodePktLine(line)), DELIMITER_PKT);
  }
  head.push(encodePktLine("packfile\n"));
  const options = packOptions((name) => flags.has(name));
  const plan = planPack(repository, open, { ...resolved, haves: negotiation.common, shallow, options });
  if (!flags.has("no-progress")) head.push(progressLine(countLine(plan.sentCount)));
  return sequence(head, inSideBand(streamPack(plan), LARGE_PACKET_BYTES));
}

/** An object that no ref reaches is unknown, as it is to a fetch. */
async function answerObjectInfo(repository: Repository, request: ObjectInfoRequest): Promise<Uint8Array> {
  const { graph } = await openObjectGraph(repository);
  const tips = repository.state.refs.map((ref) => graph.objects.find(objectIdToBytes(ref.id)));
  const { marks } = listObjects(graph, { wants: tips, haves: [] });
  return writeObjectInfo(request, (idBytes) => {
    const number = graph.objects.find(idBytes);
    return ((marks[number] ?? 0) & SENT) === 0 ? undefined : graph.sizeAt(number);
  });
}

/** What versions 0 and 1 ask for as capabilities and version 2 as arguments, under the same names. */
function packOptions(isAsked: (name: "ofs-delta" | "thin-pack" | "include-tag") => boolean): PackOptions {
  return {
    allowsOfsDelta: isAsked("ofs-delta"),
    allowsThinPack: isAsked("thin-pack"),
    includesTags: isAsked("include-tag"),
  };
}

function countLine(objectCount: number): string {
  return `Enumerating objects: ${objectCount}, done.`;
}

function errLine(reason: string): Uint8Array {
  return encodePktLine(`ERR ${reason}`);
}

async function* sequence(head: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.concat(head);
  yield* rest;
}

/** A stream that takes the next item only when its reader asks, and ends the source when the reader goes away. */
function streamOf(source: Answer): ReadableStream<Uint8Array> {
  const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await items.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await items.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
