/** A database exactly as the first released version wrote it. Never to be changed: upgrades start from it. */
export const FIRST_VERSION = `
  CREATE TABLE pairs (
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
  CREATE TABLE hidden (user_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  INSERT INTO pairs (user_id, key, value) VALUES ('100000000000000001', 'a', '1');
  INSERT INTO keys (hash, user_id, origin) VALUES ('hash', '100000000000000001', 'issued');
  INSERT INTO hidden (user_id) VALUES ('100000000000000001');
  PRAGMA application_id = 1163415369;
  PRAGMA user_version = 1;
`
