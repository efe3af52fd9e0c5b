import { describe, expect, it } from "vitest";
import { call, codeOf } from "./api-client.ts";

interface Made {
  readonly id: string;
  readonly token: string;
}

async function make(path: string, body: unknown, token?: string): Promise<Made> {
  const made = await call("POST", path, { body, token });
  expect(made.status).toBe(201);
  return made.json<Made>();
}

describe("tokens", () => {
  it("are made, shown once, listed without their secret, used and revoked", async () => {
    const made = await make("/tokens", { name: "ops", access: "host" });
    expect(made.token).toMatch(/^slp_[0-9a-f]{16}_[0-9a-f]{48}$/);
    expect((await call("GET", "/tokens", { token: made.token })).status).toBe(200);
    const listed = await (await call("GET", "/tokens?limit=1000")).text();
    expect(listed).not.toContain(made.token);
    const { tokens } = JSON.parse(listed);
    expect(tokens.find(({ id }: Made) => id === made.id)).toMatchObject({
      name: "ops",
      app: null,
      access: "host",
      createdBy: "owner",
      expiresAt: null,
      lastUsedAt: expect.any(String),
    });
    expect((await call("DELETE", `/tokens/${made.id}`)).status).toBe(204);
    expect(await codeOf(await call("GET", "/tokens", { token: made.token }))).toBe("auth-required");
    expect(await codeOf(await call("DELETE", `/tokens/${made.id}`))).toBe("not-found");
  });

  it("of an app are its admins' own affair", async () => {
    await call("POST", "/apps", { body: { name: "guarded" } });
    const admin = await make("/apps/guarded/tokens", { name: "lead", access: "admin" });
    const reader = await make("/apps/guarded/tokens", { name: "dash", access: "read" }, admin.token);
    const other = await make("/apps/elsewhere/tokens", { name: "other", access: "read" });
    const listed = await (await call("GET", "/apps/guarded/tokens", { token: admin.token })).json<{ tokens: Made[] }>();
    expect(listed.tokens.map(({ id }) => id).toSorted()).toEqual([admin.id, reader.id].toSorted());
    expect(await codeOf(await call("DELETE", `/apps/guarded/tokens/${other.id}`, { token: admin.token }))).toBe(
      "not-found",
    );
    expect(await codeOf(await call("GET", "/apps/guarded/tokens", { token: reader.token }))).toBe("auth-forbidden");
    const apps = await (await call("GET", "/apps", { token: reader.token })).json<{ apps: { name: string }[] }>();
    expect(apps.apps.map(({ name }) => name)).toEqual(["guarded"]);
    expect((await call("DELETE", `/apps/guarded/tokens/${reader.id}`, { token: admin.token })).status).toBe(204);
    expect(await codeOf(await call("GET", "/apps/guarded", { token: reader.token }))).toBe("auth-required");
  });

  it("for an app that is not there may make it, and end with it", async () => {
    const { token } = await make("/tokens", { name: "starter", app: "to-come", access: "admin" });
    expect(await codeOf(await call("POST", "/apps", { body: { name: "another" }, token }))).toBe("auth-forbidden");
    expect((await call("POST", "/apps", { body: { name: "to-come" }, token })).status).toBe(201);
    expect((await call("DELETE", "/apps/to-come?forever=1", { token })).status).toBe(204);
    expect(await codeOf(await call("POST", "/apps", { body: { name: "to-come" }, token }))).toBe("auth-required");
  });

  it("expire, and are not made expired", async () => {
    const past = new Date(Date.now() - 1000).toISOString();
    expect(
      await codeOf(await call("POST", "/tokens", { body: { name: "late", access: "host", expiresAt: past } })),
    ).toBe("invalid-request");
    const soon = await make("/tokens", {
      name: "short",
      access: "host",
      expiresAt: new Date(Date.now() + 300).toISOString(),
    });
    await expect
      .poll(async () => (await call("GET", "/tokens", { token: soon.token })).status, { timeout: 5000, interval: 50 })
      .toBe(401);
  });

  it.each([
    ["another's id with an own secret", (id: string) => `slp_${id}_${"0".repeat(48)}`],
    ["an unknown id", () => `slp_${"0".repeat(16)}_${"0".repeat(48)}`],
    ["another form", (id: string) => `slp_${id}`],
  ])("are refused with %s", async (_name, forge) => {
    const { id } = await make("/tokens", { name: "real", access: "host" });
    expect(await codeOf(await call("GET", "/apps", { token: forge(id) }))).toBe("auth-required");
  });
});

