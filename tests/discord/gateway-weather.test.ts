import { afterAll, describe, expect, test } from 'bun:test'
import type { GatewaySession, SessionStore } from '../../src/domain/checkpoint.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { Relay } from '../../src/simulator/relay.ts'
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts'
import { createJumpClock } from './clocks.ts'
import { cleanUp, connect, createTestGateway, simulate } from './gateway-support.ts'
import { guildCreate, presence, ready } from './payloads.ts'
import { startStubGateway } from './stub-gateway.ts'

// Most of these wait for the library, which pauses half a second before it connects again; so they wait together.
afterAll(cleanUp)

const idsOf = (guild: { members: ReadonlyMap<string, unknown> }) => [...guild.members.keys()]

async function calm(options: SimulatorOptions = {}, gatewayOptions: Parameters<typeof connect>[1] = {}) {
  const sim = await simulate(options)
  const guild = sim.world.addGuild({ members: 3 })
  const [, ada = '', bo = ''] = idsOf(guild)
  const connected = await connect(sim, gatewayOptions)
  return { sim, guild, ada, bo, ...connected }
}

describe.concurrent('a connection that is lost', () => {
  const losses: [string, (sim: Simulator) => void][] = [
    ['because Discord asks for it (op 7)', sim => sim.faults.reconnect()],
    ['because Discord doubts the session (op 9 true)', sim => sim.faults.invalidateSessions(true)],
    ['without a word', sim => sim.faults.dropTcp()],
    ['with close code 1001', sim => sim.faults.closeAll(1001)],
    ['with close code 4000', sim => sim.faults.closeAll(4000)],
    ['with close code 4003', sim => sim.faults.closeAll(4003)],
    ['with close code 4008', sim => sim.faults.closeAll(4008)],
  ]

  test.each(losses)('%s is resumed, and what was missed is made up for', async (_, lose) => {
    const { sim, ada, bo, becomes, presences, changes, logged } = await calm()
    changes.seen.length = 0
    sim.world.setPresence(bo, { status: 'idle' })
    await becomes(bo, 'idle')
    lose(sim)
    for (const status of ['dnd', 'idle', 'dnd'] as const) sim.world.setPresence(ada, { status })
    await logged('session resumed')
    expect(presences.person(ada)?.presence.status).toBe('dnd')
    expect(changes.seen.map(({ id }) => id)).toEqual([bo, ada, ada, ada])
    expect(sim.recorder.all('identify')).toHaveLength(1)
    expect(sim.recorder.all('violation')).toEqual([])
  })

  test('together with its session starts a new one, and finds out who has left meanwhile', async () => {
    const { sim, guild, ada, bo, changes, presences, becomes } = await calm()
    sim.faults.refuseConnections(true)
    sim.faults.invalidateSessions(false)
    sim.world.removeMember(guild.id, bo)
    sim.world.setPresence(ada, { status: 'dnd' })
    expect(presences.has(bo)).toBe(true)
    sim.faults.refuseConnections(false)
    await changes.next(({ id, kind }) => id === bo && kind === 'left')
    await becomes(ada, 'dnd')
    expect(sim.recorder.all('identify')).toHaveLength(2)
  })

  test('together with its session finds out who has left a large guild', async () => {
    const sim = await simulate({ memberRequestIntervalMs: 0 })
    const guild = sim.world.addGuild({ members: 400 })
    const [, ada = ''] = idsOf(guild)
    const { changes, presences } = await connect(sim)
    sim.faults.loseSessions()
    sim.world.removeMember(guild.id, ada)
    sim.faults.dropTcp()
    await changes.next(({ id, kind }) => id === ada && kind === 'left')
    expect(presences.size).toBe(400)
  })

  test('together with its session finds out that the bot has left a guild', async () => {
    const { sim, guild, ada, changes, presences } = await calm()
    sim.world.addGuild({ members: 1 })
    sim.faults.loseSessions()
    sim.world.removeGuild(guild.id)
    sim.faults.dropTcp()
    await changes.next(({ id, kind }) => id === ada && kind === 'left')
    expect(presences.size).toBe(2)
  })

  test.each([4007, 4009])('with close code %i starts a new session without trying to resume', async code => {
    const { sim, logged } = await calm()
    await logged('session started')
    sim.faults.closeAll(code)
    await logged('session started')
    expect(sim.recorder.all('resume')).toEqual([])
  })

  test('for a while, so that its session is forgotten, starts a new one within seconds: no failure, no warning', async () => {
    const waits: number[] = []
    const clock: Clock = {
      ...systemClock,
      after(ms, run) {
        waits.push(ms)
        return systemClock.after(ms === 1234 ? 0 : ms, run)
      },
    }
    const timing = { refused: { leastMs: 1234, mostMs: 1234 }, backoff: { firstMs: 1, longestMs: 20 } }
    const { sim, logged, log } = await calm({}, { clock, timing })
    await logged('session started')
    sim.faults.refuseConnections(true)
    sim.faults.loseSessions()
    sim.faults.dropTcp()
    for (let failures = 0; failures < 4; failures++) await logged('could not be reached')
    expect(waits).not.toContain(1234)
    sim.faults.refuseConnections(false)
    expect(await logged('does not know the session')).toMatchObject({ level: 'info', failures: 0 })
    await logged('session started')
    expect(waits).toContain(1234)
    expect(log.seen.some(({ message }) => message.includes('no gateway session'))).toBe(false)
  })

  test('again and again, each time after it worked, is opened again as if it were the first time', async () => {
    const { sim, logged } = await calm({}, { timing: { stableMs: 0 } })
    sim.faults.refuseConnections(true)
    sim.faults.dropTcp()
    for (let failures = 1; failures < 4; failures++)
      expect((await logged('could not be reached')).failures).toBe(failures)
    sim.faults.refuseConnections(false)
    await logged('session resumed')
    for (let round = 0; round < 4; round++) {
      sim.faults.reconnect()
      expect(await logged('ended as Discord asked')).toMatchObject({ level: 'info', failures: 0 })
      await logged('session resumed')
    }
  })

  test('at once each time is one failure each time, however often', async () => {
    const { sim, logged } = await calm({}, { timing: { stableMs: 60_000 } })
    for (let round = 0; round < 4; round++) {
      sim.faults.closeAll(4000)
      expect((await logged('connection lost')).failures).toBe(1)
      await logged('session resumed')
    }
  })

  test('while the clock is set back an hour starts its new session without waiting for that hour', async () => {
    let back = 0
    const clock = { ...systemClock, now: () => systemClock.now() - back }
    const { sim, logged } = await calm({}, { clock, timing: { identifyMs: 50 } })
    await logged('session started')
    back = 3_600_000
    sim.faults.invalidateSessions(false)
    await logged('session started')
  })

  test('because the peer fell silent is noticed, ended and resumed', async () => {
    const { sim, ada, becomes, logged } = await calm({ heartbeatIntervalMs: 300 }, { timing: { closeMs: 30 } })
    sim.faults.goSilent()
    expect((await logged('does not answer heartbeats')).level).toBe('warn')
    await logged('session resumed')
    sim.world.setPresence(ada, { status: 'dnd' })
    await becomes(ada, 'dnd')
  })

  test('because the network is dead is noticed, ended and opened again', async () => {
    const sim = await simulate({ heartbeatIntervalMs: 300 })
    const guild = sim.world.addGuild({ members: 3 })
    const [, ada = ''] = idsOf(guild)
    const relay = new Relay(sim)
    const { logged, becomes } = await connect(sim, { timing: { closeMs: 30, handshakeMs: 500 } })
    relay.freeze()
    const line = await logged('does not answer heartbeats')
    expect([line.level, line.problem]).toEqual(['warn', 'no close frame in time'])
    relay.thaw()
    sim.world.setPresence(ada, { status: 'dnd' })
    await becomes(ada, 'dnd')
    relay.stop()
  })

  test('answers a request for a heartbeat', async () => {
    const { sim } = await calm()
    sim.faults.requestHeartbeat()
    expect((await sim.next('heartbeat')).sequence).toBeGreaterThan(0)
  })
})

