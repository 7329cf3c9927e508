import { readFrame } from '../../../../src/discord/frames.ts'
import type { PresenceStore } from '../../../../src/domain/presence-store.ts'
import {
  buildCustomStatus,
  buildGame,
  buildPresence,
  buildSpotify,
  buildUser,
} from '../../../../src/simulator/people/builders.ts'
import type { Random } from '../../../../src/simulator/random.ts'
import { createIntake } from '../../../discord/intake.ts'
import { chunk, guildCreate, member, ready } from '../../../discord/payloads.ts'
import { hold } from '../drill.ts'
import { createMutator } from './mutate.ts'

/** What Discord sends, by event. Few ids, so that events meet each other's people. */
export function goodEvents(random: Random): readonly { t: string; d: object }[] {
  const ids = ['10', '11', '12', '13']
  const activities = [buildCustomStatus(random, 1), buildSpotify(random, '10', 1), buildGame(random, 1)]
  const update = { user: { id: '10' }, guild_id: '1', ...buildPresence({ activities }) }
  return [
    { t: 'PRESENCE_UPDATE', d: update },
    { t: 'PRESENCE_UPDATE', d: { ...update, user: buildUser(random, { id: '11' }), guild_id: '2' } },
    { t: 'GUILD_CREATE', d: guildCreate('1', ids) },
    { t: 'GUILD_CREATE', d: guildCreate('2', ids.slice(1), { large: true }) },
    { t: 'GUILD_DELETE', d: { id: '2', unavailable: true } },
    { t: 'GUILD_MEMBERS_CHUNK', d: chunk('1', ids) },
    { t: 'GUILD_MEMBER_ADD', d: { ...member('13'), guild_id: '1' } },
    { t: 'GUILD_MEMBER_UPDATE', d: { ...member('12', { nick: 'Nick' }), guild_id: '1' } },
    { t: 'GUILD_MEMBER_REMOVE', d: { user: { id: '13' }, guild_id: '1' } },
    { t: 'RATE_LIMITED', d: { opcode: 8, retry_after: 5, meta: { guild_id: '1' } } },
    { t: 'READY', d: ready(['1', '2']) },
    { t: 'MESSAGE_CREATE', d: { id: '5', channel_id: '6', author: { id: '10', username: 'ada' }, content: '.get a' } },
    {
      t: 'INTERACTION_CREATE',
      d: { id: '7', type: 2, token: 'x', user: { id: '10' }, data: { name: 'kv', options: [] } },
    },
  ]
}

/** Presences whose texts are looked at after so many events. */
const LOOK_EVERY = 50

/** Whatever an event holds, taking it in throws nothing and every presence stays a presence. */
export function fuzzEvents(cases: number, random: Random): void {
  const mutate = createMutator(random)
  const good = goodEvents(random)
  const { take, presences, clock, connect } = createIntake()
  connect()
  for (let made = 0; made < cases; made++) {
    const event = random.pick(good)
    const frame = { t: event.t, s: made, op: 0, d: random.chance(0.9) ? mutate.value(event.d) : event.d }
    const text = JSON.stringify(frame)
    const read = readFrame(random.chance(0.05) ? mutate.text(text) : text)
    if (read.kind !== 'dispatch') continue
    const { t, d } = parse(read.text)
    if (typeof t === 'string') take(t, d)
    if (made % LOOK_EVERY === 0) {
      clock.advance(10_000)
      checkPresences(presences)
    }
  }
}

/** The library parses by itself and trusts what it finds, so what is no JSON does not get further. */
function parse(text: string): { t?: unknown; d?: unknown } {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

const STATUSES = ['online', 'idle', 'dnd', 'offline']

/** Every presence is JSON with every key, of the documented types. */
export function checkPresences(presences: PresenceStore): void {
  for (const id of presences.ids()) {
    const text = presences.snapshot(id)?.json ?? ''
    const {
      kv,
      discord_user: user,
      discord_status: status,
      activities,
      spotify,
      last_seen_at,
      now_playing,
      ...flags
    } = JSON.parse(text)
    const whole =
      typeof kv === 'object' &&
      user.id === id &&
      STATUSES.includes(status) &&
      Array.isArray(activities) &&
      (last_seen_at === null || (Number.isInteger(last_seen_at) && status === 'offline')) &&
      (spotify === null) === !flags.listening_to_spotify &&
      (now_playing === null || 'source' in now_playing) &&
      Object.values(flags).length === 6 &&
      Object.values(flags).every(flag => typeof flag === 'boolean')
    hold(whole, `no presence: ${text.slice(0, 500)}`)
  }
}
