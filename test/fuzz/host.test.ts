/// <reference types="@cloudflare/vitest-pool-workers/types" />
import { SELF } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { beforeAll, expect } from "vitest";
import { type TinyObject, makeBlob, makeCommit, makeTag, makeTree } from "../git/tiny-repository.ts";
import { wire } from "../git/wire.ts";
import { applyEdits, chunkSizes, edits, nearly, streamOfChunks } from "./mutation.ts";
import { changes, encodePack, packOf, storings } from "./pack-spec.ts";
import { holds } from "./property.ts";
import { commandRequests, updateRequests, uploadRequests } from "./requests.ts";

const ORIGIN = "http://localhost";
const OWNER = `Basic ${Buffer.from(`x:${env.ADMIN_TOKEN}`).toString("base64")}`;

const file = makeBlob("a line\n".repeat(30));
const changed = makeBlob(`${"a line\n".repeat(30)}more\n`);
const tree = makeTree({ file });
const first = makeCommit(tree, [], 1000);
const second = makeCommit(makeTree({ file: changed }), [first], 2000);
const tag = makeTag(second, "v1");
const stored: readonly TinyObject[] = [file, changed, tree, makeTree({ file: changed }), first, second, tag];
const ids = stored.map(({ id }) => id as string);
const third = makeCommit(makeTree({ other: file }), [second], 3000);
const sent: readonly TinyObject[] = [makeTree({ other: file }), third, makeBlob("unused")];

beforeAll(async () => {
  await env.SUPERVISOR.getByName("fuzz").createRepository({ deploy: false });
  const lines = [
    `${"0".repeat(40)} ${second.id} refs/heads/main\0report-status`,
    `${"0".repeat(40)} ${tag.id} refs/tags/v1`,
  ];
  const body = Buffer.concat([wire(...lines, "0000"), encodePack(packOf(stored, [], []))]);
  const headers = { authorization: OWNER, "content-type": "application/x-git-receive-pack-request" };
  const response = await SELF.fetch(`${ORIGIN}/fuzz.git/git-receive-pack`, {
    method: "POST",
    headers,
    body,
  });
  expect(await response.text()).toContain("ok refs/heads/main");
});

const push = fc
  .tuple(updateRequests([...ids, third.id]), storings, fc.oneof(fc.constant([]), changes), fc.boolean())
  .map(([head, ways, made, hasPack]) => {
    const spec = made.reduce((so, change) => change(so), packOf(sent, ways, stored));
    return new Uint8Array(Buffer.concat([head, hasPack ? encodePack(spec) : new Uint8Array(0)]));
  });

const path = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("/fuzz.git", "/new/counter/fuzz.git", "/templates/counter.git", "/fuzz-none.git"),
  },
  { weight: 1, arbitrary: fc.webPath().map((text) => `${text}.git`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "/%.git",
      "/%ff.git",
      "//fuzz.git",
      "/fuzz.git/..%2f",
      "/FUZZ.git",
      "/.git",
      "/a%00.git",
    ),
  },
);
const service = fc.constantFrom("git-upload-pack", "git-receive-pack");

/** What a header is: usually what git sends. */
function header(usual: string, ...odd: readonly string[]): fc.Arbitrary<string | undefined> {
  const any = fc.stringMatching(/^[ -~]{0,20}$/);
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom(undefined, ...odd) },
    any,
  );
}

const headers = fc.record({
  authorization: header(OWNER, "Basic", "Bearer", "Basic %%%", "Bearer unit-test-token", "Basic AAAA"),
  "git-protocol": header("version=2", "version=1", "version=2:version=1", "version=99", "a:b:c", ":"),
  "content-encoding": header("", "gzip", "x-gzip", "deflate", "identity", "gzip, gzip"),
  origin: header("", "http://localhost", "null", "http://evil.example"),
  expect: header("", "100-continue"),
});

const request = service.chain((name) =>
  fc.record({
    name: fc.constant(name),
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant("POST") },
      fc.constantFrom("GET", "HEAD", "PUT", "OPTIONS", "DELETE"),
    ),
    path,
    rest: fc.oneof(
      { weight: 8, arbitrary: fc.constant(`/${name}`) },
      { weight: 2, arbitrary: fc.constant(`/info/refs?service=${name}`) },
      { weight: 1, arbitrary: fc.webPath() },
      {
        weight: 1,
        arbitrary: fc.constantFrom("/info/refs", "/info/refs?service=%00", "/HEAD", "/objects/info/packs", ""),
      },
    ),
    headers,
    contentType: header(`application/x-${name}-request`, "text/plain", `application/x-${name}-request; charset=utf-8`),
    body: nearly(name === "git-receive-pack" ? push : fc.oneof(uploadRequests(ids), commandRequests(ids))),
    isZipped: fc.boolean(),
    broken: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: edits }),
    sizes: chunkSizes,
  }),
);

holds(
  "requests to the host",
  10,
  fc.asyncProperty(request, async (asked) => {
    const isGzip = asked.headers["content-encoding"] === "gzip" && asked.isZipped;
    const bytes = isGzip ? applyEdits(gzipSync(asked.body), asked.broken) : asked.body;
    const sentHeaders = new Headers();
    for (const [name, value] of Object.entries({ ...asked.headers, "content-type": asked.contentType })) {
      if (value !== undefined && value !== "") sentHeaders.set(name, value);
    }
    // Where there is nothing to POST to, a body is left unread, which for a stream the runtime logs.
    const isService = asked.method === "POST" && `${asked.path}${asked.rest}` === `/fuzz.git/${asked.name}`;
    const hasBody = asked.method !== "GET" && asked.method !== "HEAD";
    const response = await SELF.fetch(`${ORIGIN}${asked.path}${asked.rest}`, {
      method: asked.method,
      headers: sentHeaders,
      redirect: "manual",
      ...(hasBody ? { body: isService ? streamOfChunks(bytes, asked.sizes) : bytes } : {}),
    });
    const answer = Buffer.from(await response.arrayBuffer()).toString("latin1");
    expect(response.status, answer).toBeLessThan(500);
    expect(answer).not.toContain("internal-error");
    expect(answer).not.toContain("failed to answer");
    expect((await SELF.fetch(`${ORIGIN}/healthz`)).status).toBe(200);
  }),
);