describe.concurrent('a gateway that cannot be reached', () => {
  test.each([true, 'hang', 'silent'] as const)('for long changes nothing for readers (%s)', async how => {
    const { sim, ada, presences, logged, becomes, metric, log } = await calm({}, { timing: { handshakeMs: 100 } })
    const before = presences.snapshot(ada)?.json as string
    sim.faults.refuseConnections(how)
    sim.faults.dropTcp()
    sim.world.setPresence(ada, { status: 'dnd' })
    await logged('connection lost')
    for (let failures = 0; failures < 4; failures++) await logged('could not be reached')
    expect(presences.readiness).toBe('reconnecting')
    expect(presences.snapshot(ada)?.json).toBe(before)
    expect(metric('gateway_connected_shards')).toBe(0)
    const complaints = log.seen.filter(({ message }) => message.includes('could not be reached'))
    expect(complaints.every(({ level }) => level === 'warn')).toBe(true)
    sim.faults.refuseConnections(false)
    await becomes(ada, 'dnd')
    await logged('session resumed')
    expect(presences.readiness).toBe('ready')
    expect(sim.recorder.all('identify')).toHaveLength(1)
  })

  test('where it used to be is looked for where REST says it is now', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 1 })
    const [, ada = ''] = idsOf(guild)
    const relay = new Relay(sim)
    const { becomes } = await connect(sim, { timing: { budgetFreshMs: 0 } })
    relay.stop()
    sim.world.setPresence(ada, { status: 'dnd' })
    await becomes(ada, 'dnd')
  })

  test('does not let the process or the session end when it answers with rubbish', async () => {
    const { sim, ada, logged, becomes } = await calm()
    sim.rawText('{"op":10,"d":null}')
    sim.rawText('{"op":9}')
    await logged('session started')
    await logged('session started')
    sim.world.setPresence(ada, { status: 'dnd' })
    await becomes(ada, 'dnd')
  })
})

