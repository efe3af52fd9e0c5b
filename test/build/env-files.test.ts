import { describe, expect, it } from "vitest";
import { envFileWarnings } from "../../build/env-files.ts";

describe("envFileWarnings", () => {
  it.each([
    [
      "the common ones",
      ["src/index.ts", ".env", ".dev.vars", ".env.production"],
      "",
      [".env", ".dev.vars", ".env.production"],
    ],
    ["those of a folder of the app", ["apps/web/.env", "apps/api/.env", ".env"], "apps/web", ["apps/web/.env", ".env"]],
    ["no examples", [".env.example", ".dev.vars.sample", ".env.template"], "", []],
    ["nothing that only looks so", ["src/env.ts", ".environment", "node_modules/x/.env", ".env/file"], "", []],
  ])("names %s", (_name, paths, root, named) => {
    const warnings = envFileWarnings(paths, root);
    expect(warnings.map(({ text }) => text.split(" ")[0])).toEqual(named);
    for (const { fix } of warnings) expect(fix).toContain("PUT /api/v1/apps/");
  });
});
