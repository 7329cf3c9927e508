import { afterEach, describe, expect, test } from 'bun:test'
import type { Person } from '../../src/domain/person.ts'
import type { JsonObject } from '../../src/domain/presence.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { User } from '../../src/simulator/types.ts'
import { cleanUp, connect, simulate } from './gateway-support.ts'

afterEach(cleanUp)

const idsOf = (guild: { members: ReadonlyMap<string, unknown> }) => [...guild.members.keys()]

describe('loading', () => {
  test('brings in a small guild with its GUILD_CREATE', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 20, online: 5 })
    const { presences, status } = await connect(sim)
    expect([...presences.ids()].sort()).toEqual(idsOf(guild).sort())
    for (const id of idsOf(guild)) expect(status(id)).toBe(sim.world.presence(id)?.status ?? 'offline')
    expect(sim.recorder.all('requestMembers')).toEqual([])
    expect(presences.readiness).toBe('ready')
  })

  test('brings in a large guild by chunks, presences included', async () => {
    const sim = await simulate({ chunkSize: 100 })
    const guild = sim.world.addGuild({ members: 1234, online: 700 })
    const { presences, status, metric } = await connect(sim)
    expect(presences.size).toBe(guild.members.size)
    for (const id of idsOf(guild)) expect(status(id)).toBe(sim.world.presence(id)?.status ?? 'offline')
    expect(sim.recorder.all('requestMembers')).toMatchObject([{ outcome: 'chunks', chunks: 13 }])
    expect(metric('gateway_events_total{type="GUILD_MEMBERS_CHUNK"}')).toBe(13)
    expect(sim.recorder.all('violation')).toEqual([])
  })

  test('waits as long as Discord says when a list was asked for too early', async () => {
    const sim = await simulate({ memberRequestIntervalMs: 150 })
    const guild = sim.world.addGuild({ members: 300 })
    const { presences, becomes } = await connect(sim)
    const [, ada = ''] = idsOf(guild)
    sim.world.makeGuildUnavailable(guild.id)
    sim.world.placePresence(ada, { status: 'offline' })
    sim.world.makeGuildAvailable(guild.id)
    await becomes(ada, 'offline')
    const outcomes = sim.recorder.all('requestMembers').map(({ outcome }) => outcome)
    expect([outcomes[0], outcomes[1], outcomes.at(-1)]).toEqual(['chunks', 'rate limited', 'chunks'])
    expect(presences.size).toBe(301)
  })

  test('takes every shard and guild, one identify after the other', async () => {
    const sim = await simulate({ recommendedShards: 3, identifyIntervalMs: 100 })
    const guilds = Array.from({ length: 9 }, (_, index) => sim.world.addGuild({ members: index === 4 ? 400 : 3 }))
    const { presences, metric } = await connect(sim, { timing: { identifyMs: 300 } })
    expect(presences.size).toBe(new Set(guilds.flatMap(idsOf)).size)
    const identified = sim.recorder.all('identify').map(({ payload }) => String(payload.shard))
    expect(identified.sort()).toEqual(['0,3', '1,3', '2,3'])
    expect(metric('gateway_shards')).toBe(3)
    expect(metric('gateway_connected_shards')).toBe(3)
    expect(metric('guilds')).toBe(9)
    expect(metric('members_loaded')).toBe(1)
    expect(sim.recorder.all('violation')).toEqual([])
  })

  test('is over with READY for a bot in no guild', async () => {
    const sim = await simulate()
    const { presences } = await connect(sim)
    expect(presences.readiness).toBe('ready')
  })

  test('does not wait for a guild with an outage', async () => {
    const sim = await simulate()
    sim.world.addGuild({ members: 2 })
    const out = sim.world.addGuild({ members: 2, unavailable: true })
    const { presences, changes } = await connect(sim, { timing: { quietMs: 300 } })
    expect(presences.readiness).toBe('ready')
    expect(presences.size).toBe(3)
    sim.world.makeGuildAvailable(out.id)
    const [, , last] = idsOf(out)
    await changes.next(({ id, kind }) => id === last && kind === 'joined')
    expect(presences.size).toBe(5)
  })
})

