// Git over HTTP, request by request, put to the host and to git http-backend: status, headers, body. What is meant to be different
// is named in the table.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer, Host } from "./host.ts";
import { startHostPeer, startPeer, type PeerRepository, type PeerServer } from "./peer.ts";
import { FLUSH, readAdvertisedRefs, readPushAnswer } from "./push-wire.ts";
import { seed, seedRefs } from "./receive-cases.ts";
import { sendRequest, type WireRequest } from "./wire-request.ts";

let host: PeerServer & { readonly host: Host };
let peer: PeerServer;
beforeAll(async () => {
  [host, peer] = await Promise.all([startHostPeer(), startPeer()]);
});
afterAll(async () => {
  await Promise.all([host.stop(), peer.stop()]);
});

const RECEIVE = { "content-type": "application/x-git-receive-pack-request" };
const UPLOAD = { "content-type": "application/x-git-upload-pack-request" };
const receive = "/info/refs?service=git-receive-pack";
const upload = "/info/refs?service=git-upload-pack";
const asks = (version: string): Partial<WireRequest> => ({ headers: { "git-protocol": version } });

type HttpCase = readonly [name: string, path: string, request: Partial<WireRequest>, status?: number];

/** Requests for which the answers are the same, but for the agent and for words about what is wrong. */
const sameCases: readonly HttpCase[] = [
  ["the refs for a push", receive, {}],
  ["the refs for a push in version 1", receive, asks("version=1")],
  ["the refs for a push in version 1 of several", receive, asks("version=0:version=1")],
  ["the refs for a push in no version that is known", receive, asks("version=9")],
  ["the refs for a push with other keys", receive, asks("hello:world=1")],
  ["the refs for a fetch", upload, {}],
  ["the refs for a fetch in version 1", upload, asks("version=1")],
  ["the refs for a push with other parameters", "/info/refs?a=b&service=git-receive-pack&c=d", {}],
  ["the refs for a push, its name encoded", "/info/refs?service=git%2Dreceive%2Dpack", {}],
  ["only the head of the refs", receive, { method: "HEAD" }],
  ["an unknown service", "/info/refs?service=git-foo", {}],
  ["no service's name", "/info/refs?service=", {}],
  ["git-upload-archive", "/info/refs?service=git-upload-archive", {}],
  ["POST to the refs", receive, { method: "POST", body: FLUSH }],
  ["PUT to the refs", receive, { method: "PUT", body: FLUSH }],
  ["DELETE of the refs", receive, { method: "DELETE" }],
  ["OPTIONS of the refs", receive, { method: "OPTIONS" }],
  ["GET of the push service", "/git-receive-pack", { method: "GET" }],
  ["HEAD of the push service", "/git-receive-pack", { method: "HEAD" }],
  ["PUT to the push service", "/git-receive-pack", { method: "PUT", body: FLUSH, headers: RECEIVE }],
  ["GET of the fetch service", "/git-upload-pack", { method: "GET" }],
  ["POST to an unknown service", "/git-foo", { body: FLUSH, headers: RECEIVE }],
  ["POST to git-upload-archive", "/git-upload-archive", { body: FLUSH, headers: RECEIVE }],
  ["a file that is not the protocol's", "/config", {}],
  ["a push of another content type", "/git-receive-pack", { body: FLUSH, headers: { "content-type": "text/plain" } }],
  ["a push of a fetch's content type", "/git-receive-pack", { body: FLUSH, headers: UPLOAD }],
  ["a push without a content type", "/git-receive-pack", { body: FLUSH }],
  ["a fetch of a push's content type", "/git-upload-pack", { body: FLUSH, headers: RECEIVE }],
  ["a probe", "/git-receive-pack", { body: FLUSH, headers: RECEIVE }],
  ["a probe in version 1", "/git-receive-pack", { body: FLUSH, headers: { ...RECEIVE, "git-protocol": "version=1" } }],
  ["a probe in version 2", "/git-receive-pack", { body: FLUSH, headers: { ...RECEIVE, "git-protocol": "version=2" } }],
  ["a probe of the fetch service", "/git-upload-pack", { body: FLUSH, headers: UPLOAD }],
  [
    "a compressed probe",
    "/git-receive-pack",
    { body: gzipSync(FLUSH), headers: { ...RECEIVE, "content-encoding": "gzip" } },
  ],
];

