import { createDispatch } from '../../src/discord/dispatch.ts'
import type { DropReason } from '../../src/discord/frames.ts'
import { createGuildBook } from '../../src/discord/guilds.ts'
import { createMembers } from '../../src/discord/members.ts'
import { TIMING } from '../../src/discord/shards.ts'
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
  const others: { type: string; data: unknown }[] = []
  const changes: { id: string; kind: string }[] = []
  const completions: [shard: number, complete: boolean][] = []
  const lines: string[] = []
  let accepting = true
  presences.onChange(change => changes.push(change))

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

  const guilds = createGuildBook({
    clock,
    quietMs: TIMING.quietMs,
    onComplete: (shard, complete) => completions.push([shard, complete]),
  })
  const members = createMembers({
    presences,
    clock,
    log: createLog({ level: 'debug', format: 'text', write: line => lines.push(line) }),
    send,
    dropped,
    onProgress: guilds.progress,
    onList: guilds.completed,
    timing: TIMING,
  })
  const dispatch = createDispatch({
    presences,
    guilds,
    members,
    dropped,
    onOther: (type, data) => others.push({ type, data }),
  })

  function connect(shard = 0): void {
    guilds.setConnected(shard, true)
    members.setConnected(shard, true)
  }

  function disconnect(shard = 0): void {
    guilds.setConnected(shard, false)
    members.setConnected(shard, false)
  }

  return {
    clock,
    presences,
    guilds,
    members,
    drops,
    requests,
    others,
    changes,
    completions,
    lines,
    connect,
    disconnect,
    /** Whether the connection takes what is sent. */
    accept(accept: boolean) {
      accepting = accept
    },
    take: (type: string, data: unknown, shard = 0) => dispatch(type, data, shard),
    status: (id: string) => presences.person(id)?.presence.status,
    ids: () => [...presences.ids()].sort(),
  }
}