describe("the audit log", () => {
  it("says who changed what, from where and with which outcome", async () => {
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    await call("POST", "/apps", { body: { name: "watched" } });
    const { id, token } = await make("/apps/watched/tokens", { name: "helper", access: "push" });
    await call("PATCH", "/apps/watched", { body: { deploy: false }, token, headers });
    await call("PATCH", "/apps/watched", { body: { deploy: false }, headers });
    await call("GET", "/apps/watched", { token, headers });
    const { entries } = await (await call("GET", "/apps/watched/audit")).json<{ entries: unknown[] }>();
    expect(entries).toMatchObject([
      { actor: "owner", tokenId: null, action: "PATCH /apps/watched", address: "192.0.2.7", outcome: "200" },
      { actor: "helper", tokenId: id, action: "PATCH /apps/watched", address: "192.0.2.7", outcome: "403" },
      { actor: "owner", action: "POST /apps/watched/tokens", outcome: "201" },
      { actor: "owner", action: "POST /apps", app: "watched", outcome: "201" },
    ]);
    const all = await (await call("GET", "/audit?limit=2")).json<{ entries: unknown[]; next: string }>();
    expect(all.entries).toHaveLength(2);
    expect(Number(all.next)).toBeGreaterThan(0);
  });

  it("has calls that were refused for what they say, also before a body was looked at", async () => {
    await call("POST", "/apps", { body: { name: "faulty" } });
    const { token } = await make("/apps/faulty/tokens", { name: "clumsy", access: "admin" });
    const large = { "content-type": "application/json", "content-length": String(1024 ** 3) };
    for (const [method, path, input, status] of [
      ["PATCH", "/apps/faulty", { body: { deploy: "yes" } }, 400],
      ["PATCH", "/apps/faulty", { body: "{" }, 400],
      ["PATCH", "/apps/faulty", { body: "<x/>", headers: { "content-type": "application/xml" } }, 415],
      ["PATCH", "/apps/faulty", { body: "{}", headers: large }, 413],
      ["DELETE", "/apps/faulty/snapshots/none", {}, 400],
      ["PUT", "/apps/faulty/env/1", { body: { value: "v" } }, 400],
      ["POST", "/apps/faulty/commits", { body: {}, headers: { "idempotency-key": "" } }, 400],
      ["POST", "/apps/faulty/import", { body: "no archive", headers: { "content-type": "text/html" } }, 415],
      ["DELETE", "/apps/Not--valid", {}, 403],
    ] as const) {
      const name = `${method} ${path} ${JSON.stringify(input)}`;
      expect((await call(method, path, { ...input, token })).status, name).toBe(status);
      const { entries } = await (await call("GET", "/audit?limit=1")).json<{ entries: unknown[] }>();
      expect(entries, name).toMatchObject([{ actor: "clumsy", action: `${method} ${path}`, outcome: String(status) }]);
      // Whoever has no token hears of nothing but that, and is not written down.
      expect(await codeOf(await call(method, path, { ...input, token: "" })), name).toBe("auth-required");
      expect(await codeOf(await call(method, path, { ...input, token: "wrong" })), name).toBe("auth-required");
    }
    expect(await (await call("GET", "/audit?limit=1")).json()).toMatchObject({ entries: [{ actor: "clumsy" }] });
  });
});