describe.concurrent('a gateway that answers oddly', () => {
  async function odd(onPayload: Parameters<typeof startStubGateway>[0], options: Parameters<typeof connect>[1] = {}) {
    const sim = await simulate()
    const stub = startStubGateway(onPayload)
    sim.faults.moveGateway(stub.url)
    const created = createTestGateway(sim, options)
    await created.gateway.start()
    return { ...created, stub }
  }
  const READY = { op: 0, t: 'READY', s: 1, d: ready(['1'], { resume_gateway_url: 'no address' }) }
  const GUILD = { op: 0, t: 'GUILD_CREATE', s: 2, d: guildCreate('1', ['10']) }
  const RESUMED = { op: 0, t: 'RESUMED', s: 3, d: null }

  test('with everything in one segment is taken in, in order', async () => {
    const update = (status: string, s: number) => ({ op: 0, t: 'PRESENCE_UPDATE', s, d: presence('10', status) })
    const { gateway, presences, becomes, stub } = await odd(({ op }, send) => {
      if (op === 2) send(READY, GUILD, update('dnd', 3), update('idle', 4), update('offline', 5))
    })
    const seen: unknown[] = []
    presences.onChange(({ id }) => seen.push(presences.person(id)?.presence.status))
    await gateway.whenLoaded
    await becomes('10', 'offline')
    expect(seen).toEqual(['online', 'dnd', 'idle', 'offline'])
    await gateway.stop()
    await stub.stop()
  })

  test('to RESUME with silence is asked again, and then for a new session', async () => {
    const asked: number[] = []
    const { gateway, stub, logged } = await odd(
      ({ op }, send, socket) => {
        asked.push(op)
        if (op === 2) send(READY, GUILD)
        if (asked.length === 1) socket.close(4000)
      },
      { timing: { readyMs: 200 } },
    )
    await logged('session started')
    for (let times = 0; times < 3; times++) expect((await logged('no gateway session')).problem).toContain('RESUME')
    await logged('session started')
    expect(asked).toEqual([2, 6, 6, 6, 2])
    await gateway.stop()
    await stub.stop()
  })

  test('to RESUME with "try again" for ever is asked for a new session', async () => {
    const asked: number[] = []
    const { gateway, stub, logged } = await odd(({ op }, send, socket) => {
      asked.push(op)
      if (op === 2) send(READY, GUILD)
      if (op === 6) send({ op: 9, d: true })
      if (asked.length === 1) socket.close(4000)
    })
    await logged('session started')
    await logged('session started')
    expect(asked).toEqual([2, 6, 6, 6, 2])
    await gateway.stop()
    await stub.stop()
  })

  test('to IDENTIFY with silence is asked again', async () => {
    let asked = 0
    const { gateway, stub } = await odd(
      ({ op }, send) => {
        if (op === 2 && ++asked > 1) send(READY, GUILD)
      },
      { timing: { readyMs: 200 } },
    )
    await gateway.whenLoaded
    expect(asked).toBeGreaterThanOrEqual(2)
    await gateway.stop()
    await stub.stop()
  })

  test.each([
    ['"invalid session"', { op: 9, d: false }],
    ['"reconnect"', { op: 7, d: null }],
    ['a HELLO too many', { op: 10, d: { heartbeat_interval: 41_250 } }],
  ])('to IDENTIFY with %s is asked once a connection until it gives in', async (_, answer) => {
    const asked = new Map<object, number>()
    const { gateway, stub, logged, metric } = await odd(({ op }, send, socket) => {
      if (op !== 2) return
      asked.set(socket, (asked.get(socket) ?? 0) + 1)
      if (asked.size < 3) send(answer)
      if (asked.size === 3 || answer.op === 10) send(READY, GUILD)
    })
    await logged('session started')
    await gateway.whenLoaded
    expect([...asked.values()].every(times => times === 1)).toBe(true)
    expect(asked.size).toBe(answer.op === 10 ? 1 : 3)
    expect(metric('gateway_identifies_total')).toBe(asked.size)
    await gateway.stop()
    await stub.stop()
  })

  test('with replayed events that take their time is not given up', async () => {
    const clock = createJumpClock()
    const asked: number[] = []
    const { gateway, stub, logged, becomes } = await odd(
      async ({ op }, send, socket) => {
        asked.push(op)
        if (op === 2) send(READY, GUILD)
        if (asked.length === 1) return socket.close(4000)
        for (const [index, status] of ['dnd', 'idle', 'online', 'dnd', 'idle'].entries()) {
          send({ op: 0, t: 'PRESENCE_UPDATE', s: 3 + index, d: presence('10', status) })
          await becomes('10', status)
          // Longer than a silent resume would be waited for, all in all.
          clock.jump(20_000)
        }
        return send(RESUMED)
      },
      { clock },
    )
    await logged('session resumed')
    expect(asked).toEqual([2, 6])
    await gateway.stop()
    await stub.stop()
  })
})