describe('what happens in guilds', () => {
  async function town() {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 2 })
    const other = sim.world.addGuild({ members: 1 })
    const [, ada = '', bo = ''] = idsOf(guild)
    sim.world.addMember(other.id, ada)
    const connected = await connect(sim)
    connected.changes.seen.length = 0
    /** Everything before this has arrived when it has. */
    const settled = async () => {
      sim.raw('SOMETHING_NEW', {})
      await connected.event('SOMETHING_NEW')
    }
    return { sim, guild, other, ada, bo, settled, ...connected }
  }

  test('changes the presence, once for all the guilds somebody is in', async () => {
    const { sim, ada, changes, settled, status, metric } = await town()
    sim.world.setPresence(ada, { status: 'dnd' })
    await settled()
    expect(status(ada)).toBe('dnd')
    expect(changes.seen).toEqual([{ id: ada, kind: 'changed' }])
    expect(metric('presence_updates')).toBeGreaterThanOrEqual(2)
  })

  test('lets people come and go', async () => {
    const { sim, guild, bo, settled, presences, becomes, changes } = await town()
    const cy = sim.world.addMember(guild.id, undefined, { presence: { status: 'idle' } })
    sim.world.removeMember(guild.id, bo)
    await settled()
    expect(presences.has(bo)).toBe(false)
    await becomes(cy.id, 'idle')
    expect(changes.seen.filter(({ id }) => id === cy.id)).toEqual([{ id: cy.id, kind: 'joined' }])
  })

  test('shows nobody as offline who joined while the process was started anew', async () => {
    const { sim, guild, presences } = await town()
    const cy = sim.world.addUser({ username: 'cy' })
    presences.putMember(guild.id, { user: cy }, 'awaited')
    sim.world.addMember(guild.id, cy.id, { presence: { status: 'dnd' } })
    const saved = presences.drainDirty().get(cy.id)
    const next = new PresenceStore()
    for (const id of presences.ids()) next.restore(presences.person(id) as Person)
    next.restore(saved as Person)
    const seen: unknown[] = []
    next.onChange(({ id }) => id === cy.id && seen.push(next.person(id)?.presence.status))
    const { becomes } = await connect(sim, { presences: next })
    await becomes(cy.id, 'dnd')
    expect(seen).toEqual(['dnd'])
  })

  test('keeps somebody in two guilds until the last one is left', async () => {
    const { sim, guild, other, ada, settled, presences, changes } = await town()
    sim.world.removeMember(guild.id, ada)
    await settled()
    expect(presences.has(ada)).toBe(true)
    sim.world.removeMember(other.id, ada)
    await settled()
    expect(changes.seen).toEqual([{ id: ada, kind: 'left' }])
  })

  test('merges what a presence update tells of the user', async () => {
    const { sim, guild, ada, settled, presences } = await town()
    sim.raw('PRESENCE_UPDATE', { user: { id: ada, avatar: 'abc' }, guild_id: guild.id, status: 'online' })
    await settled()
    const user = JSON.parse(presences.person(ada)?.user ?? '{}')
    expect(user).toMatchObject({ username: sim.world.user(ada)?.username ?? '?', avatar: 'abc' })
  })

  test('keeps everybody through an outage, and lets them go with the guild', async () => {
    const { sim, guild, ada, bo, settled, presences } = await town()
    sim.world.makeGuildUnavailable(guild.id)
    await settled()
    expect(presences.has(bo)).toBe(true)
    sim.world.makeGuildAvailable(guild.id)
    sim.world.removeGuild(guild.id)
    await settled()
    expect(presences.has(bo)).toBe(false)
    expect(presences.has(ada)).toBe(true)
  })

  test('introduces people nobody has mentioned before', async () => {
    const { sim, guild, changes, presences } = await town()
    const cy = sim.world.addUser()
    // A member whose joining was never told.
    ;(sim.world.guild(guild.id).members as Map<string, object>).set(cy.id, {})
    sim.world.setPresence(cy.id, { status: 'dnd' })
    await changes.next(({ id, kind }) => id === cy.id && kind === 'joined')
    expect(presences.person(cy.id)?.presence.status).toBe('dnd')
    expect(sim.recorder.all('violation')).toEqual([])
  })
})

