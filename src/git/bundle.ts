// The header of a bundle, version 2 (gitformat-bundle): what refs it has, before one pack with everything that they reach. A bundle that needs
// commits from elsewhere is neither written nor read.
import { HostingError } from "../errors.ts";
import { type ObjectId, parseObjectId } from "./object-id.ts";

const SIGNATURE = "# v2 git bundle\n";

/** One line of the header. The name is HEAD or a ref's, as the bundle has it. */
export interface BundleRef {
  readonly name: string;
  readonly id: ObjectId;
}

/** What stands before the pack. */
export function writeBundleHeader(refs: readonly BundleRef[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(`${SIGNATURE}${refs.map(({ id, name }) => `${id} ${name}\n`).join("")}\n`));
}

/** How much may stand before the pack. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** A bundle's refs, and its pack, to be read next. @throws HostingError "archive-invalid" */
export async function readBundle(
  source: ReadableStream<Uint8Array>,
): Promise<{ readonly refs: readonly BundleRef[]; readonly pack: ReadableStream<Uint8Array> }> {
  const reader = source.getReader();
  let head = Buffer.alloc(0);
  let end = -1;
  while (end === -1) {
    // oxlint-disable-next-line no-await-in-loop -- chunk after chunk
    const { done, value } = await reader.read();
    if (done) throw damaged("it ends in its header");
    const from = Math.max(0, head.byteLength - 1);
    head = Buffer.concat([head, value]);
    if (!head.toString("latin1", 0, SIGNATURE.length).startsWith(SIGNATURE.slice(0, head.byteLength))) {
      throw damaged("only bundles of version 2 are read");
    }
    end = head.indexOf("\n\n", from);
    if (head.byteLength > MAX_HEADER_BYTES) throw damaged("it has too many refs");
  }
  const lines = head.toString("utf8", SIGNATURE.length, end).split("\n");
  const rest = Uint8Array.from(head.subarray(end + 2));
  const pack = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (rest.byteLength > 0) controller.enqueue(rest);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { refs: lines.map(readRef), pack };
}

function readRef(line: string): BundleRef {
  const id = parseObjectId(line.slice(0, 40));
  if (id === undefined || line[40] !== " ")
    throw damaged(`${JSON.stringify(line.slice(0, 100))} is no ref of a whole one`);
  return { id, name: line.slice(41) };
}

function damaged(why: string): HostingError {
  return new HostingError("archive-invalid", `The git bundle cannot be read: ${why}.`);
}
