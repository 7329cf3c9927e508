import type { Database } from 'bun:sqlite'
import type { GatewaySession, State, StateStore } from '../domain/checkpoint.ts'
import type { Membership, SavedPerson } from '../domain/person.ts'
import { isObject, isSnowflake, isStatus } from '../domain/presence.ts'
import type { Damage } from './damage.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'
import type { PastStore } from './history.ts'

interface PersonRow {
  rowid: number
  id: string
  user: string
  status: string
  platforms: number
  activities: string
  spotify: string
  memberships: string
  last_seen_at: number | null
  /** Whether every text that has to be JSON is. */
  valid: number
}

interface SessionRow {
  shard_id: number
  shard_count: number
  session_id: string
  resume_url: string
  sequence: number
}

/** The status of people whose presence is awaited. */
const AWAITED = 'unknown'

/** Saved presences and the gateway sessions they reflect. */
export class PeopleStore implements StateStore, Eraser {
  readonly #group: GroupCommit
  readonly #damage: Damage
  readonly #past: Pick<PastStore, 'save'>
  readonly #people
  readonly #put
  readonly #remove
  readonly #removeRow
  readonly #sessions
  readonly #clearSessions
  readonly #putSession
  #whole = true

  constructor(db: Database, group: GroupCommit, damage: Damage, past: Pick<PastStore, 'save'>) {
    this.#group = group
    this.#past = past
    this.#damage = damage
    this.#people = db.prepare<PersonRow, []>(
      `SELECT rowid, *, json_valid(user) AND json_valid(activities) AND json_valid(spotify) AND json_valid(memberships) AS valid
       FROM people`,
    )
    this.#put = db.prepare<void, [string, string, string, number, string, string, string, number | null]>(
      `INSERT OR REPLACE INTO people (id, user, status, platforms, activities, spotify, memberships, last_seen_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#remove = db.prepare<void, [string]>('DELETE FROM people WHERE id = ?')
    this.#removeRow = db.prepare<void, [number]>('DELETE FROM people WHERE rowid = ?')
    this.#sessions = db.prepare<SessionRow, []>('SELECT * FROM sessions')
    this.#clearSessions = db.prepare<void, []>('DELETE FROM sessions')
    this.#putSession = db.prepare<void, [number, number, string, string, number]>(
      'INSERT INTO sessions (shard_id, shard_count, session_id, resume_url, sequence) VALUES (?, ?, ?, ?, ?)',
    )
  }

  /** Damaged rows are left out; Discord tells of these people again, see {@link loadSessions}. */
  *loadPeople(): Generator<SavedPerson> {
    const damaged: number[] = []
    this.#whole = true
    try {
      for (const row of this.#people.iterate()) {
        const person = readPerson(row)
        if (person === null) damaged.push(row.rowid)
        else yield person
      }
    } catch (error) {
      this.#whole = false
      this.#damage.broke('person', error)
    }
    if (damaged.length > 0) this.#removeDamaged(damaged)
  }

  /** None when people were lost: a resumed session does not list members, a new one does. */
  loadSessions(): readonly GatewaySession[] {
    if (!this.#whole) return []
    try {
      return this.#sessions.all().map(readSession).filter(isUsable)
    } catch (error) {
      this.#damage.broke('session', error)
      return []
    }
  }

  saveState(take: () => State): Promise<void> {
    return this.#group.write(() => {
      const { people, sessions, history } = take()
      for (const [id, person] of people) person === undefined ? this.#remove.run(id) : this.#putPerson(person)
      if (history !== null) this.#past.save(history)
      if (sessions !== null) this.#putSessions(sessions)
    })
  }

  eraseRows(userId: string): void {
    this.#remove.run(userId)
  }

  #removeDamaged(rows: readonly number[]): void {
    this.#whole = false
    for (const _ of rows) this.#damage.found('person')
    this.#damage.tell()
    // When that cannot be kept, the next start finds them again.
    const removed = this.#group.write(() => {
      for (const row of rows) this.#removeRow.run(row)
    })
    removed.catch(() => {})
  }

  #putPerson({ id, user, presence, memberships, lastSeenAt, awaited }: SavedPerson): void {
    const { status, platforms, activities, spotify } = presence
    this.#put.run(
      id,
      user,
      awaited ? AWAITED : status,
      platforms,
      activities,
      spotify,
      JSON.stringify(memberships),
      lastSeenAt,
    )
  }

  #putSessions(list: readonly GatewaySession[]): void {
    this.#clearSessions.run()
    for (const { shardId, shardCount, sessionId, resumeURL, sequence } of list) {
      this.#putSession.run(shardId, shardCount, sessionId, resumeURL, sequence)
    }
  }
}

/** Null when the row is damaged: what it holds would be spliced into answers as it is. */
function readPerson(row: PersonRow): SavedPerson | null {
  const { id, user, platforms, activities, spotify } = row
  const awaited = row.status === AWAITED
  const status: string = awaited ? 'offline' : row.status
  const texts = user.startsWith('{') && activities.startsWith('[') && /^(\{|null$)/.test(spotify)
  if (!row.valid || !texts || !isSnowflake(id) || !isStatus(status) || !user.includes(`"id":"${id}"`)) return null
  const memberships = readMemberships(row.memberships)
  if (memberships === null) return null
  return {
    id,
    user,
    presence: { status, platforms, activities, spotify },
    memberships,
    lastSeenAt: row.last_seen_at,
    awaited,
  }
}

function readMemberships(text: string): Membership[] | null {
  const list: unknown = JSON.parse(text)
  return Array.isArray(list) && list.length > 0 && list.every(isMembership) ? list : null
}

function isMembership(value: unknown): value is Membership {
  if (!isObject(value) || typeof value.guildId !== 'string') return false
  return value.nick === null || typeof value.nick === 'string'
}

function readSession({ shard_id, shard_count, session_id, resume_url, sequence }: SessionRow): GatewaySession {
  return { shardId: shard_id, shardCount: shard_count, sessionId: session_id, resumeURL: resume_url, sequence }
}

const isUsable = ({ resumeURL }: GatewaySession) => /^wss?:$/.test(URL.parse(resumeURL)?.protocol ?? '')
