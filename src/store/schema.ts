// The tables of a supervisor and of the directory, as ordered migrations. A migration that was released is never edited: a
// change is a further entry. Nothing is created before something is written, so that a visitor who tries host names at random
// leaves no databases behind.
import { findFirst, type Database } from "./database.ts";

/** The statements that lead from one version of a database to the next; the version is the number of those that ran. */
export type Migrations = readonly string[];

export const SUPERVISOR_MIGRATIONS: Migrations = [
  `
  -- One row. created_at_ms is NULL while the repository is only reserved: a first push that has not been committed.
  CREATE TABLE repository (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    repository_id TEXT NOT NULL,
    app_name TEXT NOT NULL,
    reserved_at_ms INTEGER NOT NULL,
    created_at_ms INTEGER,
    head TEXT,
    deploys_pushes INTEGER NOT NULL,
    is_deleting INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE refs (name TEXT PRIMARY KEY, id TEXT NOT NULL, peeled_id TEXT) WITHOUT ROWID;
  -- What every ref was before, for undoing by hand; an absent side is NULL.
  CREATE TABLE reflog (
    entry INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    old_id TEXT,
    new_id TEXT,
    at_ms INTEGER NOT NULL
  );
  CREATE INDEX reflog_by_name ON reflog (name, entry);
  CREATE TABLE packs (
    pack_id TEXT PRIMARY KEY,
    object_count INTEGER NOT NULL,
    pack_bytes INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
  );
  CREATE TABLE code (
    code_id TEXT PRIMARY KEY,
    class_name TEXT NOT NULL,
    compatibility_date TEXT NOT NULL,
    compatibility_flags TEXT NOT NULL,
    used_at_ms INTEGER NOT NULL
  );
  -- The bytes of modules and of the source map, in rows below Cloudflare's limit of 2 MB.
  CREATE TABLE code_chunks (
    code_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    module TEXT NOT NULL,
    position INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (code_id, kind, module, position)
  ) WITHOUT ROWID;
  -- ref_before is where the ref was before the push (NULL: nowhere), previous_number what was live: where an undo goes.
  -- state: see DeployState. cutover: JSON of what the cutover came to, once it has.
  CREATE TABLE deploys (
    number INTEGER PRIMARY KEY,
    facet TEXT NOT NULL,
    ref TEXT NOT NULL,
    ref_before TEXT,
    previous_number INTEGER,
    commit_id TEXT NOT NULL,
    tree_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    code_id TEXT NOT NULL,
    vars TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    cutover TEXT
  );
  CREATE INDEX deploys_by_code ON deploys (code_id);
  -- The live pointer: which deploy each facet runs. has_sockets: a WebSocket was accepted since it went live.
  CREATE TABLE live (facet TEXT PRIMARY KEY, deploy_number INTEGER NOT NULL, has_sockets INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE builds (
    build_key TEXT PRIMARY KEY,
    code_id TEXT NOT NULL,
    vars TEXT NOT NULL,
    facts TEXT NOT NULL,
    deploy_number INTEGER NOT NULL
  );
  CREATE INDEX builds_by_code ON builds (code_id);
  -- What the one alarm is set for: a row for each task that waits.
  CREATE TABLE due (task TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, attempts INTEGER NOT NULL);
  `,
  `
  -- Packs that a compaction took out of the catalogue. Nobody finds them any more, but who reads them already may go on until then.
  CREATE TABLE retired_packs (pack_id TEXT PRIMARY KEY, delete_after_ms INTEGER NOT NULL) WITHOUT ROWID;
  `,
  "ALTER TABLE repository ADD COLUMN denies_non_fast_forwards INTEGER NOT NULL DEFAULT 0",
  `
  -- Copies of production's data, each in the facet snapshot:<id>; a row is written once its copy is whole. of_deploy ran on the data;
  -- before_deploy is the one that replaced it, NULL where the copy was made by hand. size_bytes is NULL until somebody asked.
  CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    of_deploy INTEGER NOT NULL,
    before_deploy INTEGER UNIQUE,
    reason TEXT NOT NULL,
    taken_at_ms INTEGER NOT NULL,
    size_bytes INTEGER
  );
  CREATE INDEX snapshots_by_deploy ON snapshots (of_deploy);
  -- The snapshot whose data a deploy brings back. It is restored before the deploy's code starts, each time until it has started.
  ALTER TABLE deploys ADD COLUMN restores_snapshot INTEGER;
  -- The snapshot to go back to before anything runs again, because the start of a deploy that failed may have changed the data.
  ALTER TABLE live ADD COLUMN undo_snapshot INTEGER;
  ALTER TABLE repository ADD COLUMN kept_snapshots INTEGER NOT NULL DEFAULT 10;
  ALTER TABLE repository ADD COLUMN kept_snapshot_bytes INTEGER NOT NULL DEFAULT 1000000000;
  `,
  `
  -- The static assets of a deploy, as one compressed JSON text in rows below 2 MB. assets_id: hash of paths, contents and serving.
  CREATE TABLE asset_manifests (assets_id TEXT PRIMARY KEY, used_at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE asset_chunks (
    assets_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (assets_id, position)
  );
  -- Which R2 objects a manifest names; and where in them a content is, for the pushes to come.
  CREATE TABLE asset_objects (assets_id TEXT NOT NULL, object_id TEXT NOT NULL, PRIMARY KEY (assets_id, object_id)) WITHOUT ROWID;
  CREATE INDEX asset_objects_by_object ON asset_objects (object_id);
  CREATE TABLE asset_contents (blob_id TEXT PRIMARY KEY, object_id TEXT NOT NULL, offset INTEGER NOT NULL) WITHOUT ROWID;
  -- NULL: no assets.
  ALTER TABLE deploys ADD COLUMN assets_id TEXT;
  ALTER TABLE builds ADD COLUMN assets_id TEXT;
  CREATE INDEX deploys_by_assets ON deploys (assets_id) WHERE assets_id IS NOT NULL;
  `,
  `
  -- The hosts that an app may call, a JSON list for each scope; see EgressScope.
  CREATE TABLE egress (scope TEXT PRIMARY KEY, rules TEXT NOT NULL) WITHOUT ROWID;
  `,
  `
  -- The app's log, a row for each batch of lines: JSON, and its length.
  CREATE TABLE log_batches (
    last_id INTEGER PRIMARY KEY,
    first_id INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    lines TEXT NOT NULL
  );
  -- What the app used: counts that only grow.
  CREATE TABLE usage (
    day TEXT NOT NULL,
    facet TEXT NOT NULL,
    deploy_number INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    cpu_ms REAL NOT NULL,
    wall_ms REAL NOT NULL,
    egress_requests INTEGER NOT NULL,
    egress_sent_bytes INTEGER NOT NULL,
    egress_received_bytes INTEGER NOT NULL,
    log_lines INTEGER NOT NULL,
    dropped_log_lines INTEGER NOT NULL,
    PRIMARY KEY (day, facet, deploy_number)
  ) WITHOUT ROWID;
  `,
  // The name of the token that pushed; NULL: not known.
  "ALTER TABLE deploys ADD COLUMN actor TEXT",
  "ALTER TABLE repository ADD COLUMN root TEXT NOT NULL DEFAULT ''",
  `
  -- Every attempt to deploy, by the number that its deploy has if it makes one. failure and facts are JSON, see AttemptEnd.
  CREATE TABLE attempts (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    subject TEXT,
    actor TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    outcome TEXT,
    failure TEXT,
    facts TEXT NOT NULL DEFAULT '{}'
  );
  CREATE TABLE attempt_log (
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (number, position)
  ) WITHOUT ROWID;
  INSERT INTO attempts (number, kind, ref, commit_id, subject, actor, began_at_ms, ended_at_ms, outcome)
    SELECT number, 'push', ref, commit_id, subject, coalesce(actor, 'owner'), created_at_ms, created_at_ms,
      CASE state WHEN 'failed' THEN 'failed' WHEN 'superseded' THEN 'superseded' ELSE 'live' END
    FROM deploys;
  ALTER TABLE repository ADD COLUMN kept_deploys INTEGER NOT NULL DEFAULT 200;
  `,
  "ALTER TABLE repository ADD COLUMN rehearsed_bytes INTEGER NOT NULL DEFAULT 1000000000",
  `
  -- What is deployed beside production: see store/previews.ts. branch is NULL for an old deploy that is only on show.
  CREATE TABLE environments (
    facet TEXT PRIMARY KEY,
    branch TEXT UNIQUE,
    state TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL,
    pending_data TEXT,
    backup TEXT
  ) WITHOUT ROWID;
  ALTER TABLE repository ADD COLUMN max_previews INTEGER NOT NULL DEFAULT 10;
  ALTER TABLE repository ADD COLUMN preview_idle_hours INTEGER NOT NULL DEFAULT 168;
  `,
  "ALTER TABLE repository ADD COLUMN typecheck TEXT NOT NULL DEFAULT 'off'",
  // The path that a rehearsal asks for; NULL: none.
  "ALTER TABLE deploys ADD COLUMN probe TEXT",
  `
  -- What the owner set for env: see store/variables.ts. Of plain and sealed one is NULL.
  CREATE TABLE variables (
    value_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    plain TEXT,
    sealed BLOB,
    set_at_ms INTEGER NOT NULL,
    set_by TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE configurations (env_id TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE configuration_entries (
    env_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    value_id TEXT NOT NULL,
    PRIMARY KEY (env_id, scope, name)
  ) WITHOUT ROWID;
  -- The newest configuration. NULL: nothing was ever set.
  ALTER TABLE repository ADD COLUMN env_id TEXT;
  -- The deploy's configuration, and where it made that the newest, the newest before it: '' for none, NULL where it did not.
  ALTER TABLE deploys ADD COLUMN env_id TEXT;
  ALTER TABLE deploys ADD COLUMN env_before TEXT;
  CREATE INDEX deploys_by_env ON deploys (env_id) WHERE env_id IS NOT NULL;
  `,
  "ALTER TABLE repository ADD COLUMN quotas TEXT NOT NULL DEFAULT '{}'",
  `
  -- The classes of named objects, as JSON; NULL: the app has none. An object is a facet of its own, of its environment or snapshot.
  ALTER TABLE code ADD COLUMN objects TEXT;
  CREATE TABLE objects (
    facet TEXT NOT NULL,
    class_name TEXT NOT NULL,
    object_id TEXT NOT NULL,
    name TEXT,
    created_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL,
    has_sockets INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (facet, class_name, object_id)
  ) WITHOUT ROWID;
  `,
  // Until when a deletion can be undone; NULL: not deleted.
  "ALTER TABLE repository ADD COLUMN deleted_until_ms INTEGER",
  `
  -- Alarms of the app's objects: see store/alarms.ts.
  CREATE TABLE alarms (
    object TEXT PRIMARY KEY,
    facet TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX alarms_by_due ON alarms (due_ms);
  -- What is to run at a time: crons is a JSON list, see store/crons.ts.
  ALTER TABLE code ADD COLUMN crons TEXT NOT NULL DEFAULT '[]';
  CREATE TABLE crons (
    facet TEXT NOT NULL,
    cron TEXT NOT NULL,
    next_ms INTEGER NOT NULL,
    PRIMARY KEY (facet, cron)
  ) WITHOUT ROWID;
  ALTER TABLE repository ADD COLUMN preview_alarms INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE repository ADD COLUMN preview_crons INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- What goes back whole: see store/atomic-pushes.ts. An absent side of a ref is NULL.
  CREATE TABLE atomic_refs (
    push INTEGER NOT NULL,
    name TEXT NOT NULL,
    old_id TEXT,
    new_id TEXT,
    old_peeled_id TEXT,
    PRIMARY KEY (push, name)
  ) WITHOUT ROWID;
  ALTER TABLE deploys ADD COLUMN atomic_push INTEGER;
  CREATE INDEX deploys_by_atomic_push ON deploys (atomic_push) WHERE atomic_push IS NOT NULL;
  `,
  `
  -- How large an environment's own data and that of each object was when it last ran: see store/data-sizes.ts.
  ALTER TABLE live ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE objects ADD COLUMN size_bytes INTEGER NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE usage ADD COLUMN deploys INTEGER NOT NULL DEFAULT 0;
  INSERT INTO usage (day, facet, deploy_number, requests, errors, cpu_ms, wall_ms, egress_requests, egress_sent_bytes,
      egress_received_bytes, log_lines, dropped_log_lines, deploys)
    SELECT date(created_at_ms / 1000, 'unixepoch'), facet, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM deploys WHERE true
    ON CONFLICT DO UPDATE SET deploys = 1;
  `,
];

