// The starter templates as repositories that are cloned like any other: one commit on main, which has the same id on every host
// because its author and date are fixed. A template's pack is made when it is first asked for, and is in R2 from then on.
import { createHash } from "node:crypto";
import { type PackStore, packKey } from "../store/pack-store.ts";
import type { PackRow, RefRow } from "../store/repository-state.ts";
import { parseObjectId } from "../git/object-id.ts";
import { writePack } from "../git/pack-write.ts";
import { parseRefName } from "../git/ref-name.ts";
import { ingestPack } from "./pack-ingest.ts";
import type { PackHost, Repository } from "./repository.ts";
import { type TemplateFiles, TEMPLATE_DATE_S, makeTemplateCommit } from "./template-commit.ts";
import generated from "./templates.generated.json" with { type: "json" };

const BRANCH = "refs/heads/main";
const CHECKSUM_BYTES = 20;

/** The template's repository, or undefined if there is none of that name. */
export async function openTemplateRepository(
  name: string,
  host: PackHost,
  templates: Readonly<Record<string, TemplateFiles>> = generated,
): Promise<Repository | undefined> {
  const files = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (files === undefined) return undefined;
  const store = { bucket: host.bucket, cache: host.cache, repositoryId: `template-${name}` };
  // What follows from the content is remembered under its hash, so an isolate makes a template once.
  const key = `${store.repositoryId}/${createHash("sha256").update(JSON.stringify(files)).digest("hex")}`;
  const known = store.cache.find(key);
  const facts = known === undefined ? await storeTemplate(name, files, store) : new TextDecoder().decode(known);
  if (known === undefined) store.cache.keep(key, new TextEncoder().encode(facts));
  const { ref, pack } = readFacts(facts);
  const state = {
    repositoryId: store.repositoryId,
    head: ref.name,
    refs: [ref],
    packs: [pack],
    settings: {
      deploy: false,
      denyNonFastForwards: false,
      root: "",
      typecheck: "off" as const,
      maxPreviews: 0,
      previewIdleHours: 0,
      previewAlarms: false,
      previewCrons: false,
    },
  };
  return { state, store };
}

/**
 * Makes the commit and its pack, and puts the pack into R2 if it is not there, which takes three R2 operations to find out. Returns
 * the commit's id, the pack's id, how many objects it has and how many bytes.
 */
async function storeTemplate(name: string, files: TemplateFiles, store: PackStore): Promise<string> {
  const { commitId, objects } = await makeTemplateCommit(name, files);
  const bytes = writePack(objects);
  const packId = Buffer.from(bytes.subarray(-CHECKSUM_BYTES)).toString("hex");
  const keys = (["pack", "idx", "edges"] as const).map((file) => packKey(store, packId, file));
  const heads = await Promise.all(keys.map((key) => store.bucket.head(key)));
  if (heads.includes(null)) {
    const options = { packs: [], nowMs: TEMPLATE_DATE_S * 1000, packId };
    const outcome = await ingestPack(new Blob([bytes]).stream(), store, options);
    if (outcome.kind === "refused") throw new Error(`The template ${name} cannot be stored: ${outcome.reason}`);
  }
  return [commitId, packId, objects.length, bytes.byteLength].join(" ");
}

function readFacts(facts: string): { ref: RefRow; pack: PackRow } {
  const [commitId = "", packId = "", objectCount, packBytes] = facts.split(" ");
  const id = parseObjectId(commitId);
  const name = parseRefName(BRANCH);
  if (id === undefined || name === undefined)
    throw new Error(`The facts of a template are not as they were written: ${facts}`);
  const createdAtMs = TEMPLATE_DATE_S * 1000;
  return {
    ref: { name, id },
    pack: { packId, objectCount: Number(objectCount), packBytes: Number(packBytes), createdAtMs },
  };
}
