import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  DEFAULT_COMPATIBILITY_DATE,
  findNodeBuiltin,
  nodeBuiltinNames,
  nodejsSupport,
  RUNTIME_COMPATIBILITY_DATE,
} from "../../build/compatibility.ts";

async function starts(code: Omit<WorkerLoaderWorkerCode, "mainModule" | "modules">, main: string): Promise<boolean> {
  const worker = env.LOADER.load({ ...code, mainModule: "main.js", modules: { "main.js": main } });
  return worker
    .getEntrypoint()
    .fetch("http://app.test/")
    .then(
      () => true,
      () => false,
    );
}

const IDLE = "export default { fetch() { return new Response(null); } };";

describe("RUNTIME_COMPATIBILITY_DATE", () => {
  it("is a date that the runtime takes", async () => {
    expect(await starts({ compatibilityDate: RUNTIME_COMPATIBILITY_DATE }, IDLE)).toBe(true);
    expect(DEFAULT_COMPATIBILITY_DATE <= RUNTIME_COMPATIBILITY_DATE).toBe(true);
  });
});

describe("nodejsSupport", () => {
  it.each<[string, string[], string]>([
    ["2025-01-01", [], "off"],
    ["2025-01-01", ["nodejs_compat"], "on"],
    ["2025-01-01", ["nodejs_compat_v2"], "on"],
    ["2025-01-01", ["nodejs_als"], "async-hooks-only"],
    ["2026-08-03", [], "off"],
    ["2026-08-04", [], "on"],
    ["2026-08-04", ["no_nodejs_compat", "no_nodejs_compat_v2"], "off"],
  ])("at %s with %j is %s", (date, flags, mode) => {
    expect(nodejsSupport(date, flags).mode).toBe(mode);
  });
});

describe("findNodeBuiltin", () => {
  it("knows both names of a module, and some only with the prefix", () => {
    const on = nodejsSupport("2026-08-04", []);
    expect(findNodeBuiltin("fs", on)).toEqual({ kind: "available", specifier: "node:fs" });
    expect(findNodeBuiltin("node:fs", on)).toEqual({ kind: "available", specifier: "node:fs" });
    expect(findNodeBuiltin("sqlite", on)).toBeUndefined();
    expect(findNodeBuiltin("node:sqlite", on)).toMatchObject({ kind: "available" });
    expect(findNodeBuiltin("node:constructor", on)).toMatchObject({ kind: "unknown" });
    expect(findNodeBuiltin("zod", on)).toBeUndefined();
  });

  it("says what is missing", () => {
    expect(findNodeBuiltin("fs", nodejsSupport("2025-01-01", []))).toMatchObject({ kind: "needs-flag" });
    expect(findNodeBuiltin("fs", nodejsSupport("2025-01-01", ["nodejs_compat"]))).toMatchObject({
      kind: "needs-date",
      date: "2025-09-15",
    });
    expect(findNodeBuiltin("async_hooks", nodejsSupport("2025-01-01", ["nodejs_als"]))).toMatchObject({
      kind: "available",
    });
  });

  it("is right about every module at the runtime's date", async () => {
    const names = nodeBuiltinNames().map((name) => `import "node:${name}";`);
    expect(await starts({ compatibilityDate: RUNTIME_COMPATIBILITY_DATE }, `${names.join("\n")}\n${IDLE}`)).toBe(true);
  });

  it.each(["fs", "http", "readline", "vm"])("is right about the first date of %s", async (name) => {
    const main = `import "node:${name}";\n${IDLE}`;
    const builtin = findNodeBuiltin(name, nodejsSupport("2024-09-23", ["nodejs_compat"]));
    const date = builtin?.kind === "needs-date" ? builtin.date : "";
    const before = new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);
    const compatibilityFlags = ["nodejs_compat"];
    expect(await starts({ compatibilityDate: date, compatibilityFlags }, main)).toBe(true);
    expect(await starts({ compatibilityDate: before, compatibilityFlags }, main)).toBe(false);
  });
});
