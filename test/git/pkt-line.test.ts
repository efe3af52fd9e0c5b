import { describe, expect, it } from "vitest";
import { HostingError } from "../../src/errors.ts";
import {
  DELIMITER_PKT,
  FLUSH_PKT,
  MAX_PKT_PAYLOAD_BYTES,
  MAX_SIDE_BAND_BYTES,
  MAX_SMALL_SIDE_BAND_BYTES,
  type PktLine,
  PktLineReader,
  RESPONSE_END_PKT,
  encodePktLine,
  encodeSideBand,
  pktText,
} from "../../src/git/pkt-line.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const bytesOf = (wire: string): Uint8Array => Buffer.from(wire, "latin1");

function streamOf(...chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function readAll(reader: PktLineReader): Promise<PktLine[]> {
  const packets: PktLine[] = [];
  for (let packet = await reader.read(); packet; packet = await reader.read()) packets.push(packet);
  return packets;
}

async function restOf(reader: PktLineReader): Promise<Uint8Array> {
  return new Uint8Array(await new Response(reader.rest()).arrayBuffer());
}

const show = (packet: PktLine): string => (packet.kind === "data" ? `data ${text(packet.payload)}` : packet.kind);

/** Wire bytes and the packets that they are. */
const WIRES: readonly (readonly [wire: string, packets: readonly string[]])[] = [
  ["", []],
  ["0000", ["flush"]],
  ["0001", ["delimiter"]],
  ["0002", ["response-end"]],
  ["0004", ["data "]],
  ["0005a", ["data a"]],
  ["0006a\n", ["data a\n"]],
  ["0006a\n0000000bfoobar\n0000", ["data a\n", "flush", "data foobar\n", "flush"]],
  ["0014command=ls-refs\n0001000dhello-wor0000", ["data command=ls-refs\n", "delimiter", "data hello-wor", "flush"]],
];

describe("PktLineReader", () => {
  for (const [wire, expected] of WIRES) {
    it(`reads ${JSON.stringify(wire)}, whole and a byte at a time`, async () => {
      const whole = await readAll(new PktLineReader(streamOf(bytesOf(wire))));
      expect(whole.map(show)).toEqual(expected);
      const bytes = Array.from(bytesOf(wire), (byte) => Uint8Array.of(byte));
      const drops = await readAll(new PktLineReader(streamOf(...bytes)));
      expect(drops.map(show)).toEqual(expected);
    });
  }

  it("reads lengths in upper case", async () => {
    const packets = await readAll(new PktLineReader(streamOf(bytesOf("000Aabcdef"))));
    expect(packets.map(show)).toEqual(["data abcdef"]);
  });

  it("reads the longest packet", async () => {
    const payload = new Uint8Array(MAX_PKT_PAYLOAD_BYTES).fill(7);
    const wire = encodePktLine(payload);
    expect(text(wire.subarray(0, 4))).toBe("fff0");
    const [packet] = await readAll(new PktLineReader(streamOf(wire.subarray(0, 30_000), wire.subarray(30_000))));
    expect(packet).toEqual({ kind: "data", payload });
  });

  it("copes with empty chunks", async () => {
    const empty = new Uint8Array(0);
    const reader = new PktLineReader(streamOf(empty, bytesOf("00"), empty, bytesOf("06a"), empty, bytesOf("b"), empty));
    expect((await readAll(reader)).map(show)).toEqual(["data ab"]);
  });

  it.each(["0003", "000g", " 004", "-001", "+004", "0x04", "fff1", "ffff", "PACK", "\0\0\0\0", "00 4"])(
    "refuses the length %j",
    async (length) => {
      const reader = new PktLineReader(streamOf(bytesOf(`${length}aaaaaaaa`)));
      await expect(reader.read()).rejects.toMatchObject({ code: "protocol-error" });
    },
  );

  it.each(["0", "00", "000", "0005", "0006a", "fff0a"])("refuses a stream that ends with %j", async (wire) => {
    const reader = new PktLineReader(streamOf(bytesOf(`0000${wire}`)));
    expect(await reader.read()).toEqual({ kind: "flush" });
    await expect(reader.read()).rejects.toBeInstanceOf(HostingError);
  });

  it("hands over what follows, the same chunks where they were not begun", async () => {
    const pack = bytesOf("PACK and more");
    const later = bytesOf("later");
    const reader = new PktLineReader(streamOf(Buffer.concat([bytesOf("0000"), pack]), later));
    await reader.read();
    const rest = reader.rest().getReader();
    expect(text((await rest.read()).value!)).toBe("PACK and more");
    expect((await rest.read()).value).toBe(later);
    expect((await rest.read()).done).toBe(true);
  });

  it("hands over nothing where nothing follows", async () => {
    const reader = new PktLineReader(streamOf(bytesOf("0000")));
    await reader.read();
    expect((await restOf(reader)).byteLength).toBe(0);
  });

  it("hands over a stream that was not begun", async () => {
    expect(text(await restOf(new PktLineReader(streamOf(bytesOf("ab"), bytesOf("c")))))).toBe("abc");
  });

  it("asks for no more than is read, and tells the source when it is given up", async () => {
    let pulls = 0;
    let cancelled: unknown;
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls++;
          controller.enqueue(bytesOf("0005a"));
        },
        cancel(reason) {
          cancelled = reason;
        },
      },
      { highWaterMark: 0 },
    );
    const reader = new PktLineReader(source);
    await reader.read();
    const rest = reader.rest();
    await Promise.resolve();
    expect(pulls).toBe(1);
    await rest.cancel("enough");
    expect(cancelled).toBe("enough");
  });

  it("passes an error of the stream on as it is", async () => {
    const failure = new Error("connection lost");
    const reader = new PktLineReader(
      new ReadableStream({
        pull(controller) {
          controller.error(failure);
        },
      }),
    );
    await expect(reader.read()).rejects.toBe(failure);
  });
});

