// A configuration file as a value that still knows its places: JSON with or without comments (jsonc-parser), TOML (smol-toml).
// What the value means is not decided here.
import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { parse as parseToml, TomlError } from "smol-toml";
import { type BuildMessage, locate, type SourceLocation } from "./messages.ts";
import { extensionOf } from "./tree-path.ts";

/** A key of an object or a place in a list. */
export type ConfigKeys = readonly (string | number)[];

/** A file that was parsed, and whose top is a table. */
export interface ConfigFile {
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Where a value is written; where it is not, the place of what contains it. */
  locate(keys: ConfigKeys): SourceLocation;
}

/** The file, or the one message about where it cannot be read. */
export type ConfigFileOutcome =
  | { readonly kind: "read"; readonly file: ConfigFile }
  | { readonly kind: "failed"; readonly message: BuildMessage };

/** Whether a value is a table: an object that is no list. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Lists and tables within each other; a configuration has about five. All that reads a value here or later recurses, and a file of
 * nothing but opening brackets would take more stack than there is.
 */
const MAX_NESTING = 100;
const TOO_DEEP = `Lists and tables may be nested ${MAX_NESTING} deep, and these go deeper.`;

/** Parses a configuration file by its name: TOML, package.json as strict JSON, everything else with comments. */
export function parseConfigFile(path: string, bytes: Uint8Array): ConfigFileOutcome {
  const text = new TextDecoder().decode(bytes);
  return extensionOf(path) === ".toml" ? parseTomlFile(path, text) : parseJsonFile(path, text);
}

const JSON_PROBLEMS: Readonly<Record<string, string>> = {
  InvalidSymbol: "This is no JSON value",
  InvalidNumberFormat: "This number is not written as JSON writes it",
  PropertyNameExpected: "A property name in double quotes was expected here",
  ValueExpected: "A value was expected here",
  ColonExpected: "A colon was expected before this",
  CommaExpected: "A comma was expected before this",
  CloseBraceExpected: "A closing brace was expected here",
  CloseBracketExpected: "A closing bracket was expected here",
  EndOfFileExpected: "The end of the file was expected here",
  InvalidCommentToken: "A comment is not allowed here",
  UnexpectedEndOfComment: "This comment does not end",
  UnexpectedEndOfString: "This string does not end",
  InvalidEscapeCharacter: "This is no escape that JSON knows",
  InvalidUnicode: "This is no Unicode escape",
};

function parseJsonFile(path: string, text: string): ConfigFileOutcome {
  const tooDeepAt = findTooDeep(text);
  if (tooDeepAt !== undefined) return failed(TOO_DEEP, locate(path, text, tooDeepAt, 1));
  const isStrict = path.endsWith("package.json");
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: isStrict, allowTrailingComma: !isStrict });
  const [error] = errors;
  if (error !== undefined) {
    const problem = JSON_PROBLEMS[printParseErrorCode(error.error)] ?? "This cannot be read as JSON";
    return failed(`${problem}.`, locate(path, text, error.offset, error.length));
  }
  const value: unknown = root === undefined ? undefined : getNodeValue(root);
  if (root === undefined || !isTable(value))
    return failed("The file must hold one JSON object.", locate(path, text, 0, 1));
  return { kind: "read", file: { path, value, locate: (keys) => locateJson(path, text, root, keys) } };
}

/** Where a JSON text opens one list or table too many within each other. */
function findTooDeep(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const char = text[scanner.getTokenOffset()];
    if (char === "[" || char === "{") depth += 1;
    else if (char === "]" || char === "}") depth -= 1;
    if (depth > MAX_NESTING) return scanner.getTokenOffset();
  }
  return undefined;
}

function locateJson(path: string, text: string, root: Node, keys: ConfigKeys): SourceLocation {
  for (let count = keys.length; count > 0; count--) {
    const node = findNodeAtLocation(root, keys.slice(0, count));
    if (node === undefined) continue;
    const firstLine = text.slice(node.offset, node.offset + node.length).split("\n", 1)[0] ?? "";
    return locate(path, text, node.offset, firstLine.trimEnd().length);
  }
  return locate(path, text, 0, 1);
}

function parseTomlFile(path: string, text: string): ConfigFileOutcome {
  try {
    const parsed = parseToml(text, { maxDepth: MAX_NESTING });
    // Keys with dots nest as well, and are not what maxDepth counts.
    if (isTooDeep(parsed)) return failed(TOO_DEEP, locate(path, text, 0, 1));
    // Dates become strings and nothing else changes: what TOML has beyond JSON means nothing in a configuration.
    const value: unknown = JSON.parse(JSON.stringify(parsed));
    if (!isTable(value)) throw new TypeError("A TOML document is a table.");
    return { kind: "read", file: { path, value, locate: (keys) => locateToml(path, text, keys) } };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const offset = offsetOfLine(text, error.line) + error.column - 1;
    const [sentence = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    return failed(`This is not TOML: ${sentence}.`, locate(path, text, offset, 1));
  }
}

function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= MAX_NESTING && level.length > 0; depth++) {
    level = level.flatMap((each): unknown[] => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return level.length > 0;
}

function offsetOfLine(text: string, line: number): number {
  return text
    .split("\n")
    .slice(0, line - 1)
    .reduce((offset, each) => offset + each.length + 1, 0);
}

/** smol-toml gives no positions: the line that sets the last key, or opens a table of that name, is the best guess. */
function locateToml(path: string, text: string, keys: ConfigKeys): SourceLocation {
  const names = keys.filter((key) => typeof key === "string");
  for (const name of names.toReversed()) {
    const key = name.replaceAll(/[^\w-]/g, "\\$&");
    const match = new RegExp(`^[ \\t]*(?:\\[+[ \\t]*)?(?:[\\w."-]+\\.)?"?${key}"?[ \\t]*(?:=.*|\\]+|\\..*)`, "m").exec(
      text,
    );
    if (match !== null) return locate(path, text, match.index, match[0].trimEnd().length);
  }
  return locate(path, text, 0, 1);
}

function failed(text: string, location: SourceLocation): ConfigFileOutcome {
  return { kind: "failed", message: { code: "config-invalid", text, location } };
}
