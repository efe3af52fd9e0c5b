import { describe, expect, it } from "vitest";
import { hasHashedName } from "../src/push-assets.ts";

describe("hasHashedName", () => {
  it.each([
    "/a/app-3f9a1c7e.js",
    "/app.3f9a1c7e42.css",
    "/app-ABCD2345.js",
    "/app-3f9a1c7e.js.map",
    "/x-0123456789abcdef.woff2",
  ])("sees the hash in %s", (path) => expect(hasHashedName(path)).toBe(true));
  it.each([
    "/index.html",
    "/my-component.js",
    "/photo-20240101.jpg",
    "/feedbeef-cafe.js",
    "/app-deadbeef.js",
    "/README-TEMPLATE.md",
    "/app-3f9a1c7.js",
    "/3f9a1c7e.js",
    "/app-3f9a1c7e/index.html",
  ])("sees none in %s", (path) => expect(hasHashedName(path)).toBe(false));
});
