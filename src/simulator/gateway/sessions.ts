import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import type { BotRecorder } from '../recorder.ts'
import { type Dispatch, Intent, type Json } from '../types.ts'
import { guildCreatePayload } from './guild-payloads.ts'
import type { IdentifyOrder } from './identify.ts'
import { createSession, type Session, type SessionControl } from './session.ts'

export interface SessionsOptions {
  account: Account
  recorder: BotRecorder
  now: () => number
  replayBufferSize: number
  /** How long a session without a connection can be resumed, milliseconds. */
  resumeWindowMs: number
}

/** All gateway sessions, connected or waiting for their bot to come back. */
export interface Sessions {
  open(order: IdentifyOrder, identify: Json): SessionControl
  /** A session that can still be resumed. */
  find(sessionId: string): SessionControl | null
  /** Ends a session: it cannot be resumed any more. */
  forget(session: Session): void
  all(): SessionControl[]
  /** Sends an event to every session that may see it. */
  emit(event: Dispatch): void
  /** READY, then one GUILD_CREATE after the other. */
  welcome(session: SessionControl): void
}

export function createSessions(world: World, options: SessionsOptions): Sessions {
  const { account, recorder, now } = options
  const sessions = new Map<string, SessionControl>()

  function open(order: IdentifyOrder, identify: Json): SessionControl {
    const id = world.random.hex(32)
    const session = createSession({ id, ...order, identify, replayBufferSize: options.replayBufferSize })
    sessions.set(id, session)
    return session
  }

  function find(sessionId: string): SessionControl | null {
    const session = sessions.get(sessionId) ?? null
    const since = session?.detachedAt() ?? null
    if (since === null || now() - since <= options.resumeWindowMs) return session
    if (session) forget(session)
    return null
  }

  function emit(event: Dispatch): void {
    const text = typeof event.d === 'function' ? null : JSON.stringify(event.d)
    for (const session of sessions.values()) {
      if (!mayReceive(session, event)) continue
      const own = typeof event.d === 'function' ? event.d(session) : null
      const data = text ?? (own && JSON.stringify(own))
      if (data !== null) session.dispatch(event.t, data)
    }
  }

  function mayReceive(session: SessionControl, event: Dispatch): boolean {
    if (event.guildId === null ? session.shard[0] !== 0 : !session.ownsGuild(event.guildId)) return false
    if (event.intents !== 0 && (session.intents & event.intents) === 0) return false
    if (event.guildId === null || !session.pendingGuilds.has(event.guildId)) return true
    if (event.t === 'GUILD_DELETE') return session.pendingGuilds.delete(event.guildId)
    return false
  }

  function welcome(session: SessionControl): void {
    const guilds = [...world.guilds.values()].filter(guild => session.ownsGuild(guild.id))
    if (session.intents & Intent.guilds) {
      for (const guild of guilds) if (!guild.unavailable) session.pendingGuilds.add(guild.id)
    }
    const guildIds = guilds.map(guild => guild.id)
    session.dispatch('READY', JSON.stringify(readyPayload(world, account, session, guildIds)))
    recorder.record('ready', { session })
    sendNextGuild(session)
  }

  /** Guilds arrive after READY, one a turn of the event loop: the bot must not take READY for the whole list. */
  function sendNextGuild(session: SessionControl): void {
    setImmediate(() => {
      const [guildId] = session.pendingGuilds
      if (guildId === undefined || !sessions.has(session.id)) return
      session.pendingGuilds.delete(guildId)
      session.dispatch('GUILD_CREATE', JSON.stringify(guildCreatePayload(world, world.guild(guildId), session)))
      sendNextGuild(session)
    })
  }

  function forget(session: Session): void {
    sessions.get(session.id)?.release()
    sessions.delete(session.id)
  }

  return { open, find, forget, all: () => [...sessions.values()], emit, welcome }
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
