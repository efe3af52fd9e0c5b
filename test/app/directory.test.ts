import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

describe("Directory", () => {
  it("lists apps by name, page by page", async () => {
    const directory = env.DIRECTORY.getByName("listing");
    for (const name of ["c", "a", "b", "a"]) await directory.register({ name, createdAtMs: 7 });
    expect(await directory.list({ limit: 2 })).toEqual([
      { name: "a", createdAtMs: 7 },
      { name: "b", createdAtMs: 7 },
    ]);
    expect(await directory.list({ after: "b", limit: 2 })).toEqual([{ name: "c", createdAtMs: 7 }]);
    await directory.remove("b");
    await directory.remove("b");
    expect((await directory.list({ limit: 9 })).map((entry) => entry.name)).toEqual(["a", "c"]);
  });
});
