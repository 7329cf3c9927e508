import type { Session } from './gateway/session.ts'
import type { Json, Message } from './types.ts'

/** How many entries of each kind are kept; a demo may run for days. */
const KEPT = 10_000

/**
 * What the bot did, in order, by kind. `next` hands out each entry once: one that came before the call is not missed, and
 * two calls never get the same one.
 */
export interface Recorder<Entries extends object> {
  record<Kind extends keyof Entries>(kind: Kind, entry: Entries[Kind]): void
  /** The oldest entry not handed out yet that fits, or the first to come. Rejects when the simulator stops. */
  next<Kind extends keyof Entries>(kind: Kind, fits?: (entry: Entries[Kind]) => boolean): Promise<Entries[Kind]>
  /** Everything of that kind, handed out or not. */
  all<Kind extends keyof Entries>(kind: Kind): Entries[Kind][]
  /** Marks what came so far as handed out: the following `next` waits for something new. */
  skip(kind: keyof Entries): void
  close(): void
}

interface Track<Entry> {
  history: Entry[]
  fresh: Entry[]
  waiting: { fits: (entry: Entry) => boolean; resolve: (entry: Entry) => void; reject: (error: Error) => void }[]
}

export function createRecorder<Entries extends object>(): Recorder<Entries> {
  const tracks = new Map<keyof Entries, Track<never>>()

  function track<Kind extends keyof Entries>(kind: Kind): Track<Entries[Kind]> {
    const known = tracks.get(kind)
    if (known) return known as unknown as Track<Entries[Kind]>
    const created: Track<Entries[Kind]> = { history: [], fresh: [], waiting: [] }
    tracks.set(kind, created as unknown as Track<never>)
    return created
  }

  return {
    record(kind, entry) {
      const { history, fresh, waiting } = track(kind)
      keep(history, entry)
      const taker = waiting.findIndex(waiter => waiter.fits(entry))
      if (taker < 0) keep(fresh, entry)
      else waiting.splice(taker, 1)[0]?.resolve(entry)
    },
    next(kind, fits = () => true) {
      const { fresh, waiting } = track(kind)
      const index = fresh.findIndex(fits)
      if (index >= 0) return Promise.resolve(fresh.splice(index, 1)[0] as Entries[typeof kind])
      const promise = new Promise<Entries[typeof kind]>((resolve, reject) => waiting.push({ fits, resolve, reject }))
      // A test that failed elsewhere may never come back to await this one.
      promise.catch(() => {})
      return promise
    },
    all: kind => [...track(kind).history],
    skip: kind => {
      track(kind).fresh.length = 0
    },
    close() {
      for (const [kind, { waiting }] of tracks) {
        for (const waiter of waiting.splice(0)) {
          waiter.reject(new Error(`the simulator stopped while "${String(kind)}" was awaited`))
        }
      }
    },
  }
}

function keep<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry)
  if (list.length > KEPT * 2) list.splice(0, list.length - KEPT)
}

/** Everything the bot can do that a test may want to see or wait for. */
export interface BotRecords {
  /** A gateway connection was opened; `path` tells whether the resume URL was used. */
  connect: { path: string; query: Record<string, string> }
  identify: { session: Session | null; payload: Json }
  /** READY was sent. */
  ready: { session: Session }
  resume: { session: Session | null; payload: Json }
  /** RESUMED was sent. */
  resumed: { session: Session; replayed: number }
  heartbeat: { session: Session | null; sequence: number | null }
  requestMembers: { session: Session; payload: Json; outcome: 'chunks' | 'rate limited' | 'ignored'; chunks: number }
  /** Op 3. */
  presence: { session: Session; payload: Json }
  /** A gateway connection ended; by whom, with which code (1006: without a close frame). */
  close: { session: Session | null; code: number; by: 'bot' | 'simulator' }
  /** Any REST request and its answer's status (0: none was given). */
  rest: { method: string; path: string; status: number; body: unknown }
  /** A message the bot posted in a channel or DM. */
  message: BotMessage
  messageEdit: BotMessage
  messageDelete: { channelId: string; messageId: string }
  dmChannel: { userId: string; channelId: string }
  /** The first answer to an interaction, of any type. */
  callback: { interaction: Json; type: number; data: Json }
  /** A message that answers an interaction: at once, or when a deferred one is filled in. */
  reply: BotMessage
  replyEdit: BotMessage
  followup: BotMessage
  /** The application's commands were overwritten. */
  commands: { guildId: string | null; commands: Json[] }
  /** An avatar was asked for. */
  cdn: { path: string; status: number; ifNoneMatch: string | null }
  /** A mistake Discord would forgive silently; a correct bot makes none. */
  violation: { rule: string; detail: string }
}

/** A bot's message and whom it pinged: the mentions in it that `allowed_mentions` let through. */
export interface BotMessage {
  message: Message
  channelId: string
  guildId: string | null
  /** The recipient, when it went to a DM. */
  userId: string | null
  content: string
  pings: { users: string[]; roles: string[]; everyone: boolean }
  body: Json
}

export type BotRecorder = Recorder<BotRecords>
