import { describe, expect, it } from "vitest";
import { hasHashedName } from "../src/push-assets.ts";

describe("hasHashedName", () => {
  it.each([
    "/a/app-3f9a1c7e.js",
    "/app.3f9a1c7e42.css",
    "/app-ABCD2345.js",
    "/app-3f9a1c7e.js.map",
    "/x-0123456789abcdef.woff2",
    "/assets/index-BxYz12aB.js",
    "/assets/index-DqbRGcVX.css",
    "/assets/index-_hQb2kX1.js",
    "/assets/index.BxYz12aB.js.map",
    "/chunk-QWRTPSDF.js",
  ])("sees the hash in %s", (path) => expect(hasHashedName(path)).toBe(true));
  it.each([
    "/index.html",
    "/my-document.js",
    "/app-settings.css",
    "/use-MyButton.js",
    "/use-MyAbcXyz.js",
    "/use-HTMLView.js",
    "/use-MyUIView.js",
    "/use-Html5Doc.js",
    "/use-iOS17App.js",
    "/use-Icon2024.js",
    "/use-Web3App2.js",
    "/use-STRENGTH.js",
    "/use-ANGSTROM.js",
    "/the-Settings.js",
    "/a-Version2.js",
    "/photo-IMG_2024.jpg",
    "/READ-DOCUMENT.md",
    "/icon-192x192.png",
    "/lib-20240131.js",
    "/-BxYz12aB.js",
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
