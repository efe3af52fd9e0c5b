import { describe, expect, it } from "vitest";
import { readHeaderRules, readRedirectRules } from "../../build/assets-rules.ts";

const redirects = (text: string, hasHtmlHandling = true): string[] =>
  readRedirectRules("_redirects", text, hasHtmlHandling).rules.map(
    ({ from, to, status, isStatic }) => `${from} ${to} ${status}${isStatic ? "" : " dynamic"}`,
  );
const redirectWarnings = (text: string): string[] =>
  readRedirectRules("_redirects", text, true).warnings.map(
    ({ text: sentence, location }) => `${location?.line}:${location?.column} ${sentence}`,
  );

describe("readRedirectRules", () => {
  it("reads from, to and status, comments and blank lines", () => {
    expect(redirects("\n# comment\n/a /b\r\n  /c https://x.example/d?e=1#f 301 # why\n/e /f#g 308\n")).toEqual([
      "/a /b 302",
      "/c https://x.example/d?e=1#f 301",
      "/e /f#g 308",
    ]);
  });

  it("takes an exact rule behind one with a splat in its order", () => {
    expect(redirects("/a /b\n/x/* /y/:splat 200\n/c /d\n/blog/:id /post/:id 303")).toEqual([
      "/a /b 302",
      "/x/* /y/:splat 200 dynamic",
      "/c /d 302 dynamic",
      "/blog/:id /post/:id 303 dynamic",
    ]);
  });

  it("writes what it is for as a URL does, and never leads to another host by slashes", () => {
    expect(redirects("/ä b\n/ü//x /y?q\n/evil //evil.example/x")).toEqual([
      "/%C3%BC//x /y?q 302",
      "/evil /evil.example/x 302",
    ]);
  });

  const wrong: readonly [string, string][] = [
    ["/only", "1:1 This rule is left out: a redirect is two words"],
    ["/a /b 302 more", "two words"],
    ["\n  https://x.example/a /b", "2:3 This rule is left out: it must begin with a path"],
    ["/a /b 404", "status is 404"],
    ["/a b", "must be a path"],
    ["/a http://x.example", "or an https URL"],
    ["/a https://x.example 200", "must be a path"],
    ["/* /index.html 200", "lead back to itself"],
    ["/ /index 302", "lead back to itself"],
    ["/a /b\n/a /c", "2:1 This rule is left out: /a has one already"],
    [`/${"a".repeat(2000)} /b`, "more than 2000 characters"],
  ];
  it.each(wrong)("leaves %j out", (text, warning) => {
    expect(redirectWarnings(text).join()).toContain(warning);
  });

  it("stops at the limits", () => {
    const exact = Array.from({ length: 2001 }, (_, n) => `/e${n} /x`).join("\n");
    expect([redirects(exact).length, redirectWarnings(exact)[0]]).toEqual([2000, expect.stringContaining("2001:1")]);
    const splats = Array.from({ length: 150 }, (_, n) => `/s${n}/* /x`).join("\n");
    expect([redirects(splats).length, redirectWarnings(splats)]).toEqual([100, [expect.stringContaining("101:1")]]);
    expect(redirectWarnings("x\n".repeat(1000)).length).toBe(20);
  });
});

describe("readHeaderRules", () => {
  it("reads blocks of headers, those to take away, and hosts", () => {
    const { rules, warnings } = readHeaderRules(
      "_headers",
      "# all\n/*\n  X-Frame-Options: DENY\n  X-Robots-Tag: noindex\n\n/secure/:page\n ! Cache-Control\n Link: </a:b>\nhttps://:sub.x.example/*\n  A: 1\n",
    );
    expect(warnings).toEqual([]);
    expect(rules).toEqual([
      {
        from: "/*",
        set: [
          ["x-frame-options", "DENY"],
          ["x-robots-tag", "noindex"],
        ],
        unset: [],
      },
      { from: "/secure/:page", set: [["link", "</a:b>"]], unset: ["cache-control"] },
      { from: "https://:sub.x.example/*", set: [["a", "1"]], unset: [] },
    ]);
  });

  const wrong: readonly [string, string][] = [
    ["X: 1", "1 This header is left out: no path"],
    ["/a\n/b\n x: 1", "1 This path is left out: no headers"],
    ["/a\n nothing", `2 This line is left out: a header is written`],
    ["/a\n x:", "2 This header is left out: it has no value"],
    ["/a\n b c: 1", `"b c" is no name`],
    ["/a\n x: a\u0001b", "control characters"],
    ["http://x.example/a\n x: 1", "must begin with https://"],
    ["https://x.example:80/a\n x: 1", "names a port"],
  ];
  it.each(wrong)("leaves out of %j what cannot be read", (text, warning) => {
    const { warnings } = readHeaderRules("_headers", text);
    expect(warnings.map((each) => `${each.location?.line} ${each.text}`).join()).toContain(warning);
  });
});
