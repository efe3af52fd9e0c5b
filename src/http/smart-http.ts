// Git over HTTP, as gitprotocol-http(5) and git's http-backend.c have it. Three families of addresses lead to a repository:
//   /<app>.git                    an app's own
//   /templates/<name>.git         a starter template, read-only, for everybody
//   /new/<template>/<app>.git     the template while the app does not exist, the app's own afterwards
import { permit, type Caller } from "../app/access.ts";
import { readAppName, type AppName } from "../app/app-name.ts";
import { HostingError } from "../errors.ts";
import type { PushReport } from "../git/report-status.ts";
import { push } from "../push.ts";
import { deletedApp } from "../push-deleted.ts";
import type { Host } from "../push-host.ts";
import { openRepository, type Repository } from "../repo/repository.ts";
import { openTemplateRepository } from "../repo/template-repository.ts";
import { advertiseReceivePack, advertiseUploadPack, uploadPack } from "../repo/upload-pack.ts";
import { recordAudit } from "./audit.ts";
import { authenticate, limitAnonymous } from "./auth.ts";
import { appUrl } from "./host-name.ts";
import { openBody } from "./request-body.ts";

type Service = "git-upload-pack" | "git-receive-pack";

/** Which repository a path names. */
type Address =
  | { readonly kind: "app"; readonly app: AppName; readonly template?: string }
  | { readonly kind: "template"; readonly template: string };

/** As http-backend.c's hdr_nocache: an advertisement is true for one moment only. */
const NO_CACHE = {
  expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  pragma: "no-cache",
  "cache-control": "no-cache, max-age=0, must-revalidate",
} as const;

/** GET <repository>/info/refs?service=…: the ref advertisement, or version 2's capabilities. */
export async function advertise(request: Request, host: Host, path: string): Promise<Response> {
  const service = new URL(request.url).searchParams.get("service");
  const { address } = await admit(request, host, { path, service });
  if (service !== "git-upload-pack" && service !== "git-receive-pack") throw unknownService();
  const version = readProtocolVersion(request);
  const body =
    service === "git-receive-pack"
      ? advertiseReceivePack(await openForPush(request, host, address), version)
      : advertiseUploadPack(await openForFetch(host, address), version);
  return new Response(body, {
    headers: { ...NO_CACHE, "content-type": `application/x-${service}-advertisement` },
  });
}

/** POST <repository>/git-upload-pack: a clone or fetch, or a command of version 2. */
export async function fetchPack(request: Request, host: Host, path: string): Promise<Response> {
  return answerService(request, { host, path, service: "git-upload-pack" }, async ({ address }, body) =>
    uploadPack(await openForFetch(host, address), readProtocolVersion(request), body),
  );
}

/** POST <repository>/git-receive-pack: a push. The answer begins once the pack was received and goes on while it deploys. */
export async function receivePush(
  request: Request,
  at: { readonly host: Host; readonly context: Pick<ExecutionContext, "waitUntil"> },
  path: string,
): Promise<Response> {
  const { host, context } = at;
  return answerService(request, { host, path, service: "git-receive-pack" }, async ({ address, caller }, body) => {
    if (address.kind === "template" || caller === undefined) throw readOnlyTemplate(address.template ?? "");
    const { app } = address;
    const url = new URL(request.url);
    const addresses = {
      urlOf: (label: string): string => appUrl(url, host.env.HOST, label),
      apiUrl: `${url.origin}/api/v1/apps/${app}`,
    };
    const onReport = (report: PushReport): void =>
      recordAudit(request, at, { caller, action: "git push", app, outcome: describeReport(report) });
    return push({ app, actor: caller.name, body, ...addresses, now: Date.now, context, onReport }, host);
  });
}

/** Any other path below a repository: the files of git's dumb protocol, which this host does not speak, and unknown services. */
export function refusePath(): never {
  throw new HostingError(
    "not-found",
    "There is nothing here. Git's smart HTTP protocol begins at info/refs?service=git-upload-pack.",
  );
}

