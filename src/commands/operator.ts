import { createInterface } from 'node:readline'
import type { Config } from '../config.ts'
import { FatalError } from '../domain/errors.ts'
import { Keys } from '../domain/keys.ts'
import { createKv } from '../domain/kv.ts'
import { type Measure, type MeasureTaken, Moderation } from '../domain/moderation.ts'
import { PresenceStore } from '../domain/presence-store.ts'
import { Privacy } from '../domain/privacy.ts'
import { createLog } from '../lib/log.ts'
import { existingFile, isClaimed } from '../store/database.ts'
import { openStore } from '../store/sqlite.ts'
import { listPeople, renderPeople, renderSummary, summarize } from '../store/survey.ts'
import { askControl, keepNow } from './control.ts'

/** What the commands need of the settings. */
type Place = Pick<Config, 'databasePath' | 'maxPairsMib'>

/** Takes a measure: through the server that uses the database, or on the file itself. Resolves with what became of it. */
export async function takeMeasure(place: Place, measure: Measure, userId: string): Promise<MeasureTaken> {
  const file = existingFile(place.databasePath)
  if (isClaimed(file)) return askControl(file, measure, userId)
  const log = createLog({ level: 'warn', format: 'text' })
  const store = openStore(file, { log, patience: 0, maxPairsMib: place.maxPairsMib })
  try {
    const presences = new PresenceStore()
    const keys = new Keys(store)
    const privacy = new Privacy(store, { presences, kv: createKv(store, presences, keys), keys })
    return await new Moderation(privacy, keys).take(measure, userId)
  } finally {
    await store.close()
  }
}

/** Everybody of whom something is kept, as lines; those who have the text in their names or id. */
export async function people({ databasePath }: Place, text: string | undefined): Promise<string> {
  const file = existingFile(databasePath)
  await keepNow(file)
  return renderPeople(listPeople(file, text))
}

export async function stats({ databasePath }: Place): Promise<string> {
  const file = existingFile(databasePath)
  await keepNow(file)
  return renderSummary(summarize(file))
}

/** Asks before anything is erased. Throws FatalError unless the answer is yes. */
export async function confirmErasure({ databasePath }: Place, userId: string): Promise<void> {
  const [known] = listPeople(existingFile(databasePath), userId).filter(({ id }) => id === userId)
  const who = known === undefined || known.names.length === 0 ? userId : `${known.names.join(' / ')} (${userId})`
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const { promise, resolve } = Promise.withResolvers<string>()
  lines.question(`Erase everything that is kept of ${who}, for good? [y/N] `, resolve)
  lines.on('close', () => resolve(''))
  const answer = await promise
  lines.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new FatalError('Nothing was erased. To be asked nothing, add --yes.')
}
