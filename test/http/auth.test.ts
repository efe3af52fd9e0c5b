import { env as bindings } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { authenticate } from "../../src/http/auth.ts";
import { createHost, type Host } from "../../src/push-host.ts";

const env: Env = { ...bindings, ADMIN_TOKEN: "secret-token" };
const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`;

const from = (address: string, token: string) => ({
  "cf-connecting-ip": address,
  authorization: `Bearer ${token}`,
});

async function codeOf(headers: Record<string, string>, on: Host = createHost(env)): Promise<string> {
  try {
    await authenticate(new Request("http://localhost:8787/api/v1/apps", { headers }), on);
    return "admitted";
  } catch (error) {
    if (error instanceof HostingError) return error.code;
    throw error;
  }
}

describe("authenticate", () => {
  it.each([
    ["Basic with any user name", basic("anyone", "secret-token"), "admitted"],
    ["Basic with an empty user name", basic("", "secret-token"), "admitted"],
    ["Bearer", "Bearer secret-token", "admitted"],
    ["a scheme in lower case", "bearer secret-token", "admitted"],
    ["the token as a user name", basic("secret-token", ""), "auth-required"],
    ["another token", "Bearer secret-tokem", "auth-required"],
    ["a longer token", "Bearer secret-token2", "auth-required"],
    ["an empty token", "Bearer ", "auth-required"],
    ["Basic without a colon", `Basic ${btoa("secret-token")}`, "auth-required"],
    ["another scheme", "Digest secret-token", "auth-required"],
  ])("%s", async (_name, authorization, expected) => {
    expect(await codeOf({ authorization })).toBe(expected);
  });

  it("refuses a request without credentials", async () => {
    expect(await codeOf({})).toBe("auth-required");
  });

  it.each([
    ["an app's page", { origin: "http://hello.localhost:8787" }, "auth-forbidden"],
    ["a sandboxed page", { origin: "null" }, "auth-forbidden"],
    ["a request marked same-site", { "sec-fetch-site": "same-site" }, "auth-forbidden"],
    ["a request marked cross-site", { "sec-fetch-site": "cross-site" }, "auth-forbidden"],
    ["the host's own page", { origin: "http://localhost:8787", "sec-fetch-site": "same-origin" }, "admitted"],
  ])("judges %s by its origin", async (_name, headers, expected) => {
    expect(await codeOf({ authorization: "Bearer secret-token", ...headers })).toBe(expected);
  });

  it("is closed where no token is set", async () => {
    const on = createHost({ ...env, ADMIN_TOKEN: "" });
    expect(await codeOf({ authorization: "Bearer " }, on)).toBe("host-not-configured");
  });

  it("looks at no further token of an address that guesses, but at one that was right there before", async () => {
    const on = createHost(env);
    expect(await codeOf(from("192.0.2.1", "secret-token"), on)).toBe("admitted");
    const guesses = [];
    for (let i = 0; i < 40; i++) guesses.push(await codeOf(from("192.0.2.1", `guess-${i}`), on));
    expect(guesses[0]).toBe("auth-required");
    expect(guesses.at(-1)).toBe("rate-limited");
    expect(await codeOf(from("192.0.2.1", "secret-token"), on)).toBe("admitted");
    for (let i = 0; i < 40; i++) await codeOf(from("2001:db8::1", `guess-${i}`), on);
    expect(await codeOf(from("2001:db8::2", "secret-token"), on)).toBe("rate-limited");
    expect(await codeOf(from("2001:db8:0:1::1", "secret-token"), on)).toBe("admitted");
  });

  it("limits requests without a token, and says when to come back", async () => {
    const on = createHost(env);
    const headers = { "cf-connecting-ip": "192.0.2.9" };
    let refusal: unknown;
    for (let i = 0; i < 1300; i++)
      await authenticate(new Request("http://localhost/", { headers }), on).catch(
        (error: unknown) => (refusal = error),
      );
    expect(refusal).toMatchObject({ code: "rate-limited", retryAfterS: 1 });
    expect(await codeOf({ "cf-connecting-ip": "192.0.2.9", authorization: "Bearer secret-token" }, on)).toBe(
      "admitted",
    );
  });
});
