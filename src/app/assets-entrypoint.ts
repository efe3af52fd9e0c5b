// env.ASSETS of an app: an entrypoint of the Worker that an app's isolate is given a stub of. The stub says whose assets and which: an
// app can ask for no others.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { AssetsProps } from "./assets.ts";

export class Assets extends WorkerEntrypoint<Env, AssetsProps> {
  override fetch(request: Request): Promise<Response> {
    const { app, assetsId } = this.ctx.props;
    return this.env.SUPERVISOR.getByName(app).fetchAsset(assetsId, request);
  }
}
