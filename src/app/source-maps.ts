// Stacks of the bundle as places in the pushed files.
import { originalPositionFor, sourceContentFor, TraceMap } from "@jridgewell/trace-mapping";

/** A place in a pushed file, through the source map. */
export interface SourceFrame {
  /** The function that was running, where the stack names one. */
  readonly functionName?: string;
  /** Below the root of the repository. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** The text of that line, where the source map has it. */
  readonly lineText?: string;
}

// "    at new App (index.js:12:9)", "    at async index.js:2:70", "  at index.js:2:4". What the build did not bundle is below
// "unbundled/", under its own path.
const BUNDLE_FRAME = /^\s*at (?:(.*) \()?(?:async )?(?:index\.js|unbundled\/(.+)):(\d+):(\d+)\)?$/;

/** The frames of a V8 stack that lie in the bundle, innermost first. Frames of the runtime and the wrapper are left out. */
export function mapStack(stack: string, sourceMap: string): SourceFrame[] {
  const map = new TraceMap(sourceMap);
  return stack.split("\n").flatMap((line) => {
    const [, functionName, path, bundleLine, bundleColumn] = BUNDLE_FRAME.exec(line) ?? [];
    if (bundleLine === undefined || bundleColumn === undefined) return [];
    // V8 counts columns from 1, the source map from 0.
    const bundled = { line: Number(bundleLine), column: Number(bundleColumn) - 1 };
    const place = path === undefined ? originalPositionFor(map, bundled) : { ...bundled, source: path };
    if (place.source === null) return [];
    const lineText = sourceContentFor(map, place.source)?.split(/\r?\n/)[place.line - 1];
    return [
      {
        path: place.source.replace(/^(?:\.{0,2}\/)+/, ""),
        line: place.line,
        column: place.column + 1,
        ...(functionName === undefined ? {} : { functionName: functionName.replace(/^async /, "") }),
        ...(lineText === undefined ? {} : { lineText }),
      },
    ];
  });
}
