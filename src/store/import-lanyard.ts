import { createLog } from '../lib/log.ts'
import { connectLanyard, type Lanyard } from './lanyard.ts'
import { openStore, type Store } from './sqlite.ts'

/** How many of something were taken over, were here already, or stay as they are here although Lanyard differs. */
interface Tally {
  added: number
  unchanged: number
  kept: number
}

export interface ImportReport {
  readonly pairs: Tally
  readonly keys: Tally
  /** One line each, never with a value or a key in it. */
  readonly refused: string[]
}

/** The part of a store that is imported into. */
type ImportTarget = Pick<Store, 'importPairs' | 'importKeys'>

/**
 * Takes over pairs and keys from a running Lanyard's Redis, which is only read. Exoix has the last word: a pair that is
 * here with another value stays, and somebody who has made or revoked a key here gets no old one back. So it can be run
 * again at any time; only what has been deleted here meanwhile comes back while Lanyard still has it. Resolves with the report as text. Throws FatalError when Redis or the database cannot be used.
 */
export async function importLanyard(redisUrl: string, databasePath: string): Promise<string> {
  const store = openStore(databasePath, { log: createLog({ level: 'warn', format: 'text' }), patience: 0 })
  try {
    const lanyard = await connectLanyard(redisUrl)
    try {
      return renderReport(await takeOver(lanyard, store))
    } finally {
      lanyard.close()
    }
  } finally {
    await store.close()
  }
}

/** Reads everything and stores what is right. */
export async function takeOver(lanyard: Lanyard, store: ImportTarget): Promise<ImportReport> {
  const report: ImportReport = { pairs: tally(), keys: tally(), refused: [] }
  for await (const people of lanyard.pairs(report.refused)) {
    await Promise.all(people.map(([userId, pairs]) => takePairs(store, report, userId, pairs)))
  }
  const owners = await lanyard.keys(report.refused)
  await Promise.all(
    Array.from(owners, async ([userId, hashes]) => {
      report.keys[await store.importKeys(userId, hashes)] += hashes.size
    }),
  )
  report.refused.sort()
  return report
}

const tally = (): Tally => ({ added: 0, unchanged: 0, kept: 0 })

async function takePairs(
  store: ImportTarget,
  { pairs: counts, refused }: ImportReport,
  userId: string,
  pairs: ReadonlyMap<string, string>,
): Promise<void> {
  const { added, unchanged, kept, overLimit } = await store.importPairs(userId, pairs)
  counts.added += added.length
  counts.unchanged += unchanged.length
  counts.kept += kept.length
  for (const key of overLimit) refused.push(`pair ${key} of ${userId}: more than 512 keys`)
}

function renderReport({ pairs, keys, refused }: ImportReport): string {
  const lines = [`Took over ${pairs.added} pairs and ${keys.added} keys.`]
  if (pairs.unchanged + keys.unchanged > 0)
    lines.push(`Here already: ${pairs.unchanged} pairs and ${keys.unchanged} keys.`)
  if (pairs.kept > 0) lines.push(`Left as they are in Exoix, with another value than in Lanyard: ${pairs.kept} pairs.`)
  if (keys.kept > 0) lines.push(`Left out, their owners have made or revoked a key in Exoix: ${keys.kept} keys.`)
  if (refused.length > 0) lines.push(`Refused ${refused.length}:`, ...refused.map(line => `  ${line}`))
  return lines.join('\n')
}