/** What stands for itself in an answer. */
function essence({ status, headers, text: body }: Answer) {
  const names = status === 200 ? ["content-type", "expires", "pragma", "cache-control"] : ["allow"];
  return {
    status,
    headers: names.map((name) => [name, headers[name]]),
    // A longer agent makes a longer packet.
    body: status === 200 ? body.replace(/[0-9a-f]{4}(?=[0-9a-f]{40} \S+\0)/, "").replace(/agent=\S+/, "agent") : "",
  };
}

async function seeded(server: PeerServer): Promise<PeerRepository> {
  const repository = await server.createRepository();
  await repository.send("/git-receive-pack", { body: seed, headers: RECEIVE });
  return repository;
}

describe("a request", () => {
  it("is answered as git http-backend does", async () => {
    const [ours, gits] = await Promise.all([seeded(host), seeded(peer)]);
    for (const [name, path, request] of sameCases) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time, so that a fault has a name
      const answers = await Promise.all([ours.send(path, request), gits.send(path, request)]);
      expect(essence(answers[0]), name).toEqual(essence(answers[1]));
    }
  });

  it("for the refs of an empty repository is answered as git http-backend does", async () => {
    const [ours, gits] = await Promise.all([host.createRepository(), peer.createRepository()]);
    const versions = [undefined, "version=1"];
    for (const version of versions) {
      const request = version === undefined ? {} : asks(version);
      // oxlint-disable-next-line no-await-in-loop -- as above
      const answers = await Promise.all([ours.send(receive, request), gits.send(receive, request)]);
      expect(essence(answers[0])).toEqual(essence(answers[1]));
    }
  });

  it("for version 2 of a push gets version 0, with the line that names the service, which git leaves out", async () => {
    const repository = await seeded(host);
    const [asked, plain] = await Promise.all([repository.send(receive, asks("version=2")), repository.send(receive)]);
    expect(asked).toMatchObject({ status: 200, text: plain.text });
    expect(plain.text).toMatch(/^001f# service=git-receive-pack\n0000/);
  });

  it("in the dumb protocol is refused", async () => {
    const repository = await seeded(host);
    const paths = ["/info/refs", "/HEAD", "/objects/info/packs", ""];
    const answers = await Promise.all(paths.map((path) => repository.send(path)));
    expect(answers.map(({ status }) => status)).toEqual([403, 404, 404, 404]);
  });
});

describe("a request without the token", () => {
  const authorization = "Basic eDp3cm9uZw==";

  it.each<[string, string, Partial<WireRequest>]>([
    ["for refs", receive, {}],
    ["for refs of a fetch", upload, {}],
    ["for an unknown service", "/info/refs?service=git-foo", {}],
    ["with a wrong one", receive, { headers: { authorization } }],
    ["with no Basic credentials", receive, { headers: { authorization: "Basic !" } }],
    ["to push", "/git-receive-pack", { body: seed, headers: RECEIVE }],
    ["to push another content type", "/git-receive-pack", { body: seed, headers: { "content-type": "text/plain" } }],
    ["to probe", "/git-receive-pack", { body: FLUSH, headers: RECEIVE }],
    ["to push garbage", "/git-receive-pack", { body: Buffer.from("zzzz"), headers: RECEIVE }],
    [
      "to push 10 MB in chunks",
      "/git-receive-pack",
      { body: Buffer.alloc(10_000_000), chunkBytes: 60_000, headers: RECEIVE },
    ],
    ["to push once it may go on", "/git-receive-pack", { body: seed, headers: { ...RECEIVE, expect: "100-continue" } }],
  ])("%s is challenged, whether or not the repository is there", async (_, path, request) => {
    const { url } = await seeded(host);
    const there = `${host.host.url}${new URL(url).pathname}`;
    const answers = await Promise.all(
      [there, `${host.host.url}/nothing-here.git`, `${host.host.url}/No_Name.git`].map((repository) =>
        sendRequest(repository + path, request),
      ),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 401, text: expect.not.stringContaining("refs/") });
      expect(answer.headers["www-authenticate"]).toMatch(/^Basic realm=/);
    }
  });
});

