// One run of esbuild whose outputs are files, inside the builder isolate: beside bundle-tree.ts, whose output is the Worker.
import type { BuildOptions } from "esbuild-wasm";
import type { WriteOutcome, WriteRequest } from "./bundle-request.ts";
import { type Esbuild, runEsbuild, SOURCE_MAP_WARNINGS, tooLarge, type TreePort } from "./bundle-tree.ts";
import { writePlugin } from "./write-plugin.ts";

const LARGEST = 5;

/** Runs and collects the files, in the order of their paths. Throws only for a mistake of this program. */
export async function writeTree(esbuild: Esbuild, request: WriteRequest, port: TreePort): Promise<WriteOutcome> {
  const result = await runEsbuild(esbuild, writeOptions(request, port), port.files.leftImports);
  if (result.kind === "failed") return result;
  const { metafile, outputs, warnings } = result;
  const written = [...outputs]
    .map(([path, bytes]) => {
      const { entryPoint, cssBundle } = metafile.outputs[path] ?? {};
      return {
        path,
        bytes,
        ...(entryPoint === undefined ? {} : { entryPoint: entryPoint.replace(/^\/+/, "") }),
        ...(cssBundle === undefined ? {} : { cssBundle: cssBundle.replace(/^\/+/, "") }),
      };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const writtenBytes = written.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (writtenBytes > request.limits.bundleBytes) {
    const sizes = written.map(({ path, bytes }) => ({ path, bytes: bytes.byteLength }));
    const largest = sizes.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST);
    return tooLarge(writtenBytes, request.limits.bundleBytes, largest);
  }
  const inputs = Object.keys(metafile.inputs).map((path) => path.replace(/^\/+/, ""));
  return { kind: "written", outputs: written, inputs: inputs.toSorted(), warnings };
}

function writeOptions(request: WriteRequest, port: TreePort): BuildOptions {
  const { run } = request;
  return {
    ...run.options,
    absWorkingDir: "/",
    entryPoints: run.entryPoints.map(({ in: path, out }) => ({ in: `/${path}`, out: out ?? "" })),
    platform: run.platform,
    metafile: true,
    write: false,
    logLevel: "silent",
    logLimit: 0,
    logOverride: SOURCE_MAP_WARNINGS,
    tsconfigRaw: JSON.stringify({ compilerOptions: request.compilerOptions }),
    plugins: [writePlugin(request, port)],
  };
}
