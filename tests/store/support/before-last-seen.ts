import { FIRST_VERSION } from './first-version.ts'

/** A database exactly as the last version wrote it that did not note when people were last seen. Never to be changed. */
export const BEFORE_LAST_SEEN = `${FIRST_VERSION}
  CREATE TABLE people (
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
  ) STRICT;
  CREATE TABLE github_links (
    user_id TEXT PRIMARY KEY,
    github_id INTEGER NOT NULL,
    login TEXT NOT NULL,
    account TEXT,
    etag TEXT,
    checked_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE chores (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  INSERT INTO people (id, user, status, platforms, activities, spotify, memberships) VALUES (
    '100000000000000001', '{"id":"100000000000000001","bot":false,"public_flags":0}', 'idle', 1, '[]', 'null',
    '[{"guildId":"1","nick":null}]'
  );
  PRAGMA user_version = 4;
`
