import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { chooseEntryClass, type EntryClass } from "../../src/app/entry-class.ts";
import { IMPORTS, makeCode } from "./deployment.ts";

interface Entry {
  readonly source: string;
  readonly exports: readonly string[];
  readonly boundClasses?: readonly string[];
}

function choose({ source, exports, boundClasses = [] }: Entry): Promise<EntryClass> {
  return chooseEntryClass({ ...makeCode(IMPORTS + source), exports, boundClasses }, env.LOADER);
}

const ROOM = "export class Room extends DurableObject {}\n";
const LOBBY = "export class Lobby extends DurableObject {}\n";
const WORKER = "export default { fetch() {} };\n";

describe("chooseEntryClass", () => {
  it.each<[string, Entry, string]>([
    ["App", { source: "", exports: ["App"] }, "App"],
    [
      "App before a default handler and a bound class",
      { source: "", exports: ["Room", "default", "App"], boundClasses: ["Room"] },
      "App",
    ],
    ["the one bound class", { source: "", exports: ["Room", "Lobby"], boundClasses: ["Room"] }, "Room"],
    [
      "the one bound class beside a default export that is no handler",
      { source: `${ROOM}export default 7;`, exports: ["Room", "default"], boundClasses: ["Room"] },
      "Room",
    ],
  ])("takes %s", async (_, entry, className) => {
    expect(await choose(entry)).toMatchObject({ kind: "found", className });
  });

  it.each<[string, Entry, string, string]>([
    [
      "an ordinary Worker",
      { source: WORKER + ROOM, exports: ["default", "Room"], boundClasses: ["Room"] },
      "worker-unsupported",
      "Room",
    ],
    [
      "a WorkerEntrypoint as default export",
      {
        source: `import { WorkerEntrypoint } from "cloudflare:workers"; export default class extends WorkerEntrypoint {}`,
        exports: ["default"],
      },
      "worker-unsupported",
      "class App extends DurableObject",
    ],
    ["nothing exported", { source: "", exports: [] }, "export-missing", "exports nothing"],
    ["a class by another name", { source: ROOM, exports: ["Room"] }, "export-missing", "Did you mean Room?"],
    [
      "a class in another case",
      { source: "export class APP extends DurableObject {}", exports: ["APP"] },
      "export-missing",
      "Did you mean APP?",
    ],
    [
      "a class as default export",
      { source: "export default class extends DurableObject {}", exports: ["default"] },
      "export-missing",
      "Did you mean the default export?",
    ],
    [
      "two bound classes",
      { source: ROOM + LOBBY, exports: ["Room", "Lobby"], boundClasses: ["Room", "Lobby"] },
      "export-missing",
      "binds Room and Lobby",
    ],
    [
      "a bound class that is not exported",
      { source: LOBBY, exports: ["Lobby"], boundClasses: ["Room"] },
      "export-missing",
      "binds Room, which the entry module does not export",
    ],
    [
      "kinds of exports",
      { source: "export const a = 1; export function b() {}", exports: ["a", "b"] },
      "export-missing",
      "a (a plain value), b (a function)",
    ],
  ])("explains %s", async (_, entry, code, words) => {
    const outcome = await choose(entry);
    expect(outcome).toMatchObject({ kind: "failed", code, phase: "export" });
    expect(outcome.kind === "failed" && outcome.reason).toContain(words);
  });

  it("names the place of a throw where it has to run the code", async () => {
    expect(await choose({ source: `throw new Error("early");`, exports: ["Room"] })).toMatchObject({
      kind: "failed",
      code: "start-failed",
      phase: "module scope",
      frames: [{ path: "src/index.ts", line: 2 }],
    });
  });

  it("says that the runtime does not have a compatibility date", async () => {
    const bundle = { ...makeCode(ROOM, { compatibilityDate: "2199-01-01" }), exports: ["Room"], boundClasses: [] };
    expect(await chooseEntryClass(bundle, env.LOADER)).toMatchObject({ kind: "failed", code: "config-unsupported" });
  });
});