describe('events for the bot', () => {
  test('arrive, and may be mishandled without harm', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 1 })
    const [, ada = ''] = idsOf(guild)
    const { event, logged, becomes, metric } = await connect(sim, {
      onEvent(type) {
        if (type === 'MESSAGE_CREATE') throw new Error('oops')
      },
    })
    expect((await event('READY')).data).toMatchObject({ user: { id: sim.world.bot.id } })
    for (let times = 0; times < 5; times++) sim.raw('MESSAGE_CREATE', { content: 'a secret' })
    const line = await logged('could not be answered')
    expect(JSON.stringify(line)).not.toContain('a secret')
    sim.world.setPresence(ada, { status: 'dnd' })
    await becomes(ada, 'dnd')
    expect(metric('gateway_dropped_total{reason="listener_error"}')).toBe(5)
  })
})

describe('an event that breaks its handler', () => {
  test('is dropped, counted and logged once, and the next one is taken in', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 2 })
    const [, ada = '', bo = ''] = idsOf(guild)
    class Fragile extends PresenceStore {
      override patchPresence(update: JsonObject): boolean {
        if ((update.user as User).id === ada) throw new Error('broken')
        return super.patchPresence(update)
      }
    }
    const { becomes, metric, log } = await connect(sim, { presences: new Fragile() })
    for (const status of ['dnd', 'idle', 'online'] as const) sim.world.setPresence(ada, { status })
    sim.world.setPresence(bo, { status: 'dnd' })
    await becomes(bo, 'dnd')
    expect(metric('gateway_dropped_total{reason="handler_error"}')).toBe(3)
    expect(log.seen.filter(({ level }) => level === 'error')).toHaveLength(1)
  })
})

describe('hostile frames', () => {
  test('change nothing: the connection goes on, and they are counted', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 2 })
    const [, ada = '', bo = ''] = idsOf(guild)
    const { becomes, status, presences, metric } = await connect(sim)
    const before = status(bo)
    const names = ['READY', 'RESUMED', 'PRESENCE_UPDATE', 'GUILD_CREATE', 'GUILD_MEMBERS_CHUNK', 'GUILD_DELETE', 'X']
    const values = [
      null,
      [],
      'x',
      5,
      {},
      { d: null },
      { id: 5 },
      { user: null },
      { members: [null], guild_id: guild.id },
    ]
    for (const t of names) {
      for (const d of values) {
        sim.rawText(JSON.stringify({ op: 0, s: null, t, d }))
        sim.rawText(JSON.stringify({ t, s: null, op: 0, d }))
        sim.raw(t, d)
      }
    }
    for (const op of [9.5, 10, 12, 99, '0', null, [], {}]) {
      for (const d of values) sim.rawText(JSON.stringify({ op, d }))
    }
    for (const text of ['', 'x', '[', 'null', '5', '[]', '"x"', '{', '{"op":', '\u0000']) sim.rawText(text)
    sim.rawText(`{"t":"PRESENCE_UPDATE","s":null,"op":0,"d":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)
    sim.raw('PRESENCE_UPDATE', { user: { id: bo }, status: 'dnd', activities: [{ name: 'x'.repeat(5_000_000) }] })
    sim.world.setPresence(ada, { status: 'idle' })
    await becomes(ada, 'idle')
    expect(status(bo)).toBe(before as NonNullable<typeof before>)
    expect(presences.size).toBe(3)
    expect(sim.recorder.all('connect')).toHaveLength(1)
    for (const reason of ['bad_frame', 'unknown_opcode', 'oversized', 'not_an_object', 'bad_id', 'bad_member']) {
      const count = metric(`gateway_dropped_total{reason="${reason}"}`)
      expect(`${reason} ${count > 0}`).toBe(`${reason} true`)
    }
    expect(metric('gateway_dropped_total{reason="oversized"}')).toBe(1)
    expect(metric('gateway_events_total{type="other"}')).toBeGreaterThan(0)
  })
})
