import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Log } from '../../../src/lib/log.ts'

/** A folder of its own that is gone after the block that declared it with `using`. */
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'exoix-store-'))
  return {
    folder,
    file: (name = 'exoix.db') => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export const silent: Log = createLog({ level: 'silent', format: 'text' })

/** A log whose lines can be read. */
export function listening() {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'debug', format: 'json', write: line => void lines.push(line) }) }
}
