import { describe, expect, it } from "vitest";
import { appUrl, readOrigin } from "../../src/http/host-name.ts";

describe("readOrigin", () => {
  it.each([
    ["http://localhost:8787/", { kind: "host" }],
    ["http://127.0.0.1:8787/", { kind: "host" }],
    ["http://[::1]:8787/", { kind: "host" }],
    ["http://hello.localhost:8787/x", { kind: "app", label: "hello" }],
    ["http://HELLO.LOCALHOST/", { kind: "app", label: "hello" }],
    ["http://hello.localhost./x", { kind: "app", label: "hello" }],
    ["http://localhost./", { kind: "host" }],
    ["http://a.b.localhost/", { kind: "app", label: "a.b" }],
    ["http://notlocalhost/", { kind: "host" }],
  ])("of %s", (url, expected) => {
    expect(readOrigin(new URL(url), "localhost")).toEqual(expected);
  });
});

describe("appUrl", () => {
  it("keeps scheme and port", () => {
    expect(appUrl(new URL("http://localhost:8787/x.git"), "localhost", "x")).toBe("http://x.localhost:8787/");
    expect(appUrl(new URL("https://ship.example/x.git"), "ship.example", "x")).toBe("https://x.ship.example/");
  });
});
