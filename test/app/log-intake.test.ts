import { describe, expect, it } from "vitest";
import { readTraces } from "../../src/app/log-intake.ts";
import { SIZE } from "../../src/app/start-report.ts";

const NOTHING: TraceItem = {
  event: null,
  eventTimestamp: 1000,
  logs: [],
  exceptions: [],
  diagnosticsChannelEvents: [],
  scriptName: null,
  outcome: "ok",
  executionModel: "durableObject",
  truncated: false,
  cpuTime: 0,
  wallTime: 5,
};

describe("what the runtime tells of events", () => {
  it("is their CPU time, and which of them it stopped", () => {
    const events: TraceItem[] = [
      NOTHING,
      { ...NOTHING, cpuTime: 2 },
      { ...NOTHING, cpuTime: 30, outcome: "exceededCpu" },
      { ...NOTHING, cpuTime: 1, outcome: "exception" },
    ];
    expect(readTraces(events)).toEqual({
      cpuMs: 33,
      stops: [{ atMs: 1000, text: "The runtime stopped this request: it took more CPU time than it may." }],
    });
  });

  it("is nothing of events that took no time, and of the host's own calls", () => {
    const measured: TraceItem = { ...NOTHING, cpuTime: 1, event: { rpcMethod: SIZE } };
    expect(readTraces([NOTHING, measured, { ...NOTHING, cpuTime: 1, entrypoint: "Control" }])).toBeUndefined();
    expect(readTraces([])).toBeUndefined();
  });
});
