// An answer of the API as a tool's result: text for models, the same structured for programs. A refusal is a result too, so that the
// model sees it: its code, the sentence, what the code means and, of a push, the lines with file, frame and fix.
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { readText } from "../text-bytes.ts";
import { ERROR_CODES, ERROR_MEANINGS, type ErrorCode } from "../../errors.ts";

/** Reads the answer to its end. */
export async function readOutcome(response: Response): Promise<CallToolResult> {
  const type = response.headers.get("content-type") ?? "";
  const bytes = await response.arrayBuffer();
  const text = readText(bytes);
  if (text === undefined) {
    const base64 = Buffer.from(bytes).toString("base64");
    return done({ base64 }, `These ${bytes.byteLength} bytes are no text. The structured content has them as base64.`);
  }
  if (response.ok && !type.includes("json")) return text === "" ? done({ ok: true }) : done({ text }, text);
  const value: unknown = JSON.parse(text);
  const facts = asRecord(value);
  return response.ok ? done(facts) : refuse(facts);
}

/** A call that did not come to the API. */
export function refusal(code: ErrorCode, detail: string): CallToolResult {
  return refuse({ code, detail });
}

function done(facts: Readonly<Record<string, unknown>>, text = JSON.stringify(facts, undefined, 2)): CallToolResult {
  return { content: [{ type: "text", text }], structuredContent: { ...facts } };
}

function refuse(problem: Readonly<Record<string, unknown>>): CallToolResult {
  const code = ERROR_CODES.find((known) => known === problem["code"]) ?? "internal-error";
  const report = asRecord(problem["report"]);
  const lines = Array.isArray(report["lines"]) ? report["lines"].map(String) : [];
  const meaning = ERROR_MEANINGS[code];
  const text = [`${code}: ${String(problem["detail"])}`, `(${code} means: ${meaning})`, ...lines].join("\n");
  return { isError: true, content: [{ type: "text", text }], structuredContent: { ...problem, code, meaning } };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