/** The frame of both services: who asks, what is asked for, how it is answered, and the rest of the body before a refusal. */
async function answerService(
  request: Request,
  asked: { readonly host: Host; readonly path: string; readonly service: Service },
  answer: (admitted: Admitted, body: ReadableStream<Uint8Array>) => Promise<ReadableStream<Uint8Array>>,
): Promise<Response> {
  const { host, service } = asked;
  const body = openBody(request);
  try {
    const admitted = await admit(request, host, asked);
    const expected = `application/x-${service}-request`;
    if (request.headers.get("content-type") !== expected) {
      throw new HostingError("media-type-unsupported", `This address takes ${expected}.`);
    }
    const result = await answer(admitted, body.stream);
    return new Response(result, { headers: { ...NO_CACHE, "content-type": `application/x-${service}-result` } });
  } catch (error) {
    await body.drain();
    throw error;
  }
}

/** What a request may reach, and who sent it; nobody in particular where a template is read. */
interface Admitted {
  readonly address: Address;
  readonly caller: Caller | undefined;
}

/**
 * Who may do what: templates are for everybody to read, everything else needs a token. Without it all that is said is that, of
 * names that are no app's too.
 */
async function admit(
  request: Request,
  host: Host,
  { path, service }: { readonly path: string; readonly service: string | null },
): Promise<Admitted> {
  if (path.startsWith("templates/") && service === "git-upload-pack") {
    limitAnonymous(request, host);
    return { address: readAddress(path), caller: undefined };
  }
  const caller = await authenticate(request, host);
  const address = readAddress(path);
  if (address.kind === "template") {
    if (service === "git-receive-pack") throw readOnlyTemplate(address.template);
    return { address, caller };
  }
  permit(caller, { app: address.app, action: service === "git-receive-pack" ? "push" : "read" });
  return { address, caller };
}

/** Each ref with what became of it, for the audit log. */
function describeReport({ unpackError, refs }: PushReport): string {
  const results = refs.map((ref) => `${ref.name} ${ref.kind === "ok" ? "ok" : ref.reason}`);
  return [...(unpackError === undefined ? [] : [unpackError]), ...results].join("; ");
}

function unknownService(): HostingError {
  return new HostingError(
    "service-unknown",
    "This host speaks git's smart HTTP protocol only: git-upload-pack and git-receive-pack.",
  );
}

function readAddress(path: string): Address {
  const parts = path.replace(/\.git$/, "").split("/");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length === 1) return { kind: "app", app: readAppName(first) };
  if (parts.length === 2 && first === "templates") return { kind: "template", template: second };
  if (parts.length === 3 && first === "new") return { kind: "app", app: readAppName(third), template: second };
  throw new HostingError("not-found", "There is no such repository.");
}

/** 0, 1 or 2: what `Git-Protocol: version=N` asks for, the highest if several (protocol.c). */
function readProtocolVersion(request: Request): 0 | 1 | 2 {
  const keys = (request.headers.get("git-protocol") ?? "").split(":");
  if (keys.includes("version=2")) return 2;
  return keys.includes("version=1") ? 1 : 0;
}

async function findForPush(host: Host, address: Address): Promise<Repository | undefined> {
  if (address.kind === "template") throw readOnlyTemplate(address.template);
  const state = await host.env.SUPERVISOR.getByName(address.app).readRepository();
  return state === undefined ? undefined : openRepository(host.packs, state);
}

/** As git is told of it before it sends anything: a name that is kept for a deleted app takes no push. */
async function openForPush(request: Request, host: Host, address: Address): Promise<Repository | undefined> {
  const repository = await findForPush(host, address);
  if (repository !== undefined || address.kind === "template") return repository;
  const untilMs = await host.env.SUPERVISOR.getByName(address.app).findDeletedUntil();
  if (untilMs === undefined) return undefined;
  throw deletedApp({ app: address.app, apiUrl: `${new URL(request.url).origin}/api/v1/apps/${address.app}` }, untilMs);
}

async function openForFetch(host: Host, address: Address): Promise<Repository> {
  const own = address.kind === "app" ? await findForPush(host, address) : undefined;
  const repository = own ?? (await findTemplate(host, address.template));
  if (repository === undefined) throw new HostingError("not-found", "There is no such repository.");
  return repository;
}

async function findTemplate(host: Host, template: string | undefined): Promise<Repository | undefined> {
  return template === undefined ? undefined : openTemplateRepository(template, host.packs);
}

function readOnlyTemplate(template: string): HostingError {
  return new HostingError(
    "auth-forbidden",
    `Templates are read-only. Clone and push to /new/${template}/<app>.git to make an app of this one.`,
  );
}
