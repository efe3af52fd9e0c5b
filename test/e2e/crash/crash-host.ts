// A host that can be killed at a step of its work, and started again on the same data.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { request, type Answer } from "../host.ts";

const TOKEN = "crash-token";
const FOLDER = dirname(fileURLToPath(import.meta.url));

export interface CrashHost {
  readonly appUrl: string;
  readonly gitUrl: string;
  /** The step that the Worker stands still at; undefined where it was killed before it came to that. */
  readonly stopped: Promise<string | undefined>;
  /** Forgets the steps so far. The next one of this name is the last. */
  begin(stopAt?: string): Promise<void>;
  listSteps(): Promise<readonly string[]>;
  compact(): Promise<void>;
  api(method: string, path: string, body?: unknown): Promise<Answer>;
  /** SIGKILL to everything at once. */
  kill(): Promise<void>;
  logs(): string;
}

/** Starts it, and waits until it serves. */
export async function startCrashHost(dataPath: string): Promise<CrashHost> {
  // A process group of its own, so that workerd goes down in the same moment.
  const child = spawn(process.execPath, [join(FOLDER, "host-process.ts"), dataPath], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let logs = "";
  let stop: (step: string | undefined) => void;
  const stopped = new Promise<string | undefined>((resolve) => (stop = resolve));
  const port = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      logs += chunk.toString();
      const ready = /READY (\d+)/.exec(logs)?.[1];
      if (ready !== undefined) resolve(ready);
      const step = /STOPPED AT (.+)\n/.exec(logs)?.[1];
      if (step !== undefined) stop(step);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then(() => {
      stop(undefined);
      reject(new Error(`The host ended before it was ready:\n${logs}`));
    });
  });
  const control = async (path: string): Promise<Answer> => {
    const answer = await request(`http://crash.test:${port}${path}`);
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}: ${answer.text}\n${logs}`);
    return answer;
  };
  return {
    appUrl: `http://crash.localhost:${port}/`,
    gitUrl: `http://x:${TOKEN}@localhost:${port}/crash.git`,
    stopped,
    begin: async (stopAt) => {
      await control(stopAt === undefined ? "/begin" : `/begin?stop=${encodeURIComponent(stopAt)}`);
    },
    listSteps: async () => JSON.parse((await control("/steps")).text),
    compact: async () => {
      await control("/compact");
    },
    api: (method, path, body) =>
      request(`http://localhost:${port}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    kill: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      await exited;
    },
    logs: () => logs,
  };
}
