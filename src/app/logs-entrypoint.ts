// Where an app's isolate tells what it does: an entrypoint of the Worker. The wrapper sends the console's lines by `write`; the runtime
// calls `tail` after each event with what the app threw and what it took. The stub says whose isolate it is, so an app can
// forge lines of its own log and of no other.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EnvironmentProps } from "./environment-props.ts";
import { readConsoleLines, readTraces } from "./log-intake.ts";

export class Logs extends WorkerEntrypoint<Env, EnvironmentProps> {
  /** What the app's console was told, and how many lines were left out. */
  async write(lines: unknown, droppedCount: unknown): Promise<void> {
    const { app, ...from } = this.ctx.props;
    await this.env.SUPERVISOR.getByName(app).noteConsole(from, readConsoleLines(lines, droppedCount, Date.now()));
  }

  override async tail(events: TraceItem[]): Promise<void> {
    const { app, ...from } = this.ctx.props;
    const traces = readTraces(events);
    if (traces !== undefined) await this.env.SUPERVISOR.getByName(app).noteTraces(from, traces);
  }
}
