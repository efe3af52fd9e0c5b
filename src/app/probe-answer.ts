// The app's side of a probe, part of the wrapper (wrapper.ts): the request is made inside of the app's isolate, because what the app
// throws loses its stack on the way out.
import type { ProbeReport } from "./start-report.ts";
import { describeThrown } from "./thrown.ts";

// oxlint-disable typescript/unbound-method -- as in wrapper.ts.
const { apply, get } = Reflect;
const request = Request;
const response = Response;
const decoder = TextDecoder;

/** What is read of an error's body. */
const MAX_BODY_BYTES = 500;

/** What the instance's fetch makes of a GET. */
export async function answerProbe(instance: object, url: string): Promise<ProbeReport> {
  const fetch: unknown = get(instance, "fetch");
  if (typeof fetch !== "function") return unanswered("the class has no fetch method");
  try {
    const answer: unknown = await apply(fetch, instance, [new request(url, { redirect: "manual" })]);
    if (!(answer instanceof response)) return unanswered("fetch returned no Response");
    const { status, body } = answer;
    if (status >= 400) return { kind: "answered", status, text: await readBeginning(body) };
    await body?.cancel();
    return { kind: "answered", status, text: "" };
  } catch (error) {
    return { kind: "thrown", thrown: describeThrown(error) };
  }
}

function unanswered(message: string): ProbeReport {
  return { kind: "thrown", thrown: { name: "TypeError", message, stack: "" } };
}

async function readBeginning(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const text = new decoder();
  let beginning = "";
  for (let byteCount = 0; byteCount < MAX_BODY_BYTES;) {
    // oxlint-disable-next-line no-await-in-loop -- one chunk after the other
    const { done, value } = await reader.read();
    if (done) break;
    beginning += text.decode(value.subarray(0, MAX_BODY_BYTES - byteCount), { stream: true });
    byteCount += value.length;
  }
  await reader.cancel();
  return beginning;
}
