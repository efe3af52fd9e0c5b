// A packfile as a client of the side-band gets it: data on channel 1, progress on 2, a failure on 3 (sideband.c, upload-pack.c
// create_pack_file), a flush at the end, and an empty packet where nothing came for a while.
import { FLUSH_PKT, encodeSideBand } from "../git/pkt-line.ts";
import { within } from "../store/time-limit.ts";

/** Of one packet, header and channel included: side-band-64k, and the older side-band. */
export const LARGE_PACKET_BYTES = 65520;
export const SMALL_PACKET_BYTES = 1000;

const HEADER_BYTES = 5;
/** Git's uploadpack.keepAlive. */
const KEEP_ALIVE_MS = 5000;
const KEEP_ALIVE_PKT = new TextEncoder().encode("0005\u0001");
/** Git's own words: the client is not told what failed, the host's log is. */
const ABORT_MESSAGE = "aborting due to possible repository corruption on the remote side.";

/** Passes the pack on in packets of at most `packetBytes`. An error of the pack is told to the client, then thrown. */
export async function* inSideBand(
  pack: AsyncGenerator<Uint8Array>,
  packetBytes: number,
  keepAliveMs: number = KEEP_ALIVE_MS,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = pack.next(); ;) {
      const item = await within(next, keepAliveMs);
      if (item === "late") {
        yield KEEP_ALIVE_PKT;
        continue;
      }
      if (item.done) break;
      yield toPackets(item.value, packetBytes);
      next = pack.next();
    }
  } catch (error) {
    yield Buffer.concat(encodeSideBand(3, new TextEncoder().encode(ABORT_MESSAGE)));
    throw error;
  } finally {
    await pack.return(undefined);
  }
  yield FLUSH_PKT;
}

/** A line of progress for the user. */
export function progressLine(text: string): Uint8Array {
  return Buffer.concat(encodeSideBand(2, new TextEncoder().encode(`${text}\n`)));
}

/** One buffer with all the packets, because a chunk of a response costs more than a copy. */
function toPackets(data: Uint8Array, packetBytes: number): Uint8Array {
  const dataBytes = packetBytes - HEADER_BYTES;
  const count = Math.ceil(data.byteLength / dataBytes);
  const packets = Buffer.allocUnsafe(data.byteLength + count * HEADER_BYTES);
  let to = 0;
  for (let from = 0; from < data.byteLength; from += dataBytes) {
    const part = data.subarray(from, from + dataBytes);
    packets.write((part.byteLength + HEADER_BYTES).toString(16).padStart(4, "0"), to, "latin1");
    packets[to + 4] = 1;
    packets.set(part, to + HEADER_BYTES);
    to += part.byteLength + HEADER_BYTES;
  }
  return packets;
}
