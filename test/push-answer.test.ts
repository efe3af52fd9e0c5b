import { describe, expect, it } from "vitest";
import { ZERO_ID, parseObjectId } from "../src/git/object-id.ts";
import { PktLineReader } from "../src/git/pkt-line.ts";
import { parseCapabilities } from "../src/git/capabilities.ts";
import { answerPush, type Narrator } from "../src/push-answer.ts";
import type { PushReport } from "../src/git/report-status.ts";

const A = parseObjectId("a".repeat(40))!;
const REPORT: PushReport = { refs: [{ kind: "ok", name: "refs/heads/main" }] };

/** The answer's packets: "2 text" for a side-band, the bare text without one, "flush" between. */
async function answer(
  capabilities: string,
  work: (narrator: Narrator) => Promise<PushReport>,
  pushOptions: readonly string[] = [],
): Promise<string[]> {
  let nowMs = 0;
  const update = {
    commands: [{ name: "refs/heads/main", oldId: ZERO_ID, newId: A }],
    shallowIds: [],
    capabilities: parseCapabilities("git-receive-pack", capabilities),
    pushOptions,
    isProbe: false,
  };
  const { body, finished } = answerPush({ update, now: () => (nowMs += 5) }, work);
  const reader = new PktLineReader(body);
  const packets: string[] = [];
  for (let packet = await reader.read(); packet !== undefined; packet = await reader.read()) {
    if (packet.kind !== "data") packets.push(packet.kind);
    else {
      const text = new TextDecoder().decode(packet.payload);
      const band = packet.payload[0] ?? 0;
      packets.push(band <= 3 ? `${band} ${text.slice(1)}` : text);
    }
  }
  await finished;
  return packets;
}

async function sayAndNote(narrator: Narrator): Promise<PushReport> {
  narrator.say("hello");
  narrator.note({ deploy: 3 });
  await narrator.time("build", async () => undefined);
  return REPORT;
}

describe("answerPush", () => {
  it("sends lines on side-band 2 and the report on side-band 1", async () => {
    const packets = await answer("report-status side-band-64k", async (narrator) => {
      narrator.say("hello");
      return REPORT;
    });
    expect(packets).toEqual(["2 hello\n", "1 000eunpack ok\n0017ok refs/heads/main\n0000", "flush"]);
  });

  it("sends the bare report where no side-band was asked for", async () => {
    const packets = await answer("report-status", async (narrator) => {
      narrator.say("hello");
      return REPORT;
    });
    expect(packets).toEqual(["unpack ok\n", "ok refs/heads/main\n", "flush"]);
  });

  it("sends nothing where nothing was asked for", async () => {
    expect(await answer("", async () => REPORT)).toEqual([]);
  });

  it("sends one line of JSON instead of lines where the pusher wants it", async () => {
    const capabilities = "report-status side-band-64k push-options";
    const [json] = await answer(capabilities, sayAndNote, ["json"]);
    expect(JSON.parse(json!.slice(2))).toEqual({ deploy: 3, stagesMs: { build: 5 } });
  });

  it("reports a fault of the host's own as a refusal of every ref, without its text", async () => {
    const packets = await answer("report-status side-band-64k", () => Promise.reject(new Error("a secret")));
    const text = packets.join("");
    expect(text).toContain("ng refs/heads/main internal-error");
    expect(text).not.toContain("a secret");
  });

  it("finishes the work when the client has gone away", async () => {
    const { promise: gone, resolve: go } = Promise.withResolvers<void>();
    let isFinished = false;
    const update = { commands: [], shallowIds: [], capabilities: new Map(), pushOptions: [], isProbe: false };
    const { body, finished } = answerPush({ update, now: () => 0 }, async (narrator) => {
      await gone;
      narrator.say("nobody hears");
      isFinished = true;
      return REPORT;
    });
    await body.cancel();
    go();
    await finished;
    expect(isFinished).toBe(true);
  });
});
