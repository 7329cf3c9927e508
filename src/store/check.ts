import { Database } from 'bun:sqlite'
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { FatalError } from '../domain/errors.ts'
import { type Finding, HINTS, note, ok, wrong } from '../domain/operator.ts'
import { explaining, isClaimed } from './database.ts'
import { databaseFile, MEMORY } from './files.ts'
import { SCHEMA, schemaVersion } from './migrations.ts'
import { describeSummary, summarize } from './survey.ts'

const TOPIC = 'database'
const CONTENTS = 'contents'

/** Whether Exoix can work with its database. Nothing is made, upgraded or locked: a server may be using it. */
export function examineDatabase(path: string): Finding {
  const file = databaseFile(path)
  if (file === MEMORY) return note(TOPIC, 'DATABASE_PATH is :memory:, so nothing outlives the process')
  try {
    return existsSync(file) ? examineFile(file) : examineFolder(file)
  } catch (error) {
    if (error instanceof FatalError) return wrong(TOPIC, error.message)
    throw error
  }
}

function examineFolder(file: string): Finding {
  if (!isWritable(dirname(file))) return wrong(TOPIC, HINTS.folderUnusable(file))
  return ok(TOPIC, `${file} will be made at the first start`)
}

function examineFile(file: string): Finding {
  if (!isWritable(file) || !isWritable(dirname(file))) {
    return wrong(TOPIC, `${file} or its folder may not be written to. Mend their permissions or DATABASE_PATH.`)
  }
  const version = explaining(file, () => readVersion(file))
  const state = isClaimed(file) ? 'in use by an Exoix that is running' : 'not in use'
  const upgrade = version < SCHEMA ? `, to be upgraded to ${SCHEMA} at the next start` : ''
  return ok(TOPIC, `${file} can be written to, has schema ${version}${upgrade}, and is ${state}`)
}

/** Looking through a file takes as long as reading it. Milliseconds. */
const PATIENCE = 6_000

/** In a thread of its own: a large file is no reason to answer late. */
const LOOK_THROUGH = `
  import { Database } from 'bun:sqlite'
  self.onmessage = ({ data: file }) => {
    try {
      const db = new Database(file, { readwrite: true, create: false })
      db.run('PRAGMA busy_timeout = 1000')
      db.run('PRAGMA query_only = ON')
      postMessage(db.query('PRAGMA integrity_check(1)').values().flat().join())
      db.close()
    } catch (error) {
      postMessage(String(error))
    }
  }`

/** Whether everything in the database can be read, and how much there is of it. Nothing where there is no database yet. */
export async function examineContents(path: string): Promise<Finding[]> {
  const file = databaseFile(path)
  if (file === MEMORY || !existsSync(file)) return []
  try {
    if (explaining(file, () => readVersion(file)) < SCHEMA) return []
    const told = await lookThrough(file)
    const size = describeSummary(summarize(file))
    if (told === null) return [note(CONTENTS, `${file} is too large to be looked through now; ${size}`)]
    if (told !== 'ok') return [wrong(CONTENTS, `${file} is damaged (${told}). Put a backup in its place.`)]
    return [ok(CONTENTS, `whole; ${size}`)]
  } catch (error) {
    // What keeps it from being read at all has been said.
    if (error instanceof FatalError) return []
    throw error
  }
}

/** Resolves with what SQLite says of it, `ok` when it is whole; null when that takes too long. */
function lookThrough(file: string): Promise<string | null> {
  const code = URL.createObjectURL(new Blob([LOOK_THROUGH], { type: 'text/javascript' }))
  const worker = new Worker(code)
  const { promise, resolve } = Promise.withResolvers<string | null>()
  worker.onmessage = ({ data }) => resolve(String(data))
  worker.onerror = ({ message }) => resolve(message)
  worker.postMessage(file)
  const timer = setTimeout(() => resolve(null), PATIENCE)
  return promise.finally(() => {
    clearTimeout(timer)
    worker.terminate()
    URL.revokeObjectURL(code)
  })
}

function readVersion(file: string): number {
  // Not for reading only: such a connection cannot read what a server has still in its log.
  const db = new Database(file, { readwrite: true, create: false })
  try {
    return schemaVersion(db, file)
  } finally {
    db.close()
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
