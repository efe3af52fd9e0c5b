// Builds that keep their isolates, which wait for a registry: that time is not counted as a build's own.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Builder } from "../../build/builder.ts";
import { build, type BuildOutcome } from "../../build/index.ts";
import { lockOf, makeRegistry } from "./npm/test-registry.ts";
import { treeOf } from "./source-tree-literal.ts";

const APP = `export default { fetch(): Response { return new Response(); } };\n`;

interface HeldBuild {
  readonly isAsked: () => boolean;
  readonly release: () => void;
  readonly outcome: Promise<BuildOutcome>;
}

/** A build that is in its isolate once it asks the registry, which answers when it is let. */
async function holdBuild(builder: Builder): Promise<HeldBuild> {
  const registry = await makeRegistry({ "a@1.0.0": { files: { "index.js": "" } } });
  const held = { isAsked: false, isReleased: false };
  const slow = {
    ...registry,
    registry: {
      ...registry.registry,
      fetch: async (url: string, init: RequestInit): Promise<Response> => {
        held.isAsked = true;
        await until(() => held.isReleased);
        return registry.registry.fetch(url, init);
      },
    },
  };
  const tree = treeOf({
    "index.ts": `import "./tests/late";\n${APP}`,
    // Not looked through before the bundle is made, so that it is the isolate that asks.
    "tests/late.ts": `import "a";`,
    "package.json": `{ "dependencies": { "a": "1" } }`,
    "package-lock.json": lockOf({ "node_modules/a": registry.locked("a@1.0.0") }),
  });
  const outcome = build(tree, builder, undefined, slow);
  return { isAsked: () => held.isAsked, release: () => void (held.isReleased = true), outcome };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await scheduler.wait(5);
}

describe("a build that waits for packages", () => {
  it("keeps its isolate, and others are told where none is free", async () => {
    const builder = new Builder(env.LOADER, { timeMs: 4000 });
    const held: HeldBuild[] = [];
    while (held.length < 4) {
      const next = await holdBuild(builder);
      await until(next.isAsked);
      held.push(next);
    }
    const outcome = await build(treeOf({ "index.ts": APP }), builder);
    const text = "All 4 isolates that build were busy for 4 s.";
    expect(outcome).toMatchObject({ kind: "failed", messages: [{ code: "build-limit", text }] });
    for (const { release } of held) release();
    const outcomes = await Promise.all(held.map((each) => each.outcome));
    expect(outcomes.map((each) => (each.kind === "failed" ? each.messages : each.kind))).toEqual(
      held.map(() => "built"),
    );
  });
});
