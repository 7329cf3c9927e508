import { createHash } from 'node:crypto'
import { RedisClient } from 'bun'
import { ApiError, FatalError } from '../domain/errors.ts'
import { isFindableKey } from '../domain/key-scan.ts'
import { hashKey } from '../domain/keys.ts'
import { checkKey, checkValue } from '../domain/kv.ts'
import { KV_LIMITS } from '../domain/kv-limits.ts'
import { isSnowflake } from '../domain/presence.ts'
import { createLog } from '../lib/log.ts'
import { openStore, type Store } from './sqlite.ts'

/**
 * What Lanyard keeps in Redis: a hash `lanyard_kv:<user id>` of pairs, a string `api_key:<key>` with the user id for
 * every key that works, and a string `user_api_key:<user id>` with the person's current key.
 */
const PAIRS = 'lanyard_kv:'
const KEYS = 'api_key:'
const CURRENT_KEYS = 'user_api_key:'

type Person = readonly [userId: string, pairs: ReadonlyMap<string, string>]

/** A Lanyard's Redis, only read. What is not usable is added to `refused`, a line each, without values or keys. */
interface Lanyard {
  /** People and their valid pairs, some at a time. */
  pairs(refused: string[]): AsyncIterable<readonly Person[]>
  /** The hashes of each person's keys. */
  keys(refused: string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>
  close(): void
}

/** Throws FatalError when there is no Redis at the URL; the message does not repeat the URL, it may hold a password. */
async function connectLanyard(url: string): Promise<Lanyard> {
  const redis = await connect(url)

  async function* names(prefix: string): AsyncGenerator<readonly string[]> {
    // SCAN may tell a name twice.
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const [next, found] = await redis.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1000)
      const fresh = found.filter(name => !seen.has(name))
      for (const name of fresh) seen.add(name)
      if (fresh.length > 0) yield fresh.map(name => name.slice(prefix.length))
      cursor = next
    } while (cursor !== '0')
  }

  return {
    async *pairs(refused) {
      for await (const userIds of names(PAIRS)) {
        const people = await Promise.all(userIds.map(userId => readPairs(redis, userId, refused)))
        yield people.filter(person => person !== null)
      }
    },

    async keys(refused) {
      const owners = new Map<string, Set<string>>()
      const working = new Set<string>()
      for await (const keys of names(KEYS)) {
        const people = await Promise.all(keys.map(key => readText(redis, KEYS + key)))
        keys.forEach((key, at) => {
          const userId = people[at]
          working.add(hashKey(key))
          const fault = keyFault(key, userId)
          if (fault !== null) refused.push(`a key of ${isSnowflake(userId) ? userId : 'nobody'}: ${fault}`)
          else if (isSnowflake(userId)) owners.set(userId, (owners.get(userId) ?? new Set()).add(hashKey(key)))
        })
      }
      for await (const userIds of names(CURRENT_KEYS)) await reportDead(redis, userIds, working, refused)
      return owners
    },

    close: () => redis.close(),
  }
}

async function connect(url: string): Promise<RedisClient> {
  let redis: RedisClient | undefined
  try {
    redis = new RedisClient(withEscapedUser(url), { autoReconnect: false, connectionTimeout: 5000 })
    await redis.connect()
    await redis.ping()
    return redis
  } catch {
    redis?.close()
    throw new FatalError('Redis cannot be reached: check address, password and database number of the URL.')
  }
}

