import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FatalError } from '../domain/errors.ts'
import { HOUR, MINUTE } from '../lib/clock.ts'
import { backup } from '../store/backup.ts'

export interface BackupPlan {
  readonly databasePath: string
  readonly folder: string
  /** Milliseconds from one to the next. */
  readonly every: number
  /** How many are kept; older ones go when there is a new one. */
  readonly keep: number
}

interface Surroundings {
  readonly say: (text: string) => void
  readonly complain: (text: string) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
}

/** What was not possible is tried again so soon, or when the next is due if that is sooner. Milliseconds. */
const RETRY = 10 * MINUTE
/** It is looked at the clock at least so often: timers do not count time asleep. Milliseconds. */
const LOOK = HOUR

const NAME = /^exoix-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.db$/
const nameAt = (time: number) => `exoix-${new Date(time).toISOString().slice(0, 19).replaceAll(':', '-')}Z.db`

/**
 * Makes back-ups of a database into a folder, one after the other, for ever. When there is one from an
 * earlier run, the next is due so long after that. Throws FatalError when the folder cannot be made.
 */
export async function keepBackups(plan: BackupPlan, around: Surroundings): Promise<never> {
  const { folder, every } = plan
  openFolder(folder)
  let due = Math.max(...timesIn(folder), Number.NEGATIVE_INFINITY) + every
  for (;;) {
    const now = around.now()
    if (now < due) await around.sleep(Math.min(due - now, LOOK))
    else due = now + ((await backUp(plan, around, now)) ? every : Math.min(every, RETRY))
  }
}

async function backUp({ databasePath, folder, keep }: BackupPlan, around: Surroundings, now: number): Promise<boolean> {
  try {
    around.say(await backup(databasePath, join(folder, nameAt(now))))
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    around.complain(`no backup was made: ${error.message}`)
    return false
  }
  const old = readdirSync(folder)
    .filter(name => NAME.test(name))
    .sort()
    .reverse()
    .slice(keep)
  for (const name of old) {
    rmSync(join(folder, name), { force: true })
    around.say(`Removed ${join(folder, name)}.`)
  }
  return true
}

function openFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    readdirSync(folder)
  } catch (error) {
    throw new FatalError(`${folder} cannot be used (${(error as { code?: unknown }).code}).`)
  }
}

function timesIn(folder: string): number[] {
  return readdirSync(folder).flatMap(name => {
    const [, day, hour, minute, second] = NAME.exec(name) ?? []
    return day === undefined ? [] : [Date.parse(`${day}T${hour}:${minute}:${second}Z`)]
  })
}
