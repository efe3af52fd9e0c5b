// Pushes made by hand, each put to the host and to git http-backend: what one takes the other takes, what one refuses the other
// refuses, and the refs are the same afterwards. Differences that are meant are named in receive-cases.ts.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHostPeer, startPeer, type PeerRepository, type PeerServer } from "./peer.ts";
import { ZERO, readAdvertisedRefs, readPushAnswer, type PushAnswer } from "./push-wire.ts";
import { forwardCases, receiveCases, seed, seedRefs, type ReceiveCase } from "./receive-cases.ts";

let host: PeerServer;
let peer: PeerServer;
beforeAll(async () => {
  [host, peer] = await Promise.all([startHostPeer(), startPeer()]);
});
afterAll(async () => {
  await Promise.all([host.stop(), peer.stop()]);
});

interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly answer: PushAnswer;
  /** Ids by name. */
  readonly refs: Readonly<Record<string, string>>;
}

const HEADERS = { "content-type": "application/x-git-receive-pack-request" };

async function put(
  server: PeerServer,
  { body, hasSideBand }: ReceiveCase,
  prepare?: (at: PeerRepository) => Promise<void>,
) {
  const repository = await server.createRepository();
  const seeded = await repository.send("/git-receive-pack", { body: seed, headers: HEADERS });
  expect(seeded.status, seeded.text).toBe(200);
  await prepare?.(repository);
  const { status, text } = await repository.send("/git-receive-pack", { method: "POST", body, headers: HEADERS });
  const advertised = await repository.send("/info/refs?service=git-receive-pack");
  const answer = readPushAnswer(status === 200 ? text : "", hasSideBand);
  return { status, text, answer, refs: readAdvertisedRefs(advertised.text) } satisfies Outcome;
}

/** What git says behind "ng", and what the host's reason has in it then. */
const WORDS: readonly (readonly [git: string, host: RegExp])[] = [
  ["funny refname", /^ref-invalid: funny refname/],
  ["failed to update ref", /^ref-[a-z]+: failed to update ref/],
  ["deletion of the current branch prohibited", /^branch-protected: deletion of the current branch prohibited/],
  ["missing necessary objects", /^object-missing: missing necessary objects/],
  ["unpacker error", /^(pack-invalid|object-invalid|object-missing|push-too-complex): unpacker error/],
  ["shallow update not allowed", /^ref-refused: shallow update not allowed/],
  ["non-fast-forward", /^ref-refused: non-fast-forward/],
  ["atomic push failure", /^ref-refused: atomic push failure/],
  // git says so of all refs; the host says which it was.
  ["atomic transaction failed", /^(ref-refused: atomic push failure|ref-[a-z]+: failed to update ref)/],
];

function expectLikeGit(ours: Outcome, gits: Outcome): void {
  const hasDied = gits.text === "" && gits.answer.unpack === undefined;
  if (ours.status !== 200) {
    // Where git dies of a request, it has begun to answer with 200 already.
    expect(hasDied, ours.text).toBe(true);
    expect([400, 413, 415]).toContain(ours.status);
  } else {
    expect(ours.answer.unpack === undefined).toBe(gits.answer.unpack === undefined);
    expect(ours.answer.unpack === "ok").toBe(gits.answer.unpack === "ok");
    expect(Object.keys(ours.answer.refs)).toEqual(Object.keys(gits.answer.refs));
    expect(ours.answer.options).toEqual(gits.answer.options);
  }
  for (const [name, reason] of Object.entries(gits.answer.refs)) {
    const expected = reason === "ok" ? /^ok$/ : WORDS.find(([words]) => reason.endsWith(words))?.[1];
    // A name with a space in it is cut short in the report, whoever writes it.
    expect(ours.answer.refs[name]?.replace(/^b /, "")).toMatch(expected ?? `a host's word for: ${reason}`);
  }
  expect(ours.refs).toEqual(gits.refs);
}

/** The codes are those of the case, and the refs are where they were but for those that are ok. */
function expectDifferent(ours: Outcome, { commands, differs }: ReceiveCase): void {
  expect(ours.status).toBe(200);
  const codes = Object.entries(ours.answer.refs).map(([name, reason]) => [name, reason.split(":")[0]]);
  expect(Object.fromEntries(codes)).toEqual(differs?.refs ?? {});
  const after = new Map(Object.entries(seedRefs));
  for (const [, newId, name] of commands) {
    if (ours.answer.refs[name] === "ok" && newId === ZERO) after.delete(name);
    else if (ours.answer.refs[name] === "ok") after.set(name, newId);
  }
  expect(ours.refs).toEqual(Object.fromEntries(after));
}

async function compare(aCase: ReceiveCase, prepare?: (at: PeerRepository) => Promise<void>): Promise<void> {
  const [ours, gits] = await Promise.all([put(host, aCase, prepare), put(peer, aCase, prepare)]);
  expect(ours.answer.faults).toEqual([]);
  if (aCase.differs === undefined) expectLikeGit(ours, gits);
  else {
    expect(() => expectLikeGit(ours, gits), "a difference that is none").toThrow();
    expectDifferent(ours, aCase);
  }
}

describe.concurrent("a push", () => {
  it.each(receiveCases.map((aCase) => [aCase.name, aCase] as const))("of %s", async (_, aCase) => {
    await compare(aCase);
  });
});

describe.concurrent("a push where non-fast-forwards are denied", () => {
  it.each(forwardCases.map((aCase) => [aCase.name, aCase] as const))("of %s", async (_, aCase) => {
    await compare(aCase, (repository) => repository.denyNonFastForwards());
  });
});
