import { Dispatch } from '../../src/discord/dispatch.ts'
import type { DropReason } from '../../src/discord/frames.ts'
import { GuildBook } from '../../src/discord/guilds.ts'
import { MemberRequests } from '../../src/discord/member-requests.ts'
import { OfflineReports } from '../../src/discord/offline-reports.ts'
import { TIMING } from '../../src/discord/timing.ts'
import type { JsonObject } from '../../src/domain/presence.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { createLog } from '../../src/lib/log.ts'
import { createManualClock } from './clocks.ts'

export interface Request {
  shard: number
  guildId: string
  nonce: string
  userIds?: string[]
}

/** Everything between the gateway's events and the store, on a manual clock and without a network. */
export function createIntake() {
  const clock = createManualClock()
  const presences = new PresenceStore()
  const drops: Partial<Record<DropReason, number>> = {}
  const requests: Request[] = []
  const events: { type: string; data: unknown }[] = []
  const changes: { id: string; kind: string }[] = []
  const completions: [shard: number, complete: boolean][] = []
  const lines: string[] = []
  let accepting = true
  presences.onChange(({ id, kind }) => changes.push({ id, kind }))

  const dropped = (reason: DropReason, count = 1) => {
    drops[reason] = (drops[reason] ?? 0) + count
  }

  function send(shard: number, payload: JsonObject): boolean {
    const d = payload.d as { guild_id: string; nonce: string; user_ids?: string[]; query?: string }
    if (accepting) {
      const userIds = d.user_ids === undefined ? {} : { userIds: d.user_ids }
      requests.push({ shard, guildId: d.guild_id, nonce: d.nonce, ...userIds })
    }
    return accepting
  }

  const guilds = new GuildBook({
    clock,
    quietMs: TIMING.quietMs,
    onComplete: (shard, complete) => completions.push([shard, complete]),
  })
  const log = createLog({ level: 'debug', format: 'text', write: line => lines.push(line) })
  const shards: MemberRequests[] = []
  const requestsOf = (shard: number) => {
    shards[shard] ??= new MemberRequests({
      presences,
      clock,
      log,
      send: payload => send(shard, payload),
      dropped,
      onProgress: guildId => guilds.progress(guildId),
      onList: guildId => guilds.completed(guildId),
      timing: TIMING,
    })
    return shards[shard]
  }
  const offline = new OfflineReports(presences, clock)
  const dispatch = new Dispatch({
    presences,
    guilds,
    offline,
    requests: requestsOf,
    dropped,
    onEvent: (type, data) => events.push({ type, data }),
  })

  function connect(shard = 0): void {
    guilds.setConnected(shard, true)
    requestsOf(shard).setConnected(true)
  }

  function disconnect(shard = 0): void {
    guilds.setConnected(shard, false)
    requestsOf(shard).setConnected(false)
  }

  return {
    clock,
    presences,
    guilds,
    offline,
    drops,
    requests,
    events,
    changes,
    completions,
    lines,
    connect,
    disconnect,
    /** Whether the connection takes what is sent. */
    accept(accept: boolean) {
      accepting = accept
    },
    take: (type: string, data: unknown, shard = 0) => dispatch.take(type, data, shard),
    status: (id: string) => presences.person(id)?.presence.status,
    ids: () => [...presences.ids()].sort(),
  }
}