describe("the body of a push", () => {
  const bodies: readonly [string, Partial<WireRequest>][] = [
    ["with a length", { body: seed }],
    ["in chunks", { body: seed, chunkBytes: 100 }],
    ["in chunks of one byte", { body: seed, chunkBytes: 1 }],
    ["compressed", { body: gzipSync(seed), headers: { "content-encoding": "gzip" } }],
    ["compressed, in chunks", { body: gzipSync(seed), chunkBytes: 50, headers: { "content-encoding": "gzip" } }],
    ["compressed under the older name", { body: gzipSync(seed), headers: { "content-encoding": "x-gzip" } }],
    ["after it may go on", { body: seed, headers: { expect: "100-continue" } }],
    ["in chunks after it may go on", { body: seed, chunkBytes: 100, headers: { expect: "100-continue" } }],
  ];

  it.each(bodies)("may come %s", async (_, request) => {
    const outcomes = await Promise.all(
      [host, peer].map(async (server) => {
        const repository = await server.createRepository();
        const answer = await repository.send("/git-receive-pack", {
          ...request,
          headers: { ...RECEIVE, ...request.headers },
        });
        const { unpack, refs } = readPushAnswer(answer.text, true);
        const advertised = await repository.send(receive);
        return { status: answer.status, unpack, refs, after: readAdvertisedRefs(advertised.text) };
      }),
    );
    expect(outcomes[0]).toMatchObject({ status: 200, unpack: "ok", after: seedRefs });
    expect(outcomes[0]).toEqual(outcomes[1]);
  });

  it.each<[string, Uint8Array, string]>([
    ["is cut off while it is compressed", gzipSync(seed).subarray(0, 100), "gzip"],
    ["is not compressed though it says so", seed, "gzip"],
    ["is compressed in another way", seed, "br"],
  ])("that %s is the client's fault", async (_, body, encoding) => {
    const repository = await host.createRepository();
    const answer = await repository.send("/git-receive-pack", {
      body,
      headers: { ...RECEIVE, "content-encoding": encoding },
    });
    expect([400, 415]).toContain(answer.status);
    expect(readAdvertisedRefs((await repository.send(receive)).text)["refs/heads/main"]).toBeUndefined();
  });

  it.each([10, 60, 200, 400, 500])("that breaks off after %i bytes changes nothing", async (sentBytes) => {
    const repository = await host.createRepository();
    const { port, pathname, username, password } = new URL(repository.url);
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    socket.on("error", () => undefined);
    const lines = [
      `POST ${pathname}/git-receive-pack HTTP/1.1`,
      `Host: localhost:${port}`,
      `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`,
      `Content-Type: ${RECEIVE["content-type"]}`,
      `Content-Length: ${seed.byteLength}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    socket.end(seed.subarray(0, sentBytes));
    await text(socket).catch(() => "");
    expect(readAdvertisedRefs((await repository.send(receive)).text)["refs/heads/main"]).toBeUndefined();
    const again = await repository.send("/git-receive-pack", { body: seed, headers: RECEIVE });
    expect(readPushAnswer(again.text, true).unpack).toBe("ok");
  });
});

describe("a connection", () => {
  it("serves the next request after each that was refused", async () => {
    const { url } = await seeded(host);
    const { port, pathname } = new URL(url);
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      const isLast = round === rounds - 1;
      const head = [
        `POST ${pathname}/git-receive-pack HTTP/1.1`,
        `Host: localhost:${port}`,
        `Content-Length: ${seed.byteLength}`,
      ];
      socket.write(`${[...head, `Connection: ${isLast ? "close" : "keep-alive"}`].join("\r\n")}\r\n\r\n`);
      socket.write(seed);
    }
    const answers = await text(socket);
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(Array.from({ length: rounds }, () => "HTTP/1.1 401"));
  });

  it("logs no fault of the host's own", () => {
    expect(host.host.logs()).not.toMatch(/(request|push) [0-9a-f-]{36} (to \S+ )?failed/);
  });
});