describe.concurrent('a process that follows another', () => {
  function createStore(): SessionStore & { kept: Map<number, GatewaySession> } {
    const kept = new Map<number, GatewaySession>()
    return {
      kept,
      load: shard => kept.get(shard) ?? null,
      save(shard, info) {
        if (info === null) kept.delete(shard)
        else kept.set(shard, info)
      },
    }
  }

  test('resumes its session on every shard and is told what it missed', async () => {
    const session = createStore()
    const sim = await simulate({ recommendedShards: 2 })
    const guilds = Array.from({ length: 4 }, () => sim.world.addGuild({ members: 2 }))
    const [, ada = ''] = idsOf(guilds[0] ?? { members: new Map() })
    const first = await connect(sim, { sessions: session })
    await first.gateway.stop()
    sim.world.setPresence(ada, { status: 'dnd' })
    const second = await connect(sim, { sessions: session, presences: first.presences })
    await second.becomes(ada, 'dnd')
    expect(sim.recorder.all('identify')).toHaveLength(2)
    expect(second.metric('gateway_resumes_total')).toBe(2)
    expect(second.presences.readiness).toBe('ready')
  })

  test('resumes after the first one died without a word', async () => {
    const session = createStore()
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 2 })
    const [, ada = ''] = idsOf(guild)
    const first = await connect(sim, { sessions: session })
    const kept = new Map(session.kept)
    sim.faults.refuseConnections(true)
    sim.faults.dropTcp()
    sim.world.setPresence(ada, { status: 'dnd' })
    await first.gateway.stop()
    sim.faults.refuseConnections(false)
    session.kept.clear()
    for (const [shard, info] of kept) session.kept.set(shard, info)
    const second = await connect(sim, { sessions: session, presences: first.presences })
    await second.becomes(ada, 'dnd')
    expect(sim.recorder.all('identify')).toHaveLength(1)
  })

  test('starts anew when Discord has forgotten the session, keeping what it has until it knows better', async () => {
    const session = createStore()
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 2 })
    const [, ada = ''] = idsOf(guild)
    const first = await connect(sim, { sessions: session })
    await first.gateway.stop()
    sim.faults.loseSessions()
    sim.world.removeMember(guild.id, ada)
    const second = createTestGateway(sim, { sessions: session, presences: first.presences })
    expect(second.presences.has(ada)).toBe(true)
    await second.gateway.start()
    await second.gateway.whenLoaded
    expect(second.presences.has(ada)).toBe(false)
  })

  test('finds out that the bot has left a guild while nobody watched', async () => {
    const sim = await simulate({ recommendedShards: 2 })
    const guilds = Array.from({ length: 6 }, () => sim.world.addGuild({ members: 1 }))
    const first = await connect(sim)
    await first.gateway.stop()
    sim.faults.loseSessions()
    for (const { id } of guilds.slice(0, 3)) sim.world.removeGuild(id)
    const second = await connect(sim, { presences: first.presences })
    const staying = guilds.slice(3).flatMap(idsOf)
    expect(new Set(second.presences.ids())).toEqual(new Set(staying))
    expect(second.metric('guilds')).toBe(3)
  })

  test('knows how many guilds it is in, though a resumed session does not tell', async () => {
    const session = createStore()
    const sim = await simulate()
    sim.world.addGuild({ members: 1 })
    sim.world.addGuild({ members: 1 })
    const first = await connect(sim, { sessions: session })
    await first.gateway.stop()
    const second = await connect(sim, { sessions: session, presences: first.presences })
    expect(second.metric('guilds')).toBe(2)
  })

  test('is not given a session whose member lists were still coming in', async () => {
    const session = createStore()
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 300 })
    const first = await connect(sim, { sessions: session })
    expect(session.kept.size).toBe(1)
    sim.world.makeGuildUnavailable(guild.id)
    sim.world.makeGuildAvailable(guild.id)
    await first.logged('has to wait')
    expect(session.kept.size).toBe(0)
    await first.gateway.stop()
    expect(session.kept.size).toBe(0)
  })

  test.each([null, 5, {}, { shardCount: 1 }, { shardCount: 1, sessionId: 'x', sequence: '5', resumeURL: 'wss://x' }])(
    'is not confused by what it finds (%j)',
    async found => {
      const sim = await simulate()
      const { presences } = await connect(sim, {
        sessions: { load: () => found as unknown as GatewaySession, save() {} },
      })
      expect(presences.readiness).toBe('ready')
      expect(sim.recorder.all('resume')).toEqual([])
    },
  )

  test('of another number of shards starts new sessions', async () => {
    const session = createStore()
    const sim = await simulate()
    const first = await connect(sim, { sessions: session })
    await first.gateway.stop()
    sim.account.recommendedShards = 2
    await connect(sim, { sessions: session, presences: first.presences })
    expect(sim.recorder.all('resume')).toEqual([])
    expect([...session.kept.values()].map(({ shardCount }) => shardCount)).toEqual([2, 2])
  })
})
