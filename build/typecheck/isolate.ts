// The type checker's program: TypeScript's compiler in a Dynamic Worker of its own, without network, for one check. It is another
// isolate than the builder's because the compiler with the declarations of one program takes some 60 MB.
// oxlint-disable-next-line no-restricted-imports -- this program is no module of the host: it is a Worker, with a Worker's imports
import { abortIsolate, WorkerEntrypoint } from "cloudflare:workers";
import ts from "./typescript.js";
import carried from "./carried.txt";
import type { ReadMore } from "../bundle-request.ts";
import type { TypecheckAnswer, TypecheckRequest } from "./typecheck-request.ts";
import { checkProgram } from "./program.ts";
import { VirtualFiles } from "./virtual-files.ts";

/** What the host calls. */
export default class TypecheckIsolate extends WorkerEntrypoint {
  /** Checks one tree. `readMore` gives the files that the check comes to. */
  async check(request: TypecheckRequest, readMore: ReadMore): Promise<TypecheckAnswer> {
    try {
      const carriedFiles = JSON.parse(carried);
      return await checkProgram(ts, request, new VirtualFiles({ ...request, carriedFiles, readMore }));
    } catch (error) {
      return { kind: "crashed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }

  /** Ends this isolate and frees its memory, right after the call. */
  end(): void {
    this.ctx.waitUntil(endLater());
  }
}

async function endLater(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  abortIsolate("The type check is over.");
}
