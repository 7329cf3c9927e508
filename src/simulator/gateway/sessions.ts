import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import type { BotRecorder } from '../recorder.ts'
import { type Dispatch, Intent, type Json } from '../types.ts'
import { guildCreatePayload } from './guild-payloads.ts'
import type { IdentifyOrder } from './identify.ts'
import { Session } from './session.ts'

export interface SessionsOptions {
  account: Account
  recorder: BotRecorder
  now: () => number
  replayBufferSize: number
  /** How long a session without a connection can be resumed, milliseconds. */
  resumeWindowMs: number
}

export class Sessions {
  readonly #account: Account
  readonly #recorder: BotRecorder
  readonly #now: () => number
  readonly #sessions = new Map<string, Session>()
  readonly #world: World
  readonly #options: SessionsOptions

  constructor(world: World, options: SessionsOptions) {
    this.#world = world
    this.#options = options
    this.#account = options.account
    this.#recorder = options.recorder
    this.#now = options.now
  }

  open(order: IdentifyOrder, identify: Json): Session {
    const id = this.#world.random.hex(32)
    const session = new Session({ id, ...order, identify, replayBufferSize: this.#options.replayBufferSize })
    this.#sessions.set(id, session)
    return session
  }

  /** A session that can still be resumed. */
  find(sessionId: string): Session | null {
    const session = this.#sessions.get(sessionId) ?? null
    const since = session?.detachedAt() ?? null
    if (since === null || this.#now() - since <= this.#options.resumeWindowMs) return session
    if (session) this.forget(session)
    return null
  }

  /** Sends an event to every session that may see it. */
  emit(event: Dispatch): void {
    const text = typeof event.d === 'function' ? null : JSON.stringify(event.d)
    for (const session of this.#sessions.values()) {
      if (!this.#mayReceive(session, event)) continue
      const own = typeof event.d === 'function' ? event.d(session) : null
      const data = text ?? (own && JSON.stringify(own))
      if (data !== null) session.dispatch(event.t, data)
    }
  }

  /** READY, then one GUILD_CREATE after the other. */
  welcome(session: Session): void {
    const guilds = [...this.#world.guilds.values()].filter(guild => session.ownsGuild(guild.id))
    if (session.intents & Intent.guilds) {
      for (const guild of guilds) if (!guild.unavailable) session.pendingGuilds.add(guild.id)
    }
    const guildIds = guilds.map(guild => guild.id)
    session.dispatch('READY', JSON.stringify(readyPayload(this.#world, this.#account, session, guildIds)))
    this.#recorder.record('ready', { session })
    this.#sendNextGuild(session)
  }

  /** Ends a session: it cannot be resumed any more. */
  forget(session: Session): void {
    this.#sessions.get(session.id)?.release()
    this.#sessions.delete(session.id)
  }

  all(): Session[] {
    return [...this.#sessions.values()]
  }

  #mayReceive(session: Session, event: Dispatch): boolean {
    if (event.guildId === null ? session.shard[0] !== 0 : !session.ownsGuild(event.guildId)) return false
    if (event.intents !== 0 && (session.intents & event.intents) === 0) return false
    if (event.guildId === null || !session.pendingGuilds.has(event.guildId)) return true
    if (event.t === 'GUILD_DELETE') return session.pendingGuilds.delete(event.guildId)
    return false
  }

  /** Guilds arrive after READY, one a turn of the event loop: the bot must not take READY for the whole list. */
  #sendNextGuild(session: Session): void {
    setImmediate(() => {
      const [guildId] = session.pendingGuilds
      if (guildId === undefined || !this.#sessions.has(session.id)) return
      session.pendingGuilds.delete(guildId)
      session.dispatch(
        'GUILD_CREATE',
        JSON.stringify(guildCreatePayload(this.#world, this.#world.guild(guildId), session)),
      )
      this.#sendNextGuild(session)
    })
  }
}

/** READY (docs: Gateway Events, "Ready"): all guilds are unavailable at first. */
function readyPayload(world: World, account: Account, session: Session, guildIds: string[]): Json {
  return {
    v: 10,
    user_settings: {},
    user: { ...world.bot, verified: true, mfa_enabled: true, flags: 0, email: null },
    session_type: 'normal',
    session_id: session.id,
    resume_gateway_url: `${account.gatewayUrl}/resume`,
    relationships: [],
    private_channels: [],
    presences: [],
    guilds: guildIds.map(id => ({ id, unavailable: true })),
    guild_join_requests: [],
    geo_ordered_rtc_regions: [],
    application: { id: account.applicationId, flags: account.applicationFlags },
    shard: session.shard,
    _trace: [],
  }
}
