import { describe, expect, it } from "vitest";
import { clientKey } from "../../src/http/client.ts";

describe("clientKey", () => {
  it.each([
    ["an IPv4 address", "192.0.2.1", "192.0.2.1"],
    ["a whole IPv6 address", "2001:0db8:0000:0001:1:2:3:4", "2001:db8:0:1"],
    ["a shortened IPv6 address", "2001:DB8::1", "2001:db8:0:0"],
    ["the loopback", "::1", "0:0:0:0"],
    ["one that ends in zeros", "2001:db8:a:b::", "2001:db8:a:b"],
  ])("counts %s by its network", (_name, address, key) => {
    expect(clientKey(new Request("http://localhost/", { headers: { "cf-connecting-ip": address } }))).toBe(key);
  });

  it("knows the machine itself", () => {
    expect(clientKey(new Request("http://localhost/"))).toBe("local");
  });
});
