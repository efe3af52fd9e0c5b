import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { chooseEntryClass, type EntryClass } from "../../src/app/entry-class.ts";
import { IMPORTS, makeCode } from "./deployment.ts";

interface Entry {
  readonly source: string;
  readonly exports: readonly string[];
  readonly boundClasses?: readonly string[];
  readonly storedNames?: Readonly<Record<string, string>>;
}

function choose({ source, exports, boundClasses = [], storedNames = {} }: Entry): Promise<EntryClass> {
  const objectBindings = boundClasses.map((className) => ({ name: className.toUpperCase(), className }));
  return chooseEntryClass({ ...makeCode(IMPORTS + source), exports, objectBindings, storedNames }, env.LOADER);
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
    [
      "a default handler before the one bound class",
      { source: WORKER + ROOM, exports: ["default", "Room"] },
      "default",
    ],
    [
      "a WorkerEntrypoint as default export",
      {
        source: `import { WorkerEntrypoint } from "cloudflare:workers"; export default class extends WorkerEntrypoint {}`,
        exports: ["default"],
      },
      "default",
    ],
  ])("takes %s", async (_, entry, className) => {
    expect(await choose(entry)).toMatchObject({ kind: "found", className });
  });

  it("names the classes of a Worker's objects, those that nothing binds as well", async () => {
    const entry = { source: WORKER + ROOM + LOBBY, exports: ["default", "Lobby", "Room"], boundClasses: ["Room"] };
    expect(await choose(entry)).toEqual({
      kind: "found",
      className: "default",
      objects: { classes: ["Lobby", "Room"], bindings: [{ name: "ROOM", className: "Room" }] },
      notes: [],
    });
  });

  it("says which binding of App is not there", async () => {
    const outcome = await choose({ source: "", exports: ["App"], boundClasses: ["Room"] });
    expect(outcome).toMatchObject({ className: "App", notes: [expect.stringContaining("env.ROOM")] });
  });

  it.each<[string, Entry, string, string]>([
    [
      "a Worker whose bound class is not exported",
      { source: WORKER + LOBBY, exports: ["default", "Lobby"], boundClasses: ["Room"] },
      "export-missing",
      "binds Room, which the entry module does not export. It exports Lobby",
    ],
    [
      "a Worker whose bound class is none",
      { source: `${WORKER}export const Room = {};`, exports: ["default", "Room"], boundClasses: ["Room"] },
      "export-wrong-kind",
      "binds Room, which is an object",
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

  it("has classes that were renamed by the names that they are stored under", async () => {
    const entry = {
      source: ROOM + LOBBY + WORKER,
      exports: ["default", "Lobby", "Room"],
      boundClasses: ["Room", "Lobby"],
      storedNames: { Room: "Hall", Hall: "Hall$2" },
    };
    expect(await choose(entry)).toMatchObject({
      objects: {
        classes: ["Hall", "Lobby"],
        bindings: [
          { name: "ROOM", className: "Hall" },
          { name: "LOBBY", className: "Lobby" },
        ],
        exports: { Hall: "Room" },
      },
    });
  });

  it("says that the runtime does not have a compatibility date", async () => {
    const code = makeCode(ROOM, { compatibilityDate: "2199-01-01" });
    const bundle = { ...code, exports: ["Room"], objectBindings: [], storedNames: {} };
    expect(await chooseEntryClass(bundle, env.LOADER)).toMatchObject({ kind: "failed", code: "config-unsupported" });
  });
});
