import { env as bindings } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HostingError } from "../../src/errors.ts";
import { requireOwner } from "../../src/http/auth.ts";

const env: Env = { ...bindings, ADMIN_TOKEN: "secret-token" };
const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`;

function codeOf(headers: Record<string, string>, on: Env = env): string {
  try {
    requireOwner(new Request("http://localhost:8787/api/v1/apps", { headers }), on);
    return "admitted";
  } catch (error) {
    if (error instanceof HostingError) return error.code;
    throw error;
  }
}

describe("requireOwner", () => {
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
  ])("%s", (_name, authorization, expected) => {
    expect(codeOf({ authorization })).toBe(expected);
  });

  it("refuses a request without credentials", () => {
    expect(codeOf({})).toBe("auth-required");
  });

  it.each([
    ["an app's page", { origin: "http://hello.localhost:8787" }, "auth-forbidden"],
    ["a sandboxed page", { origin: "null" }, "auth-forbidden"],
    ["a request marked same-site", { "sec-fetch-site": "same-site" }, "auth-forbidden"],
    ["a request marked cross-site", { "sec-fetch-site": "cross-site" }, "auth-forbidden"],
    ["the host's own page", { origin: "http://localhost:8787", "sec-fetch-site": "same-origin" }, "admitted"],
  ])("judges %s by its origin", (_name, headers, expected) => {
    expect(codeOf({ authorization: "Bearer secret-token", ...headers })).toBe(expected);
  });

  it("is closed where no token is set", () => {
    expect(codeOf({ authorization: "Bearer " }, { ...env, ADMIN_TOKEN: "" })).toBe("host-not-configured");
  });
});
