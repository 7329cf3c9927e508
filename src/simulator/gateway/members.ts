import type { World } from '../people/world.ts'
import type { BotRecorder } from '../recorder.ts'
import { type Guild, Intent, type Json } from '../types.ts'
import { memberPayload, presencePayload } from './guild-payloads.ts'
import { isObject } from './identify.ts'
import type { Session } from './session.ts'

export interface MemberRequestOptions {
  world: World
  recorder: BotRecorder
  now: () => number
  /** How long a guild's complete list stays out of reach after one was asked for, milliseconds. */
  intervalMs: number
  /** Complete lists within one interval. */
  limit: number
  chunkSize: number
}

interface MemberQuery {
  guildId: string
  query: string | null
  limit: number
  userIds: string[]
  presences: boolean
  nonce: string | undefined
}

/** At most this many members come back for a prefix or a list of ids (docs: Gateway Events, "Request Guild Members"). */
const FEW = 100
const SNOWFLAKE = /^\d{1,20}$/

/**
 * Op 8, Request Guild Members: chunks, `not_found`, and RATE_LIMITED for complete lists asked for too often
 * (docs: Gateway Events, "Request Guild Members", "Rate Limited"; change log, "Rate Limit When Requesting All Guild Members").
 */
export class MemberRequests {
  readonly #world: World
  readonly #recorder: BotRecorder
  readonly #now: () => number
  readonly #asked = new Map<string, number[]>()
  readonly #options: MemberRequestOptions

  constructor(options: MemberRequestOptions) {
    this.#options = options
    this.#world = options.world
    this.#recorder = options.recorder
    this.#now = options.now
  }

  /** Answers op 8; false: the payload cannot be decoded (close 4002). */
  handle(session: Session, payload: unknown): boolean {
    const query = readQuery(payload)
    if (!query) return false
    const answer = (outcome: 'chunks' | 'rate limited' | 'ignored', chunks = 0) =>
      this.#recorder.record('requestMembers', { session, payload: payload as Json, outcome, chunks })
    const problem = this.#findProblem(session, query)
    if (problem) {
      this.#recorder.record('violation', { rule: 'request guild members', detail: problem })
      answer('ignored')
      return true
    }
    const guild = this.#world.guild(query.guildId)
    const retryAfter = query.query === '' ? this.#retryAfterMs(guild.id) : 0
    if (retryAfter > 0) this.#sendRateLimited(session, query, retryAfter)
    else this.#sendChunks(session, guild, query, chunks => answer('chunks', chunks))
    if (retryAfter > 0) answer('rate limited')
    return true
  }

  #findProblem(session: Session, query: MemberQuery): string | null {
    const guild = this.#world.guilds.get(query.guildId)
    if (!guild) return `the bot is in no guild ${query.guildId}`
    if (!session.ownsGuild(guild.id)) return `guild ${guild.id} is not on shard ${session.shard[0]}`
    if (guild.unavailable) return `guild ${guild.id} is unavailable`
    if (query.query === '' && !(session.intents & Intent.guildMembers)) return 'the GUILD_MEMBERS intent is missing'
    return null
  }

  #retryAfterMs(guildId: string): number {
    const recent = (this.#asked.get(guildId) ?? []).filter(at => this.#now() - at < this.#options.intervalMs)
    this.#asked.set(guildId, recent)
    if (recent.length >= this.#options.limit) return this.#options.intervalMs - (this.#now() - (recent[0] ?? 0))
    recent.push(this.#now())
    return 0
  }

  #sendRateLimited(session: Session, query: MemberQuery, retryAfter: number): void {
    const meta: Json = { guild_id: query.guildId }
    if (query.nonce !== undefined) meta.nonce = query.nonce
    session.dispatch('RATE_LIMITED', JSON.stringify({ opcode: 8, retry_after: retryAfter / 1000, meta }))
  }

  #sendChunks(session: Session, guild: Guild, query: MemberQuery, done: (chunks: number) => void): void {
    const notFound = query.userIds.filter(id => !guild.members.has(id))
    const ids = query.query === null ? query.userIds.filter(id => guild.members.has(id)) : this.#search(guild, query)
    const count = Math.max(1, Math.ceil(ids.length / this.#options.chunkSize))
    done(count)
    const sendFrom = (index: number) => {
      const some = ids.slice(index * this.#options.chunkSize, (index + 1) * this.#options.chunkSize)
      const chunk = this.#buildChunk(session, guild, some, query)
      Object.assign(chunk, { chunk_index: index, chunk_count: count, not_found: notFound })
      session.dispatch('GUILD_MEMBERS_CHUNK', JSON.stringify(chunk))
      // One chunk a turn of the event loop: a hundred thousand members must not stop everything else.
      if (index + 1 < count) setImmediate(sendFrom, index + 1)
    }
    sendFrom(0)
  }

  #buildChunk(session: Session, guild: Guild, ids: string[], query: MemberQuery): Json {
    const members: Json[] = []
    const presences: Json[] = []
    const wantsPresences = query.presences && (session.intents & Intent.guildPresences) !== 0
    for (const id of ids) {
      const user = this.#world.user(id)
      const fields = guild.members.get(id)
      if (!user || !fields) continue
      members.push(memberPayload(user, fields))
      const presence = wantsPresences ? presencePayload(this.#world, id) : null
      if (presence) presences.push(presence)
    }
    const chunk: Json = { guild_id: guild.id, members }
    if (wantsPresences) chunk.presences = presences
    if (query.nonce !== undefined) chunk.nonce = query.nonce
    return chunk
  }

  #search(guild: Guild, { query, limit }: MemberQuery): string[] {
    if (query === '' && limit === 0) return [...guild.members.keys()]
    const prefix = (query ?? '').toLowerCase()
    const found: string[] = []
    for (const [id, fields] of guild.members) {
      const user = this.#world.user(id)
      const names = [user?.username, user?.global_name, fields.nick]
      if (names.some(name => typeof name === 'string' && name.toLowerCase().startsWith(prefix))) found.push(id)
      if (found.length >= Math.min(limit || FEW, FEW)) break
    }
    return found
  }
}

function readQuery(payload: unknown): MemberQuery | null {
  if (!isObject(payload)) return null
  const { guild_id: guildId, query, limit, user_ids: userIds, presences, nonce } = payload
  if (!isSnowflake(guildId) || (query === undefined) === (userIds === undefined)) return null
  if (query !== undefined && (typeof query !== 'string' || !Number.isInteger(limit) || (limit as number) < 0))
    return null
  const ids = userIds === undefined ? [] : Array.isArray(userIds) ? userIds : [userIds]
  if (ids.length > FEW || !ids.every(isSnowflake)) return null
  if (presences !== undefined && typeof presences !== 'boolean') return null
  return {
    guildId,
    query: query ?? null,
    limit: (limit as number | undefined) ?? 0,
    userIds: ids,
    presences: presences ?? false,
    nonce: typeof nonce === 'string' && Buffer.byteLength(nonce) <= 32 ? nonce : undefined,
  }
}

function isSnowflake(value: unknown): value is string {
  return typeof value === 'string' && SNOWFLAKE.test(value)
}
