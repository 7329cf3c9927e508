import type { Database } from 'bun:sqlite'
import type { GatewaySession, StateStore } from '../domain/checkpoint.ts'
import type { Membership, SavedPerson } from '../domain/person.ts'
import type { PresenceState, Status } from '../domain/presence.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

interface PersonRow {
  id: string
  user: string
  status: string
  platforms: number
  activities: string
  spotify: string
  memberships: string
  last_seen_at: number | null
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
export function createStateStore(db: Database, group: GroupCommit): StateStore & Eraser {
  const people = db.prepare<PersonRow, []>('SELECT * FROM people')
  const put = db.prepare<void, [string, string, string, number, string, string, string, number | null]>(
    `INSERT OR REPLACE INTO people (id, user, status, platforms, activities, spotify, memberships, last_seen_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const remove = db.prepare<void, [string]>('DELETE FROM people WHERE id = ?')
  const sessions = db.prepare<SessionRow, []>('SELECT * FROM sessions')
  const clearSessions = db.prepare<void, []>('DELETE FROM sessions')
  const putSession = db.prepare<void, [number, number, string, string, number]>(
    'INSERT INTO sessions (shard_id, shard_count, session_id, resume_url, sequence) VALUES (?, ?, ?, ?, ?)',
  )

  function putPerson({ id, user, presence, memberships, lastSeenAt, awaited }: SavedPerson): void {
    const { status, platforms, activities, spotify } = presence
    put.run(
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

  function putSessions(list: readonly GatewaySession[]): void {
    clearSessions.run()
    for (const { shardId, shardCount, sessionId, resumeURL, sequence } of list) {
      putSession.run(shardId, shardCount, sessionId, resumeURL, sequence)
    }
  }

  return {
    *loadPeople() {
      for (const row of people.iterate()) yield readPerson(row)
    },
    loadSessions: () => sessions.all().map(readSession),
    saveState: take =>
      group.write(() => {
        const state = take()
        for (const [id, person] of state.people) person === undefined ? remove.run(id) : putPerson(person)
        if (state.sessions !== null) putSessions(state.sessions)
      }),
    eraseRows: userId => void remove.run(userId),
  }
}

function readPerson(row: PersonRow): SavedPerson {
  const { id, user, platforms, activities, spotify } = row
  const awaited = row.status === AWAITED
  const presence: PresenceState = {
    status: awaited ? 'offline' : (row.status as Status),
    platforms,
    activities,
    spotify,
  }
  const memberships = JSON.parse(row.memberships) as Membership[]
  return { id, user, presence, memberships, lastSeenAt: row.last_seen_at, awaited }
}

function readSession({ shard_id, shard_count, session_id, resume_url, sequence }: SessionRow): GatewaySession {
  return { shardId: shard_id, shardCount: shard_count, sessionId: session_id, resumeURL: resume_url, sequence }
}
