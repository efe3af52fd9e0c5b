import { describe, expect, it } from "vitest";
import { decideEgress, formatEgressRule, parseEgressRule, type EgressRule } from "../../src/app/egress-policy.ts";

function rulesOf(...texts: readonly string[]): EgressRule[] {
  return texts.map((text) => {
    const rule = parseEgressRule(text);
    if (rule === undefined) throw new Error(`${text} is no rule.`);
    return rule;
  });
}

function decide(url: string, ...rules: readonly string[]): string {
  return decideEgress(new URL(url), { rules: rulesOf(...rules), ownHost: "apps.example.org" }).kind;
}

describe("parseEgressRule", () => {
  it.each([
    ["api.example.com", "api.example.com"],
    ["API.Example.com.", "api.example.com"],
    ["*.example.com", "*.example.com"],
    ["*", "*"],
    ["api.example.com:8443", "api.example.com:8443"],
    ["*:443", "*:443"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["[2606:4700::1]:443", "[2606:4700::1]:443"],
    ["1.1.1.1", "1.1.1.1"],
  ])("takes %s as %s", (text, expected) => {
    const rule = parseEgressRule(text);
    expect(rule && formatEgressRule(rule)).toBe(expected);
  });

  it.each([
    [""],
    ["https://api.example.com"],
    ["api.example.com/path"],
    ["user@api.example.com"],
    ["api.*.com"],
    ["*api.example.com"],
    ["*.*"],
    ["*.1.1.1.1"],
    ["api.example.com:0"],
    ["api.example.com:65536"],
    ["a b"],
    ["%61.example.com"],
  ])("refuses %j", (text) => {
    expect(parseEgressRule(text)).toBeUndefined();
  });
});

describe("decideEgress", () => {
  it.each([
    ["https://api.example.com/x", ["api.example.com"]],
    ["https://API.example.com./x", ["api.example.com"]],
    ["https://a.b.example.com/", ["*.example.com"]],
    ["https://anything.example/", ["*"]],
    ["https://api.example.com:8443/", ["api.example.com"]],
    ["https://api.example.com/", ["api.example.com:443"]],
    ["http://api.example.com/", ["api.example.com:80"]],
    ["wss://api.example.com/", ["api.example.com:443"]],
    ["https://1.1.1.1/", ["1.1.1.1"]],
    ["https://[2606:4700:4700::1111]/", ["*"]],
  ])("allows %s by %j", (url, rules) => {
    expect(decide(url, ...rules)).toBe("allowed");
  });

  it.each([
    ["https://api.example.com/", []],
    ["https://example.com/", ["*.example.com"]],
    ["https://evilexample.com/", ["*.example.com"]],
    ["https://api.example.com.evil.net/", ["api.example.com"]],
    ["https://api.example.com@evil.net/", ["api.example.com"]],
    ["https://api.example.com:8443/", ["api.example.com:443"]],
    ["https://1.1.1.1.evil.net/", ["1.1.1.1"]],
  ])("refuses %s with %j", (url, rules) => {
    expect(decide(url, ...rules)).toBe("refused");
  });

  it.each([
    ["http://127.0.0.1/"],
    ["http://127.1/"],
    ["http://2130706433/"],
    ["http://0x7f000001/"],
    ["http://0177.0.0.1/"],
    ["http://127.0.0.1./"],
    ["http://１２７.0.0.1/"],
    ["http://①②⑦.0.0.1/"],
    ["http://0/"],
    ["http://10.1.2.3/"],
    ["http://100.64.0.1/"],
    ["http://169.254.169.254/latest/meta-data"],
    ["http://172.31.255.255/"],
    ["http://192.168.0.1/"],
    ["http://198.19.0.1/"],
    ["http://224.0.0.1/"],
    ["http://255.255.255.255/"],
    ["http://[::1]/"],
    ["http://[::]/"],
    ["http://[::ffff:127.0.0.1]/"],
    ["http://[::ffff:8.8.8.8]/"],
    ["http://[::7f00:1]/"],
    ["http://[64:ff9b::7f00:1]/"],
    ["http://[2002:7f00:1::]/"],
    ["http://[2001:0:1::]/"],
    ["http://[fe80::1]/"],
    ["http://[fd00::1]/"],
    ["http://[ff02::1]/"],
    ["http://[2001:db8::1]/"],
    ["http://localhost/"],
    ["http://LOCALHOST./"],
    ["http://app.localhost:8787/"],
    ["http://printer.local/"],
    ["http://metadata.google.internal/"],
    ["http://intranet/"],
    ["http://router.home.arpa/"],
    ["https://apps.example.org/api/v1/apps"],
    ["https://other.apps.example.org/"],
    ["https://OTHER.apps.example.org./"],
    ["https://user:pw@apps.example.org/"],
  ])("refuses %s whatever the list says", (url) => {
    expect(decide(url, "*", "localhost", "127.0.0.1", "*.localhost", "*.apps.example.org")).toBe("refused");
  });

  it("refuses what is not HTTP", () => {
    expect(decide("ftp://api.example.com/", "*")).toBe("refused");
  });
});
