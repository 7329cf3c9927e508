import type { Database } from 'bun:sqlite'
import { FatalError } from '../domain/errors.ts'

/** Marks a SQLite file as one of ours: "EXOI". Source: SQLite docs, PRAGMA application_id. */
export const APPLICATION_ID = 0x45584f49

/**
 * One step each; the file's `user_version` says how many it has. Never edit a released one: add the next.
 *
 * - pairs have a row id so that they come back in the order in which they were set.
 * - absences hold since when (ms) somebody with pairs is in no guild.
 * - keys keep hashes only. Origin: made here, imported, or imported and revoked since (so that a second import does not
 *   bring it back).
 * - people and sessions are what was shown, and the gateway event it reflects: always written together. last_seen_at is in ms.
 * - github_links hold an account's number, which never changes, and the last good copy of what it shows; no tokens.
 * - arrived are those who have been welcomed.
 * - histories are those of people who agreed, and when (ms), with what goes on with them; past is what has ended, and when
 *   (ms): both JSON, written together with the presences they were seen in.
 * - hidden are those who wish to be, excluded those whom the operator hides, opted_in those who want to be shown.
 * - moments are when something was done last (ms).
 * - profiles hold what Discord tells of people over REST only, and when (ms) it did.
 * - app_icons hold the hashes of applications' icons, and when (ms) Discord told of each.
 * - chores are what is still to be done to the file itself.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE pairs (
     id INTEGER PRIMARY KEY,
     user_id TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     UNIQUE (user_id, key)
   ) STRICT;
   CREATE TABLE absences (user_id TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE keys (
     hash TEXT PRIMARY KEY,
     user_id TEXT NOT NULL,
     origin TEXT NOT NULL CHECK (origin IN ('issued', 'imported', 'revoked'))
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX keys_of_user ON keys (user_id);
   CREATE TABLE hidden (user_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE people (
     id TEXT PRIMARY KEY,
     user TEXT NOT NULL,
     status TEXT NOT NULL,
     platforms INTEGER NOT NULL,
     activities TEXT NOT NULL,
     spotify TEXT NOT NULL,
     memberships TEXT NOT NULL
   ) STRICT;
   CREATE TABLE sessions (
     shard_id INTEGER PRIMARY KEY,
     shard_count INTEGER NOT NULL,
     session_id TEXT NOT NULL,
     resume_url TEXT NOT NULL,
     sequence INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE github_links (
     user_id TEXT PRIMARY KEY,
     github_id INTEGER NOT NULL,
     login TEXT NOT NULL,
     account TEXT,
     etag TEXT,
     checked_at INTEGER NOT NULL
   ) STRICT;`,
  'CREATE TABLE chores (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
  'ALTER TABLE people ADD COLUMN last_seen_at INTEGER;',
  'CREATE TABLE arrived (user_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
  `CREATE TABLE histories (
     user_id TEXT PRIMARY KEY,
     since INTEGER NOT NULL,
     ongoing TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE past (
     id INTEGER PRIMARY KEY,
     user_id TEXT NOT NULL,
     until INTEGER NOT NULL,
     told TEXT NOT NULL
   ) STRICT;
   CREATE INDEX past_of_user ON past (user_id, until);
   CREATE INDEX past_until ON past (until);
   CREATE TABLE moments (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
  'CREATE TABLE hub (id INTEGER PRIMARY KEY CHECK (id = 1), owner TEXT NOT NULL, term INTEGER NOT NULL) STRICT;',
  `CREATE TABLE app_icons (id TEXT PRIMARY KEY, icon TEXT NOT NULL, checked_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
  'CREATE TABLE excluded (user_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
  `CREATE TABLE profiles (
     user_id TEXT PRIMARY KEY,
     banner TEXT,
     accent_color INTEGER,
     checked_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  'CREATE TABLE opted_in (user_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
]

/** How many steps a database of this version has. */
export const SCHEMA = MIGRATIONS.length

/** Brings the file to this version's schema, a transaction a step. Throws FatalError for what is not ours, or is newer. */
export function migrate(db: Database, name: string): void {
  const version = schemaVersion(db, name)
  for (let step = version; step < MIGRATIONS.length; step++) {
    db.transaction(() => {
      db.run(MIGRATIONS[step] ?? '')
      db.run(`PRAGMA application_id = ${APPLICATION_ID}`)
      db.run(`PRAGMA user_version = ${step + 1}`)
    }).immediate()
  }
}

/** How many steps the file has, 0 for a new one. Throws FatalError for what is not ours, or is newer. */
export function schemaVersion(db: Database, name: string): number {
  const version = pragma(db, 'user_version')
  const tables = db.query<{ count: number }, []>('SELECT count(*) AS count FROM sqlite_schema').get()?.count ?? 0
  if (version === 0 && tables === 0) return 0
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new FatalError(`${name} is a database of another program, not one of Exoix. Choose another DATABASE_PATH.`)
  }
  if (version > MIGRATIONS.length) {
    throw new FatalError(
      `${name} was written by a newer Exoix (schema ${version}, this one knows up to ${MIGRATIONS.length}). ` +
        'Start that version, or restore a backup made before it.',
    )
  }
  return version
}

function pragma(db: Database, name: 'user_version' | 'application_id'): number {
  return Number(db.query<[number], []>(`PRAGMA ${name}`).values()[0]?.[0] ?? 0)
}