/** People paste passwords as they are, although in a URL `@`, `/`, `?` and `#` would have to be escaped. */
export function withEscapedUser(url: string): string {
  const [, scheme = '', user = '', password = '', place = ''] = /^(\w[\w+]*:\/\/)([^:@]*):(.*)@(.*)$/s.exec(url) ?? []
  if (!/[@/?#[\]\s]/.test(password)) return url
  return `${scheme}${user}:${encodeURIComponent(password)}@${place}`
}

async function readPairs(redis: RedisClient, userId: string, refused: string[]): Promise<Person | null> {
  if (!isSnowflake(userId)) {
    refused.push(`all pairs of ${shown(userId)}: not the id of a Discord user`)
    return null
  }
  const fields = await redis.hkeys(PAIRS + userId).catch(() => null)
  if (fields === null) {
    refused.push(`all pairs of ${userId}: not a hash in Redis`)
    return null
  }
  // In a fixed order, so that the same pairs fit under the limit in every run.
  fields.sort()
  const values = fields.length === 0 ? [] : await redis.hmget(PAIRS + userId, fields)
  const pairs = new Map<string, string>()
  for (const [at, field] of fields.entries()) {
    const value = values[at]
    if (value === null || value === undefined) continue
    const fault = (await isExact(redis, userId, field, value)) ? pairFault(field, value) : 'value is not UTF-8'
    if (fault === null) pairs.set(field, value)
    else refused.push(`pair ${shown(field)} of ${userId}: ${fault}`)
  }
  return [userId, pairs]
}

/** Bytes that are not UTF-8 arrive as replacement characters. Whether one was meant, only Redis knows. */
async function isExact(redis: RedisClient, userId: string, field: string, value: string): Promise<boolean> {
  if (!value.includes('\ufffd')) return true
  const script = "return redis.sha1hex(redis.call('HGET', KEYS[1], ARGV[1]))"
  const sha1 = await redis.send('EVAL', [script, '1', PAIRS + userId, field]).catch(() => null)
  return sha1 === createHash('sha1').update(value).digest('hex')
}

function pairFault(key: string, value: string): string | null {
  try {
    checkKey(key)
    checkValue(value)
    return null
  } catch (error) {
    return error instanceof ApiError ? error.message : 'unusable'
  }
}

function keyFault(key: string, userId: string | null | undefined): string | null {
  if (!isSnowflake(userId)) return 'its owner is not the id of a Discord user'
  return isFindableKey(key) ? null : 'it is too short to be safe, or has characters that keys do not have'
}

async function readText(redis: RedisClient, name: string): Promise<string | null> {
  return redis.get(name).catch(() => null)
}

/** A current key without its counterpart works in Lanyard no more, so it does not start to work here. */
async function reportDead(
  redis: RedisClient,
  userIds: readonly string[],
  working: ReadonlySet<string>,
  refused: string[],
): Promise<void> {
  const keys = await Promise.all(userIds.map(userId => readText(redis, CURRENT_KEYS + userId)))
  userIds.forEach((userId, at) => {
    const key = keys[at]
    if (key !== null && key !== undefined && working.has(hashKey(key))) return
    refused.push(`the current key of ${shown(userId)}: it does not work in Lanyard either`)
  })
}

/** A name out of Redis for a report: quoted when it is odd, never long. */
function shown(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name
  return /^\w+$/.test(short) ? short : JSON.stringify(short)
}

/** How many of something were taken over, were here already, or stay as they are here although Lanyard differs. */
interface Tally {
  added: number
  unchanged: number
  kept: number
}

interface ImportReport {
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
export async function importLanyard(redisUrl: string, databasePath: string, maxPairsMib = 256): Promise<string> {
  // First, so that no empty database is left behind where there is nothing to take over.
  const lanyard = await connectLanyard(redisUrl)
  try {
    const store = openStore(databasePath, {
      log: createLog({ level: 'warn', format: 'text' }),
      patience: 0,
      maxPairsMib,
    })
    try {
      return renderReport(await takeOver(lanyard, store))
    } finally {
      await store.close()
    }
  } finally {
    lanyard.close()
  }
}

/** Reads everything and stores what is right. */
async function takeOver(lanyard: Lanyard, store: ImportTarget): Promise<ImportReport> {
  const report: ImportReport = { pairs: tally(), keys: tally(), refused: [] }
  for await (const people of lanyard.pairs(report.refused)) {
    for (const some of inParts(people)) {
      await Promise.all(some.map(([userId, pairs]) => takePairs(store, report, userId, pairs)))
    }
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

/** Characters that are given to the store at once: it refuses what is too much to wait. */
const AT_ONCE = 4_000_000

function* inParts(people: readonly Person[]): Generator<readonly Person[]> {
  let part: Person[] = []
  let length = 0
  for (const person of people) {
    part.push(person)
    for (const [key, value] of person[1]) length += key.length + value.length
    if (length < AT_ONCE) continue
    yield part
    part = []
    length = 0
  }
  yield part
}

const tally = (): Tally => ({ added: 0, unchanged: 0, kept: 0 })

async function takePairs(
  store: ImportTarget,
  { pairs: counts, refused }: ImportReport,
  userId: string,
  pairs: ReadonlyMap<string, string>,
): Promise<void> {
  const { added, unchanged, kept, overLimit, overBudget } = await store.importPairs(userId, pairs)
  counts.added += added.length
  counts.unchanged += unchanged.length
  counts.kept += kept.length
  for (const key of overBudget) refused.push(`pair ${key} of ${userId}: more than all pairs may take (MAX_PAIRS_MIB)`)
  for (const key of overLimit) refused.push(`pair ${key} of ${userId}: more than ${KV_LIMITS.keys} keys`)
}

function renderReport({ pairs, keys, refused }: ImportReport): string {
  const both = (of: 'added' | 'unchanged') => `${counted(pairs[of], 'pair')} and ${counted(keys[of], 'key')}`
  const lines = [`Took over ${both('added')}.`]
  if (pairs.unchanged + keys.unchanged > 0) lines.push(`Here already: ${both('unchanged')}.`)
  if (pairs.kept > 0)
    lines.push(`Left as they are in Exoix, with another value than in Lanyard: ${counted(pairs.kept, 'pair')}.`)
  if (keys.kept > 0)
    lines.push(`Left out, their owners have made or revoked a key in Exoix: ${counted(keys.kept, 'key')}.`)
  if (refused.length > 0) lines.push(`Refused ${refused.length}:`, ...refused.map(line => `  ${line}`))
  return lines.join('\n')
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
