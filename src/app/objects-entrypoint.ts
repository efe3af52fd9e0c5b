// Where an app's isolate reaches the Durable Objects of its own app: an entrypoint of the Worker. The stub says whose objects, in which
// environment; an app can name a class and an ID, and no other app's and no other environment's.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EnvironmentProps } from "./environment-props.ts";
import { OBJECT_HEADER, readAddress, readObjectHeader, writeObjectHeader } from "./object-address.ts";
import type { Supervisor } from "./supervisor.ts";

export class Objects extends WorkerEntrypoint<Env, EnvironmentProps> {
  /** A fetch all the way, so that a WebSocket comes through. */
  override fetch(request: Request): Promise<Response> {
    const { app, ...from } = this.ctx.props;
    const address = readAddress(readObjectHeader(request.headers.get(OBJECT_HEADER)));
    const headers = new Headers(request.headers);
    headers.set(OBJECT_HEADER, writeObjectHeader({ ...address, from }));
    return this.env.SUPERVISOR.getByName(app).fetch(new Request(request, { headers, redirect: "manual" }));
  }

  /** Whatever the object's method returns: values, streams, functions and stubs. */
  call(address: unknown, method: unknown, args: unknown): Promise<unknown> {
    const { app, ...from } = this.ctx.props;
    return this.#supervisor(app).callObject(
      from,
      readAddress(address),
      String(method),
      Array.isArray(args) ? args : [],
    );
  }

  read(address: unknown, property: unknown): Promise<unknown> {
    const { app, ...from } = this.ctx.props;
    return this.#supervisor(app).readObject(from, readAddress(address), String(property));
  }

  #supervisor(app: string): DurableObjectStub<Supervisor> {
    return this.env.SUPERVISOR.getByName(app);
  }
}
