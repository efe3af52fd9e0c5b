// What is in the archive of an app: a tar file whose parts git, sqlite3 and a text editor read. Written by archive-export.ts,
// read by archive-import.ts.

import type { AppDescription } from "./app/description.ts";
import type { Quotas } from "./app/quota-table.ts";
import type { Supervisor } from "./app/supervisor.ts";

type Retention = NonNullable<Awaited<ReturnType<Supervisor["changeRetention"]>>>;

export const README_ENTRY = "README.txt";
export const CONFIG_ENTRY = "config.json";
export const BUNDLE_ENTRY = "repository.bundle";
export const OBJECTS_ENTRY = "objects.json";
export const ALARMS_ENTRY = "alarms.json";
export const HISTORY_ENTRY = "deploys.json";

/** What an environment is called in the archive. */
export const PRODUCTION_NAME = "production";

export function previewName(slug: string): string {
  return `preview-${slug}`;
}

/** The database of an environment, and those of its named objects. */
export function dataEntry(environment: string): string {
  return `data/${environment}.sql`;
}

export function objectEntry(environment: string, { className, objectId }: Omit<ArchivedObject, "name">): string {
  return `data/${environment}/${className}/${objectId}.sql`;
}

/** One named object, as OBJECTS_ENTRY lists those of production and of each preview. */
export interface ArchivedObject {
  readonly className: string;
  readonly objectId: string;
  /** null: it was made without a name. */
  readonly name: string | null;
}

/** One alarm, as ALARMS_ENTRY lists those of production and of each preview. */
export interface ArchivedAlarm {
  /** null, as objectId: that of the environment's own class. */
  readonly className: string | null;
  readonly objectId: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** For whoever unpacks it. */
export function describeArchive(app: string): string {
  return `This is ${app}, an app of Slipway: its repository, its data and how it was set.

${BUNDLE_ENTRY}      all branches and tags:     git clone ${BUNDLE_ENTRY} ${app}
data/production.sql    the app's database:        sqlite3 production.db < data/production.sql
data/preview-NAME.sql  the database of a preview
data/production/CLASS/ID.sql, data/preview-NAME/CLASS/ID.sql
                       the databases of named Durable Objects; ${OBJECTS_ENTRY} has their names
${CONFIG_ENTRY}            settings, what is kept for how long, variables, allowed hosts and caps; of secrets that they are
                       set, not what they are
${ALARMS_ENTRY}            when alarms ring, by environment and object; cron triggers are in the repository
${HISTORY_ENTRY}           every attempt to deploy, newest first

What an app keeps by key is in the table _slipway_kv, its values as text that the npm package devalue parses.
Each part is of the moment in which it was read, the database after the repository.
Tokens and snapshots are not in here.
`;
}

/** What of CONFIG_ENTRY an import reads. */
export interface ArchivedConfig {
  readonly productionBranch: string | null;
  /** The previews that are in the archive; undefined in an older one. */
  readonly previews?: readonly { readonly branch: string; readonly slug: string }[] | undefined;
  /** null: nothing was deployed, so that nothing has data. */
  readonly live: object | null;
  readonly settings: Partial<AppDescription["settings"]>;
  /** undefined in an older archive. */
  readonly retention?: Partial<Retention> | undefined;
  /** The caps that were set for this app alone; undefined in an older archive. */
  readonly ownQuotas?: Partial<Quotas> | undefined;
  readonly variables: readonly {
    readonly name: string;
    readonly scope: "production" | "preview";
    /** null: it is secret. */
    readonly value: string | null;
  }[];
  readonly egress: { readonly allow: readonly string[]; readonly previewAllow: readonly string[] };
}
