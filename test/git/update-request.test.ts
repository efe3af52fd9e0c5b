import { describe, expect, it } from "vitest";
import { ZERO_ID } from "../../src/git/object-id.ts";
import { FLUSH_PKT, PktLineReader, encodePktLine } from "../../src/git/pkt-line.ts";
import { type UpdateRequestLimits, readUpdateRequest } from "../../src/git/update-request.ts";

const A = "1234567890123456789012345678901234567890";
const B = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";

/** Each string is a packet, null a flush; what follows a trailing Uint8Array is the pack. */
function bodyOf(...parts: readonly (string | null | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) => (part === null ? FLUSH_PKT : typeof part === "string" ? encodePktLine(part) : part)),
  );
}

function readerOf(body: Uint8Array): PktLineReader {
  return new PktLineReader(new Response(body).body!);
}

const read = (body: Uint8Array, limits?: UpdateRequestLimits) => readUpdateRequest(readerOf(body), limits);

const CAPABILITIES = " report-status-v2 side-band-64k object-format=sha1 agent=git/2.39.5";

describe("readUpdateRequest", () => {
  it("reads what git sends, and leaves the pack", async () => {
    const pack = Buffer.from("PACK…");
    const command = `${ZERO_ID} ${A} refs/heads/main\0${CAPABILITIES}`;
    const reader = readerOf(bodyOf(command, `${A} ${ZERO_ID} refs/heads/old`, null, pack));
    const request = await readUpdateRequest(reader);
    expect(request.commands).toEqual([
      { name: "refs/heads/main", oldId: ZERO_ID, newId: A },
      { name: "refs/heads/old", oldId: A, newId: ZERO_ID },
    ]);
    expect([...request.capabilities]).toEqual([
      ["report-status-v2", true],
      ["side-band-64k", true],
      ["object-format", "sha1"],
      ["agent", "git/2.39.5"],
    ]);
    expect(request).toMatchObject({ shallowIds: [], pushOptions: [], isProbe: false });
    expect(Buffer.from(await new Response(reader.rest()).arrayBuffer()).equals(pack)).toBe(true);
  });

  it("knows the probe that comes before a large push", async () => {
    const request = await read(bodyOf(null));
    expect(request).toMatchObject({ commands: [], isProbe: true });
  });

  it("reads commands with and without capabilities, a NUL and a newline", async () => {
    const lines = [`${A} ${B} refs/a`, `${A} ${B} refs/b\n`, `${A} ${B} refs/c\0`, `${A} ${B} refs/d\0 atomic\n`];
    for (const line of lines) {
      const request = await read(bodyOf(line, null));
      expect(request.commands).toEqual([{ name: expect.stringMatching(/^refs\/.$/), oldId: A, newId: B }]);
      expect(request.capabilities.has("atomic")).toBe(line.includes("atomic"));
    }
  });

  it("reads ids in upper case as git does", async () => {
    const request = await read(bodyOf(`${B.toUpperCase()} ${A} refs/heads/main`, null));
    expect(request.commands[0]?.oldId).toBe(B);
  });

  it("keeps names that are no ref names, for the ref to be refused", async () => {
    for (const name of ["", "main", "refs/heads/a b", "refs/heads/a\nb", "refs/heads/é", " refs/x"]) {
      const request = await read(bodyOf(`${A} ${B} ${name}\0`, null));
      expect(request.commands[0]?.name).toBe(name);
    }
  });

  it("reads the shallow lines of a shallow client", async () => {
    const request = await read(bodyOf(`shallow ${A}`, `shallow ${B}\n`, `${A} ${B} refs/heads/main\0 quiet`, null));
    expect(request.shallowIds).toEqual([A, B]);
    expect(request.commands).toHaveLength(1);
  });

  it("reads push options where they were asked for", async () => {
    const command = `${A} ${B} refs/heads/main\0 push-options`;
    const request = await read(bodyOf(command, null, "store", "key=value\n", "", null, Buffer.from("PACK")));
    expect(request.pushOptions).toEqual(["store", "key=value", ""]);
  });

  it("takes no list of push options for granted", async () => {
    const reader = readerOf(bodyOf(`${A} ${B} refs/heads/main\0 quiet`, null, Buffer.from("PACK")));
    expect((await readUpdateRequest(reader)).pushOptions).toEqual([]);
    expect(await new Response(reader.rest()).text()).toBe("PACK");
  });

  it("lets the first of two capabilities count, on any line, and drops those that were not announced", async () => {
    const first = `${A} ${B} refs/a\0 agent=one agent=two unknown=x push-cert=y`;
    const request = await read(bodyOf(first, `${A} ${B} refs/b\0 agent=three atomic`, null));
    expect(Object.fromEntries(request.capabilities)).toEqual({ agent: "one", atomic: true });
  });

  const MALFORMED: readonly (readonly [claim: string, body: Uint8Array])[] = [
    ["an empty body", bodyOf()],
    ["no flush", bodyOf(`${A} ${B} refs/heads/main`)],
    ["no flush after the push options", bodyOf(`${A} ${B} refs/heads/main\0 push-options`, null, "x")],
    ["an empty packet", bodyOf("", null)],
    ["one id", bodyOf(`${A} refs/heads/main`, null)],
    ["a short old id", bodyOf(`${A.slice(1)} ${B} refs/heads/main`, null)],
    ["a long old id", bodyOf(`${A}0 ${B} refs/heads/main`, null)],
    ["a short new id", bodyOf(`${A} ${B.slice(1)} refs/heads/main`, null)],
    ["an id of SHA-256", bodyOf(`${A}${A.slice(16)} ${B} refs/heads/main`, null)],
    ["an id that is none", bodyOf(`${"x".repeat(40)} ${B} refs/heads/main`, null)],
    ["no space after the ids", bodyOf(`${A} ${B}`, null)],
    ["tabs", bodyOf(`${A}\t${B}\trefs/heads/main`, null)],
    ["a shallow line without an id", bodyOf("shallow ", null)],
    ["a shallow line that is cut off", bodyOf(`shallow ${A.slice(1)}`, null)],
    ["a signed push", bodyOf("push-cert\0 report-status", "certificate version 0.1\n", "push-cert-end\n", null)],
    ["another object format", bodyOf(`${A} ${B} refs/heads/main\0 object-format=sha256`, null)],
    ["an object format without a name", bodyOf(`${A} ${B} refs/heads/main\0 object-format`, null)],
    ["an error packet", bodyOf("ERR no", null)],
    ["an HTTP form", Buffer.from("a=b&c=d")],
  ];
  it.each(MALFORMED)("refuses %s", async (_claim, body) => {
    await expect(read(body)).rejects.toMatchObject({ code: "protocol-error" });
  });

  it("stops at its limits on lines and bytes", async () => {
    const commands = Array.from({ length: 11 }, (_, i) => `${A} ${B} refs/heads/${i}`);
    const limits = { maxLines: 10, maxBytes: 10_000 };
    await expect(read(bodyOf(...commands, null), limits)).rejects.toMatchObject({ code: "push-too-large" });
    expect((await read(bodyOf(...commands.slice(1), null), limits)).commands).toHaveLength(10);
    await expect(read(bodyOf(...commands, null), { maxLines: 11, maxBytes: 900 })).rejects.toMatchObject({
      code: "push-too-large",
    });
    const withOptions = bodyOf(`${A} ${B} refs/a\0 push-options`, null, ...Array<string>(10).fill(""), null);
    await expect(read(withOptions, limits)).rejects.toMatchObject({ code: "push-too-large" });
  });

  it("reads 10,000 commands", async () => {
    const commands = Array.from({ length: 10_000 }, (_, i) => `${ZERO_ID} ${A} refs/tags/v${i}`);
    expect((await read(bodyOf(...commands, null))).commands).toHaveLength(10_000);
  });
});