describe("pktText", () => {
  it.each([
    ["", ""],
    ["a", "a"],
    ["a\n", "a"],
    ["a\n\n", "a\n"],
    ["\n", ""],
    ["caf\xc3\xa9", "café"],
    ["\xef\xbb\xbfa", "\ufeffa"],
    ["\xff", "\ufffd"],
  ])("reads %j as %j", (payload, expected) => {
    expect(pktText(bytesOf(payload))).toBe(expected);
  });
});

describe("encodePktLine", () => {
  it.each([
    ["", "0004"],
    ["a\n", "0006a\n"],
    ["é", "0006\xc3\xa9"],
    ["x".repeat(251), `00ff${"x".repeat(251)}`],
    ["x".repeat(0xabc), `0ac0${"x".repeat(0xabc)}`],
  ])("writes %j", (payload, wire) => {
    expect(text(encodePktLine(payload))).toBe(wire);
    expect(text(encodePktLine(Buffer.from(payload)))).toBe(wire);
  });

  it("does not write what no client could read", () => {
    expect(() => encodePktLine(new Uint8Array(MAX_PKT_PAYLOAD_BYTES + 1))).toThrow(RangeError);
  });

  it("has the packets without data", () => {
    expect([FLUSH_PKT, DELIMITER_PKT, RESPONSE_END_PKT].map(text)).toEqual(["0000", "0001", "0002"]);
  });
});

describe("encodeSideBand", () => {
  it("writes the channel before the bytes", () => {
    expect(encodeSideBand(2, bytesOf("hi\n")).map(text)).toEqual(["0008\x02hi\n"]);
    expect(encodeSideBand(3, bytesOf("x")).map(text)).toEqual(["0006\x03x"]);
  });

  it("writes nothing for nothing", () => {
    expect(encodeSideBand(1, new Uint8Array(0))).toEqual([]);
  });

  it.each([
    [MAX_SIDE_BAND_BYTES, [65520]],
    [MAX_SIDE_BAND_BYTES + 1, [65520, 6]],
    [2 * MAX_SIDE_BAND_BYTES, [65520, 65520]],
  ])("splits %i bytes into packets of %j", (count, lengths) => {
    const bytes = Uint8Array.from({ length: count }, (_, i) => i);
    const packets = encodeSideBand(1, bytes);
    expect(packets.map((packet) => packet.byteLength)).toEqual(lengths);
    expect(packets.map((packet) => Number.parseInt(text(packet.subarray(0, 4)), 16))).toEqual(lengths);
    expect(Buffer.concat(packets.map((packet) => packet.subarray(5))).equals(bytes)).toBe(true);
  });

  it("keeps to 1000 bytes for plain side-band", () => {
    const packets = encodeSideBand(1, new Uint8Array(2000), MAX_SMALL_SIDE_BAND_BYTES);
    expect(packets.map((packet) => packet.byteLength)).toEqual([1000, 1000, 15]);
  });
});
