// Two servers behind one interface, so that every case can be put to both: the host, and git's own http-backend, set up as
// strictly as the host is. Repositories only store.
import { randomUUID } from "node:crypto";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { startHttpBackend } from "../bench/http-backend.ts";
import { git, makeFolder } from "./git.ts";
import { callApi, startHost, type Answer, type Host } from "./host.ts";
import { sendRequest, type WireRequest } from "./wire-request.ts";

/** What the peer refuses and offers, as the host does. */
const PEER_CONFIG: Readonly<Record<string, string>> = {
  "http.receivepack": "true",
  "receive.fsckObjects": "true",
  "receive.advertisePushOptions": "true",
  "receive.denyDeleteCurrent": "refuse",
  "transfer.advertiseSID": "false",
  "uploadpack.allowFilter": "true",
  "uploadpack.allowTipSHA1InWant": "true",
  "uploadpack.allowReachableSHA1InWant": "true",
  "core.logAllRefUpdates": "true",
  "gc.auto": "0",
};

/** The repository that all others begin as. */
const EMPTY = "empty.git";

/** An empty repository on one of the servers. */
export interface PeerRepository {
  /** For the git client, with the token where one is needed. */
  readonly url: string;
  /** Sends a request to a path below the repository, such as "/git-receive-pack". */
  send(path: string, request?: Partial<WireRequest>): Promise<Answer>;
  /** git's receive.denyNonFastForwards. */
  denyNonFastForwards(): Promise<void>;
}

export interface PeerServer {
  readonly name: "host" | "http-backend";
  createRepository(): Promise<PeerRepository>;
  stop(): Promise<unknown>;
}

/** The host itself. */
export async function startHostPeer(): Promise<PeerServer & { readonly host: Host }> {
  const host = await startHost();
  return {
    name: "host",
    host,
    stop: () => host.stop(),
    createRepository: async () => {
      const app = `p${randomUUID().slice(0, 13)}`;
      await callApi(host, "POST", "/apps", { name: app, deploy: false });
      const authorization = `Basic ${Buffer.from(`x:${host.token}`).toString("base64")}`;
      return {
        url: host.gitUrl(`${app}.git`),
        send: (path, request = {}) =>
          sendRequest(`${host.url}/${app}.git${path}`, { ...request, headers: { authorization, ...request.headers } }),
        denyNonFastForwards: async () => {
          await callApi(host, "PATCH", `/apps/${app}`, { denyNonFastForwards: true });
        },
      };
    },
  };
}

/** git http-backend. */
export async function startPeer(): Promise<PeerServer> {
  const root = makeFolder();
  const server = await startHttpBackend(root);
  await git(root, "init", "--quiet", "--bare", "--initial-branch=main", EMPTY);
  for (const [key, value] of Object.entries(PEER_CONFIG)) {
    // oxlint-disable-next-line no-await-in-loop -- git locks its configuration file
    await git(join(root, EMPTY), "config", key, value);
  }
  return {
    name: "http-backend",
    stop: () => server.stop(),
    createRepository: async () => {
      const name = `${randomUUID()}.git`;
      const folder = join(root, name);
      cpSync(join(root, EMPTY), folder, { recursive: true });
      return {
        url: `${server.url}/${name}`,
        send: (path, request = {}) => sendRequest(`${server.url}/${name}${path}`, request),
        denyNonFastForwards: async () => void (await git(folder, "config", "receive.denyNonFastForwards", "true")),
      };
    },
  };
}
