import { describe, expect, it } from "vitest";
import { type AssetFiles, matchAsset } from "../../src/app/assets-match.ts";
import type { AssetFile, AssetServing } from "../../src/store/assets.ts";
import { testId } from "./deployment.ts";

/** Files of these paths, each with a content of its own. */
function filesOf(paths: readonly string[]): AssetFiles {
  const files = paths.map((path, number): [string, AssetFile] => [
    path,
    { path, blobId: testId(number + 1), sizeBytes: 1, isHashed: false, objectId: "o", offset: number },
  ]);
  return new Map(files);
}

/** "/file" where it is served, "-> /to" where it is redirected, "404 /file", or "none". */
function outcomeOf(
  paths: readonly string[],
  path: string,
  html: AssetServing["htmlHandling"],
  notFoundHandling: AssetServing["notFoundHandling"] = "none",
): string {
  const match = matchAsset(filesOf(paths), { htmlHandling: html, notFoundHandling }, path);
  if (match.kind === "none") return "none";
  if (match.kind === "redirect") return `-> ${match.to}`;
  return match.status === 404 ? `404 ${match.file.path}` : match.file.path;
}

const SITE = ["/index.html", "/page.html", "/folder/index.html", "/both.html", "/both/index.html", "/logo.png", "/bin"];

describe("html_handling", () => {
  const cases: readonly (readonly [path: string, auto: string, force: string, drop: string, none: string])[] = [
    ["/", "/index.html", "/index.html", "/index.html", "none"],
    ["/index.html", "-> /", "-> /", "-> /", "/index.html"],
    ["/index", "-> /", "-> /", "-> /", "none"],
    ["/page", "/page.html", "-> /page/", "/page.html", "none"],
    ["/page/", "-> /page", "/page.html", "-> /page", "none"],
    ["/page.html", "-> /page", "-> /page/", "-> /page", "/page.html"],
    ["/page/index", "-> /page", "-> /page/", "-> /page", "none"],
    ["/page/index.html", "-> /page", "-> /page/", "-> /page", "none"],
    ["/folder", "-> /folder/", "-> /folder/", "/folder/index.html", "none"],
    ["/folder/", "/folder/index.html", "/folder/index.html", "-> /folder", "none"],
    ["/folder/index", "-> /folder/", "-> /folder/", "-> /folder", "none"],
    ["/folder/index.html", "-> /folder/", "-> /folder/", "-> /folder", "/folder/index.html"],
    ["/folder.html", "-> /folder/", "-> /folder/", "-> /folder", "none"],
    ["/both", "/both.html", "-> /both/", "/both.html", "none"],
    ["/both/", "/both/index.html", "/both/index.html", "-> /both", "none"],
    ["/both.html", "-> /both", "/both.html", "-> /both", "/both.html"],
    ["/both/index.html", "-> /both/", "-> /both/", "/both/index.html", "/both/index.html"],
    ["/logo.png", "/logo.png", "/logo.png", "/logo.png", "/logo.png"],
    ["/logo.png/", "none", "none", "none", "none"],
    ["/bin", "/bin", "/bin", "/bin", "/bin"],
    ["/nowhere", "none", "none", "none", "none"],
  ];
  it.each(cases)("%s", (path, ...expected) => {
    expect([
      outcomeOf(SITE, path, "auto-trailing-slash"),
      outcomeOf(SITE, path, "force-trailing-slash"),
      outcomeOf(SITE, path, "drop-trailing-slash"),
      outcomeOf(SITE, path, "none"),
    ]).toEqual(expected);
  });
});

describe("not_found_handling", () => {
  const site = ["/index.html", "/404.html", "/blog/404.html", "/blog/post.html"];
  it.each([
    ["/x", "404 /404.html"],
    ["/blog/x", "404 /blog/404.html"],
    ["/blog/deep/er/x", "404 /blog/404.html"],
    ["/blogs/x", "404 /404.html"],
    ["/blog/post", "/blog/post.html"],
  ])("404-page: %s", (path, expected) => {
    expect(outcomeOf(site, path, "auto-trailing-slash", "404-page")).toBe(expected);
  });

  it("single-page-application: everything else is the one page", () => {
    expect(outcomeOf(site, "/any/@where", "auto-trailing-slash", "single-page-application")).toBe("/index.html");
    expect(outcomeOf(site, "/blog/post", "auto-trailing-slash", "single-page-application")).toBe("/blog/post.html");
    expect(outcomeOf(["/a"], "/b", "none", "single-page-application")).toBe("none");
    expect(outcomeOf(["/a"], "/b", "none", "404-page")).toBe("none");
  });
});

describe("a path", () => {
  const site = ["/a.txt", "/ü b.txt", "/[x].txt", "/%5Bx%5D", "/d/e.txt", "/A.TXT", "/evil.example/index.html"];
  it.each([
    ["/a.txt", "/a.txt"],
    ["/A.TXT", "/A.TXT"],
    ["/A.txt", "none"],
    ["/%61.txt", "-> /a.txt"],
    ["/%C3%BC%20b.txt", "/ü b.txt"],
    ["/%c3%bc%20b.txt", "-> /%C3%BC%20b.txt"],
    ["/[x].txt", "-> /%5Bx%5D.txt"],
    ["/%5Bx%5D.txt", "/[x].txt"],
    ["/%255Bx%255D", "/%5Bx%5D"],
    ["//a.txt", "-> /a.txt"],
    ["/d//e.txt", "-> /d/e.txt"],
    ["/d%2Fe.txt", "-> /d/e.txt"],
    ["//evil.example/", "-> /evil.example/"],
    ["//evil.example", "-> /evil.example/"],
    ["/%2F%2Fevil.example", "-> /evil.example/"],
    ["/%5C%5Cevil.example", "none"],
    ["/..%2Fa.txt", "none"],
    ["/d/..%2f..%2f..%2fa.txt", "none"],
    ["/a.txt%00", "none"],
    ["/a.txt%00.html", "none"],
    ["/%zz", "none"],
    ["/%", "none"],
    ["/constructor", "none"],
    ["/__proto__", "none"],
  ])("%s", (path, expected) => {
    expect(outcomeOf(site, path, "auto-trailing-slash")).toBe(expected);
  });
});
