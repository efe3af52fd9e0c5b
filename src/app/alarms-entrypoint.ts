// Where an app's isolate sets alarms: an entrypoint of the Worker. The stub says whose isolate it is, so an app can set alarms of its own
// objects, in its own environment, and no others.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EnvironmentProps } from "./environment-props.ts";

/** "" for the class that receives requests, "/<class>/<ID>" for a named object. */
const OBJECT = /^(?:\/[^/]{1,100}\/[0-9a-f]{64})?$/;

/** The last time that a Date knows. */
const LAST_MS = 8.64e15;

export class Alarms extends WorkerEntrypoint<Env, EnvironmentProps> {
  /** null deletes it. Returns once it is on disk. Of two calls the one with the higher `order` stands. */
  async setAlarm(object: unknown, atMs: unknown, order: unknown): Promise<void> {
    const { app, ...from } = this.ctx.props;
    if (atMs !== null && (typeof atMs !== "number" || !(atMs > 0 && atMs <= LAST_MS))) {
      throw new TypeError("This is no time of an alarm.");
    }
    if (typeof order !== "number") throw new TypeError("A write of an alarm has its place among the others.");
    const write = { path: readObject(object), atMs: atMs === null ? null : Math.trunc(atMs), order };
    await this.env.SUPERVISOR.getByName(app).setAppAlarm(from, write);
  }

  async getAlarm(object: unknown): Promise<number | null> {
    const { app, ...from } = this.ctx.props;
    return this.env.SUPERVISOR.getByName(app).getAppAlarm(from, readObject(object));
  }
}

function readObject(value: unknown): string {
  if (typeof value === "string" && OBJECT.test(value)) return value;
  throw new TypeError("This names no object of the app.");
}