export const DIRECTORY_MIGRATIONS: Migrations = [
  `CREATE TABLE apps (name TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL) WITHOUT ROWID;`,
  `
  -- app is NULL for tokens of the whole host, whose access is "host".
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    app TEXT,
    access TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at_ms INTEGER,
    last_used_at_ms INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX tokens_by_app ON tokens (app, id);
  CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    token_id TEXT,
    action TEXT NOT NULL,
    app TEXT,
    address TEXT NOT NULL,
    outcome TEXT NOT NULL
  );
  CREATE INDEX audit_by_app ON audit (app, number);
  CREATE INDEX audit_by_time ON audit (at_ms);
  `,
  `
  -- Answers to calls with an Idempotency-Key, sealed; status is NULL while the call is being done.
  CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    status INTEGER,
    content_type TEXT,
    body BLOB
  );
  CREATE INDEX answers_by_time ON answers (at_ms);
  `,
  `
  -- Browsers that are signed in, and links that sign one in; token_id is NULL for the owner's own token.
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    token_id TEXT,
    expires_at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX sessions_by_end ON sessions (expires_at_ms);
  `,
  `
  -- What each app used since it was made, as it last reported.
  CREATE TABLE metrics (
    app TEXT PRIMARY KEY,
    requests INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    cpu_ms REAL NOT NULL,
    egress_requests INTEGER NOT NULL,
    deploys INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- The same as JSON: see AppMetrics.
  CREATE TABLE reports (app TEXT PRIMARY KEY, report TEXT NOT NULL) WITHOUT ROWID;
  INSERT INTO reports SELECT app, json_object('counts', json_object('requests', requests, 'errors', errors, 'cpuMs', cpu_ms,
    'egressRequests', egress_requests, 'deploys', deploys)) FROM metrics;
  DROP TABLE metrics;
  `,
];

/** Whether anything was ever written here. Reading this writes nothing. */
export function isMigrated(db: Database): boolean {
  return (
    findFirst(db.sql.exec("SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")) !==
    undefined
  );
}

/** Brings the database to the newest version, in one transaction; does nothing where it is there already. */
export function migrate(db: Database, migrations: Migrations): void {
  db.transaction(() => {
    db.sql.exec(
      "CREATE TABLE IF NOT EXISTS schema_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL)",
    );
    const version = findFirst(db.sql.exec<{ version: number }>("SELECT version FROM schema_version"))?.version ?? 0;
    if (version === migrations.length) return;
    for (const statements of migrations.slice(version)) db.sql.exec(statements);
    db.sql.exec("INSERT OR REPLACE INTO schema_version (only, version) VALUES (1, ?)", migrations.length);
  });
}
