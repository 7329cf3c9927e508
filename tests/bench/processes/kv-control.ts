import { Database } from 'bun:sqlite'
import { now, takeCommands } from '../support/commands.ts'

let upsert: (key: string, value: string) => void = () => {
  throw new Error('open comes first')
}

/** A table like ours, as durable as ours, and nothing else. */
function open(file: string): void {
  const db = new Database(file, { create: true })
  db.run('PRAGMA journal_mode = WAL')
  db.run('PRAGMA synchronous = FULL')
  db.run(
    'CREATE TABLE pairs (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (user_id, key)) STRICT',
  )
  const statement = db.prepare<void, [string, string]>(
    "INSERT INTO pairs (user_id, key, value) VALUES ('1', ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
  )
  upsert = (key, value) => void statement.run(key, value)
}

/** One durable upsert after the other. Answers how many a second. */
function run(seconds: number): number {
  const began = now()
  const end = began + seconds * 1000
  let writes = 0
  while (now() < end) {
    upsert(`k${writes % 64}`, `value ${writes}`)
    writes++
  }
  return (writes / (now() - began)) * 1000
}

takeCommands({ open, run })
