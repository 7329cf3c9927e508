import { Database } from 'bun:sqlite'
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { FatalError } from '../domain/errors.ts'
import { type Finding, HINTS, note, ok, wrong } from '../domain/operator.ts'
import { explaining, isClaimed } from './database.ts'
import { databaseFile, MEMORY } from './files.ts'
import { SCHEMA, schemaVersion } from './migrations.ts'

const TOPIC = 'database'

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
