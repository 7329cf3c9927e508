import { Database } from 'bun:sqlite'
import { statSync } from 'node:fs'
import { FatalError } from '../domain/errors.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import { clean } from '../domain/text.ts'
import { MIB } from '../lib/bytes.ts'
import { explaining } from './database.ts'
import { SCHEMA, schemaVersion } from './migrations.ts'

/** Somebody of whom something is kept. */
export interface Listed {
  readonly id: string
  /** As it is shown, of the account, and nicknames. None of who is no member any more. */
  readonly names: readonly string[]
  readonly guilds: number
  readonly pairs: number
  /** What the pairs take. */
  readonly bytes: number
  /** `now`, a time as ISO 8601 has it, or `-` where it is not known. */
  readonly lastSeen: string
  /** `hidden` by themselves, `excluded` by the operator, `left` every server. */
  readonly notes: readonly string[]
}

interface PersonRow {
  id: string
  user: string | null
  memberships: string | null
  status: string | null
  last_seen_at: number | null
  pairs: number
  bytes: number
  hidden: number
  excluded: number
}

/** What there is of somebody besides the person. */
const OWNED = `
  coalesce(pairs, 0) AS pairs, coalesce(bytes, 0) AS bytes,
  EXISTS (SELECT 1 FROM hidden WHERE user_id = ids.id) AS hidden,
  EXISTS (SELECT 1 FROM excluded WHERE user_id = ids.id) AS excluded`
const PAIRS = `
  SELECT user_id, count(*) AS pairs, sum(octet_length(key) + octet_length(value)) AS bytes FROM pairs GROUP BY user_id`

const MEMBERS = `
  WITH owned AS (${PAIRS})
  SELECT id, user, memberships, status, last_seen_at, ${OWNED}
  FROM people AS ids LEFT JOIN owned ON owned.user_id = ids.id`

const OTHERS = `
  WITH
    owned AS (${PAIRS}),
    ids AS (
      SELECT user_id AS id FROM owned UNION SELECT user_id FROM histories UNION SELECT user_id FROM github_links
      UNION SELECT user_id FROM keys WHERE origin <> 'revoked'
      UNION SELECT user_id FROM hidden UNION SELECT user_id FROM excluded
    )
  SELECT id, NULL AS user, NULL AS memberships, NULL AS status, NULL AS last_seen_at, ${OWNED}
  FROM ids LEFT JOIN owned ON owned.user_id = ids.id
  WHERE id NOT IN (SELECT id FROM people)`

/** Whoever has the text in their id or one of their names; everybody without one. A server may be using the file. */
export function listPeople(file: string, text = ''): readonly Listed[] {
  const wanted = text.toLowerCase()
  const rows = reading(file, db => [MEMBERS, OTHERS].flatMap(query => db.query<PersonRow, []>(query).all()))
  const people = rows.map(readListed).sort(byId)
  const isWanted = ({ id, names }: Listed) => [id, ...names].some(name => name.toLowerCase().includes(wanted))
  return wanted === '' ? people : people.filter(isWanted)
}

/** Snowflakes are numbers, and too long to be one here. */
function byId({ id: one }: Listed, { id: other }: Listed): number {
  if (one.length !== other.length) return one.length - other.length
  return one < other ? -1 : 1
}

function readListed(row: PersonRow): Listed {
  const isMember = row.user !== null
  const { username, global_name } = readObject(row.user)
  const memberships = readList(row.memberships)
  const isOnline = isMember && row.status !== 'offline' && row.status !== 'unknown'
  const seen = row.last_seen_at === null ? '-' : new Date(row.last_seen_at).toISOString()
  const names = [global_name, username, ...memberships.map(({ nick }) => nick)].map(shown).filter(Boolean)
  return {
    id: row.id,
    names: [...new Set(names)],
    guilds: memberships.length,
    pairs: row.pairs,
    bytes: row.bytes,
    lastSeen: isOnline ? 'now' : seen,
    notes: [row.hidden ? 'hidden' : '', row.excluded ? 'excluded' : '', isMember ? '' : 'left'].filter(Boolean),
  }
}

/** Most names are what they seem, and there are many. */
const shown = (name: unknown) => (typeof name === 'string' && /^[!-~]{1,64}$/.test(name) ? name : clean(name))

/** What is damaged has no names. */
function readObject(text: string | null): JsonObject {
  const value = parse(text)
  return isObject(value) ? value : {}
}

function readList(text: string | null): readonly JsonObject[] {
  const value = parse(text)
  return Array.isArray(value) ? value.filter(isObject) : []
}

function parse(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text)
  } catch {
    return null
  }
}

/** A line each, with tabs between the columns, under a line that names them. */
export function renderPeople(people: readonly Listed[]): string {
  const lines = people.map(({ id, names, guilds, pairs, bytes, lastSeen, notes }) =>
    [id, names.join(' / ') || '-', guilds, pairs, bytes, lastSeen, notes.join(',')].join('\t').trimEnd(),
  )
  return ['id\tname\tguilds\tpairs\tbytes\tlast seen\tnotes', ...lines].join('\n')
}

/** How much there is of what. */
export interface Summary {
  readonly people: number
  readonly hidden: number
  readonly excluded: number
  readonly pairs: number
  readonly pairBytes: number
  readonly pairOwners: number
  readonly keys: number
  readonly links: number
  readonly histories: number
  /** Of the file and its log. */
  readonly fileBytes: number
}

const SUMMARY = `
  SELECT
    (SELECT count(*) FROM people) AS people,
    (SELECT count(*) FROM hidden) AS hidden,
    (SELECT count(*) FROM excluded) AS excluded,
    (SELECT count(*) FROM pairs) AS pairs,
    (SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) FROM pairs) AS pairBytes,
    (SELECT count(DISTINCT user_id) FROM pairs) AS pairOwners,
    (SELECT count(*) FROM keys WHERE origin <> 'revoked') AS keys,
    (SELECT count(*) FROM github_links) AS links,
    (SELECT count(*) FROM histories) AS histories`

export function summarize(file: string): Summary {
  const counts = reading(file, db => db.query<Omit<Summary, 'fileBytes'>, []>(SUMMARY).get())
  const sizes = [file, `${file}-wal`].map(path => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
  if (counts === null) throw new FatalError(`${file} could not be read.`)
  return { ...counts, fileBytes: sizes.reduce((sum, size) => sum + size, 0) }
}

export function renderSummary(of: Summary): string {
  return [
    `people         ${of.people}`,
    `hidden         ${of.hidden} by themselves, ${of.excluded} by the operator`,
    `pairs          ${of.pairs} of ${of.pairOwners} people, ${mib(of.pairBytes)}`,
    `keys           ${of.keys}`,
    `GitHub links   ${of.links}`,
    `histories      ${of.histories}`,
    `database       ${mib(of.fileBytes)}`,
  ].join('\n')
}

/** The most important of it, in half a sentence. */
export function describeSummary({ people, pairs, pairBytes, fileBytes }: Summary): string {
  return `people: ${people}, pairs: ${pairs} (${mib(pairBytes)}); the file takes ${mib(fileBytes)}`
}

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`

function reading<T>(file: string, read: (db: Database) => T): T {
  return explaining(file, () => {
    // Not for reading only: such a connection cannot read what a server has still in its log.
    const db = new Database(file, { readwrite: true, create: false })
    try {
      db.run('PRAGMA busy_timeout = 1000')
      db.run('PRAGMA query_only = ON')
      if (schemaVersion(db, file) < SCHEMA) throw new FatalError(`${file} is of an older Exoix: start this one once.`)
      return read(db)
    } finally {
      db.close()
    }
  })
}
