// Runs a bundle as the host would, to see that it works and not only that it was made.
import { env } from "cloudflare:workers";
import type { Bundle } from "../../build/index.ts";

/** What the bundle's default export answers to a GET of `path`, as JSON. */
export async function runBundle(bundle: Bundle, path = "/"): Promise<unknown> {
  const modules = Object.entries(bundle.modules).map(([name, module]) => [name, loaderModule(module)] as const);
  const worker = env.LOADER.load({
    compatibilityDate: bundle.compatibilityDate,
    compatibilityFlags: [...bundle.compatibilityFlags],
    mainModule: "index.js",
    modules: Object.fromEntries(modules),
    globalOutbound: null,
  });
  const response = await worker.getEntrypoint().fetch(`http://app.test${path}`);
  return response.json();
}

function loaderModule(module: Bundle["modules"][string]): WorkerLoaderModule {
  if (module.kind === "wasm") return { wasm: module.bytes };
  if (module.kind === "data") return { data: Uint8Array.from(module.bytes).buffer };
  return module.kind === "esm" ? { js: module.text } : { text: module.text };
}
