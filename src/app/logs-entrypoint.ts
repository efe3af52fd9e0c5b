// Where an app's isolate tells what it does: an entrypoint of the Worker. The wrapper sends the console's lines and what was thrown by `write`;
// where the runtime measures CPU time it calls `tail` after each event with what it took (loader.ts). The stub says whose isolate it is, so an app can
// forge lines of its own log and of no other.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EnvironmentProps } from "./environment-props.ts";
import { readConsoleLines, readTraces, type Traces } from "./log-intake.ts";
import { TraceBatches } from "./trace-batches.ts";

/** What this isolate was told and did not pass on yet. */
const batches = new TraceBatches();

export class Logs extends WorkerEntrypoint<Env, EnvironmentProps> {
  /** What the app's console was told and what nobody caught, and how many lines were left out. */
  async write(lines: unknown, droppedCount: unknown): Promise<void> {
    const { app, ...from } = this.ctx.props;
    await this.env.SUPERVISOR.getByName(app).noteConsole(from, readConsoleLines(lines, droppedCount, Date.now()));
  }

  /** A WebSocket has brought a message. */
  async noteMessage(): Promise<void> {
    const { app, ...from } = this.ctx.props;
    await this.env.SUPERVISOR.getByName(app).noteMessage(from);
  }

  /** What the runtime stopped goes on at once; what events took, which is of each request, now and then. */
  override async tail(events: TraceItem[]): Promise<void> {
    const { app, ...from } = this.ctx.props;
    const traces = readTraces(events);
    if (traces === undefined) return;
    const send = (batch: Traces): Promise<void> => this.env.SUPERVISOR.getByName(app).noteTraces(from, batch);
    await batches.add(`${app}/${from.facet}/${from.deployNumber}`, traces, send);
  }
}
