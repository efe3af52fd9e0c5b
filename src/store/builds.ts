// Which code a source tree became. The key names the tree and the builder; same key, same modules, so nothing is built twice.
import { findFirst, type Database } from "./database.ts";
import type { Deploy } from "./deploys.ts";

/** What the report of a push says of a bundle. */
export interface BuildFacts {
  readonly entry: string;
  /** WORKER_ENTRY for an ordinary Worker. */
  readonly className: string;
  /** The classes of its objects. */
  readonly objectClasses?: readonly string[];
  readonly moduleCount: number;
  readonly sourceBytes: number;
  readonly bundleBytes: number;
  /** Files that are served as they are. Builds before there were any do not say. */
  readonly assetCount?: number;
  /** "hono 4.13.19". Builds from before packages were installed have none. */
  readonly packages?: readonly string[];
  /** The path that the rehearsal asks for, if the app names one. */
  readonly probe?: string | undefined;
}

/** A finished build, to be remembered with the deploy that it was made for. */
export interface NewBuild {
  /** Source tree and builder version, as push.ts spells them. */
  readonly buildKey: string;
  readonly facts: BuildFacts;
}

/** A build that a deploy made before. */
export interface KnownBuild {
  readonly codeId: string;
  /** The first deploy with this build. */
  readonly deployNumber: number;
  readonly varsJson: string;
  readonly assetsId: string | undefined;
  readonly facts: BuildFacts;
}

interface BuildColumns extends Record<string, SqlStorageValue> {
  readonly code_id: string;
  readonly vars: string;
  readonly assets_id: string | null;
  readonly facts: string;
  readonly deploy_number: number;
}

export function findBuild(db: Database, buildKey: string): KnownBuild | undefined {
  const row = findFirst(db.sql.exec<BuildColumns>("SELECT * FROM builds WHERE build_key = ?", buildKey));
  if (row === undefined) return undefined;
  const facts: BuildFacts = JSON.parse(row.facts);
  const { code_id: codeId, deploy_number: deployNumber, vars: varsJson } = row;
  return { codeId, deployNumber, varsJson, assetsId: row.assets_id ?? undefined, facts };
}

/** Remembers the build of a deploy. The first one with a key stays: a later one with the same key is the same. */
export function addBuild(db: Database, build: NewBuild, deploy: Deploy): void {
  db.sql.exec(
    "INSERT OR IGNORE INTO builds (build_key, code_id, vars, facts, deploy_number, assets_id) VALUES (?, ?, ?, ?, ?, ?)",
    build.buildKey,
    deploy.codeId,
    deploy.varsJson,
    JSON.stringify(build.facts),
    deploy.number,
    deploy.assetsId ?? null,
  );
}
