// The answer that a file makes, by RFC 9110: validators, a range, or the whole. Bodies come from R2 as streams.
import { lookup } from "mrmime";
import { readAsset } from "../store/asset-objects.ts";
import type { AssetFile } from "../store/assets.ts";

/** Browsers ask each time, and get 304 where nothing changed. */
const REVALIDATE = "public, max-age=0, must-revalidate";
/** The name changes with the content. */
const KEEP_FOR_EVER = "public, max-age=31536000, immutable";

/** What to answer with. */
export interface FileAnswer {
  readonly file: AssetFile;
  readonly status: 200 | 404;
  /** Changes the headers before anything is decided by them. */
  readonly changeHeaders: (headers: Headers) => void;
}

/** Answers GET or HEAD with a file. */
export async function answerWithFile(
  store: Parameters<typeof readAsset>[0],
  request: Request,
  answer: FileAnswer,
): Promise<Response> {
  const { file, status } = answer;
  const etag = `"${file.blobId}"`;
  const headers = new Headers({ etag, "cache-control": file.isHashed ? KEEP_FOR_EVER : REVALIDATE });
  const type = contentType(file.path);
  if (type !== undefined) headers.set("content-type", type);
  if (status === 200) headers.set("accept-ranges", "bytes");
  answer.changeHeaders(headers);
  if (status === 200 && isKnown(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  const range = status === 200 && request.method === "GET" ? readRange(request, file, etag) : undefined;
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${file.sizeBytes}`);
    headers.delete("content-type");
    return new Response(null, { status: 416, headers });
  }
  const { offset, length } = range ?? { offset: 0, length: file.sizeBytes };
  headers.set("content-length", String(length));
  if (range !== undefined) headers.set("content-range", `bytes ${offset}-${offset + length - 1}/${file.sizeBytes}`);
  const init: ResponseInit = { status: range === undefined ? status : 206, headers, encodeBody: "manual" };
  if (request.method === "HEAD") return new Response(null, init);
  if (length === 0) return new Response("", init);
  return new Response(await readAsset(store, file, { offset, length }), init);
}

/** By the extension; text says that it is UTF-8. undefined: no known extension, and nothing is claimed. */
function contentType(path: string): string | undefined {
  const type = lookup(path);
  return type?.startsWith("text/") === true ? `${type}; charset=utf-8` : type;
}

/** RFC 9110, section 13.1.2: compared weakly. */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === etag);
}

/** RFC 9110, section 14: one range of bytes. Several, or what is no range, are as if there were none. */
function readRange(
  request: Request,
  { sizeBytes }: AssetFile,
  etag: string,
): { readonly offset: number; readonly length: number } | "unsatisfiable" | undefined {
  const ifRange = request.headers.get("if-range");
  if (ifRange !== null && ifRange.trim() !== etag) return undefined;
  const [, first = "", last = ""] =
    /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(request.headers.get("range") ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? "unsatisfiable" : { offset: sizeBytes - length, length };
  }
  const offset = Number(first);
  if (last !== "" && Number(last) < offset) return undefined;
  if (offset >= sizeBytes) return "unsatisfiable";
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  return { offset, length: end - offset };
}
