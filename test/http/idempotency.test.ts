// Idempotency-Key, as a client that repeats a call meets it.
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { OWNER } from "../../src/app/access.ts";
import { answerOnce } from "../../src/http/api/idempotency.ts";
import { beginAnswer, endAnswer } from "../../src/store/answers.ts";
import { DIRECTORY_MIGRATIONS } from "../../src/store/schema.ts";
import { inTables } from "../store/memory.ts";
import { call, codeOf } from "./api-client.ts";

const BODY = { name: "repeated", access: "host" };

/** A call with a key, which makes a token. */
function repeat(key: string, input: Parameters<typeof call>[2] = {}): Promise<Response> {
  return call("POST", "/tokens", { body: BODY, ...input, headers: { "idempotency-key": key, ...input.headers } });
}

async function makeHostToken(): Promise<string> {
  const made = await call("POST", "/tokens", { body: { name: "another", access: "host" } });
  return (await made.json<{ token: string }>()).token;
}

describe("a call with an Idempotency-Key", () => {
  it("is done once, and its repeat is answered as the first time", async () => {
    const first = await repeat("once");
    const again = await repeat("once");
    expect([first.status, again.status]).toEqual([201, 201]);
    expect([first, again].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
    expect(await again.text()).toBe(await first.text());
  });

  it("is refused anew as it was refused", async () => {
    const refused = { body: { name: "NO" }, headers: { "idempotency-key": "refused" } };
    expect(await codeOf(await call("POST", "/apps", refused))).toBe("invalid-app-name");
    const again = await call("POST", "/apps", refused);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await codeOf(again)).toBe("invalid-app-name");
  });

  it("is the same call whether the token comes as Bearer or as the password of Basic", async () => {
    const first = await repeat("schemes", {
      token: "",
      headers: { authorization: `Basic ${btoa("x:unit-test-token")}` },
    });
    const again = await repeat("schemes");
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.text()).toBe(await first.text());
  });

  it("is another call with another body, path or token", async () => {
    const first = await repeat("taken");
    const other = await repeat("taken", { body: { ...BODY, name: "other" } });
    expect([other.status, await codeOf(other)]).toEqual([422, "idempotency-mismatch"]);
    const elsewhere = await call("POST", "/apps", { body: BODY, headers: { "idempotency-key": "taken" } });
    expect(await codeOf(elsewhere)).toBe("idempotency-mismatch");
    const others = await repeat("taken", { token: await makeHostToken() });
    expect([others.status, others.headers.get("idempotency-replayed")]).toEqual([201, null]);
    expect(await others.text()).not.toBe(await first.text());
  });

  it("is refused while the first is still being done, and says when to ask again", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const begun = Promise.withResolvers<undefined>();
    const slow = { env, caller: OWNER, key: "slow", credentials: "a token", content: "POST /slow" };
    const first = answerOnce(slow, () => {
      begun.resolve(undefined);
      return promise;
    });
    await begun.promise;
    await expect(answerOnce(slow, () => promise)).rejects.toMatchObject({
      code: "idempotency-running",
      retryAfterS: 1,
    });
    resolve(new Response("done"));
    expect(await (await first).text()).toBe("done");
    const again = await answerOnce(slow, () => Promise.reject(new Error("It is not done again.")));
    expect(await again.text()).toBe("done");
  });

  it("answers 409 to one of two that come at once", async () => {
    const answers = await Promise.all([repeat("both"), repeat("both")]);
    const refused = answers.find(({ status }) => status !== 201);
    // The second may also have come after the first was done.
    if (refused === undefined)
      expect(answers.map(({ headers }) => headers.get("idempotency-replayed"))).toContain("true");
    else
      expect([refused.status, refused.headers.get("retry-after"), await codeOf(refused)]).toEqual([
        409,
        "1",
        "idempotency-running",
      ]);
  });

  it("is done again where the host failed", async () => {
    const failing = { env, caller: OWNER, key: "failing", credentials: "a token", content: "POST /failing" };
    await expect(answerOnce(failing, () => Promise.reject(new Error("out of order")))).rejects.toThrow("out of order");
    expect((await answerOnce(failing, async () => new Response("", { status: 503 }))).status).toBe(503);
    expect(await (await answerOnce(failing, async () => new Response("done"))).text()).toBe("done");
  });

  it("is known to a directory that was put away and started anew", async () => {
    const first = await repeat("restarted");
    await evictDurableObject(env.DIRECTORY.getByName("directory"));
    const again = await repeat("restarted");
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.text()).toBe(await first.text());
  });

  it.each([
    ["none", ""],
    ["one that is too long", "k".repeat(201)],
  ])("needs a key of a fitting length, not %s", async (_name, key) => {
    expect(await codeOf(await repeat(key))).toBe("invalid-request");
  });

  it("is for JSON alone", async () => {
    const headers = { "content-type": "application/x-tar" };
    expect(await codeOf(await repeat("tar", { body: "x", headers }))).toBe("invalid-request");
  });
});

describe("a kept answer", () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const [id, fingerprint, sealedBody] = ["call", "content", new Uint8Array([1, 2, 3])];
  const answer = { status: 201, contentType: "application/json", sealedBody };

  it("is kept for a day, and then the call is new", async () => {
    await inTables("kept-answer", DIRECTORY_MIGRATIONS, (db) => {
      expect(beginAnswer(db, { id, fingerprint }, 0)).toEqual({ kind: "new" });
      endAnswer(db, id, answer);
      expect(beginAnswer(db, { id, fingerprint }, DAY_MS)).toEqual({ kind: "kept", answer });
      expect(beginAnswer(db, { id, fingerprint: "other" }, DAY_MS)).toEqual({ kind: "mismatch" });
      expect(beginAnswer(db, { id, fingerprint: "other" }, DAY_MS + 1)).toEqual({ kind: "new" });
    });
  });

  it("is waited for ten minutes, in case the host ended before the call did", async () => {
    await inTables("waited-answer", DIRECTORY_MIGRATIONS, (db) => {
      expect(beginAnswer(db, { id, fingerprint }, 0)).toEqual({ kind: "new" });
      expect(beginAnswer(db, { id, fingerprint }, DAY_MS / 144)).toEqual({ kind: "running" });
      expect(beginAnswer(db, { id, fingerprint }, DAY_MS / 144 + 1)).toEqual({ kind: "new" });
    });
  });
});
