import { describe, expect, test } from 'bun:test'
import { ShardSession } from '../../src/discord/session.ts'
import type { GatewaySession, SessionStore } from '../../src/domain/checkpoint.ts'

const LINE = 'line:1'
const INFO: GatewaySession = {
  sessionId: 'a',
  sequence: 5,
  shardId: 0,
  shardCount: 1,
  resumeURL: 'wss://resume.example',
}
/** The library reports a session with the address it was given. */
const reported = (patch: Partial<GatewaySession> = {}): GatewaySession => ({ ...INFO, resumeURL: LINE, ...patch })

function createStore(loaded: unknown = null) {
  const saved: (GatewaySession | null)[] = []
  const store: SessionStore = { load: () => loaded as GatewaySession | null, save: (_, info) => saved.push(info) }
  return { store, saved }
}

describe("a shard's session", () => {
  test('is there once the library has reported it, under the address of its line', () => {
    const session = new ShardSession(0, 1, LINE)
    expect(session.forLibrary()).toBeNull()
    session.update(reported())
    session.locate('wss://resume.example')
    expect(session.forLibrary()).toEqual(reported())
    expect(session.address()).toBe('wss://resume.example')
  })

  test('is not given up because a connection failed', () => {
    const session = new ShardSession(0, 1, LINE)
    session.update(reported())
    session.update(null)
    expect(session.forLibrary()).toEqual(reported())
  })

  test('is given up when it is over', () => {
    const session = new ShardSession(0, 1, LINE)
    session.update(reported())
    session.drop()
    expect(session.forLibrary()).toBeNull()
    expect(session.address()).toBeUndefined()
  })

  test('forgets the address of the session before', () => {
    const session = new ShardSession(0, 1, LINE)
    session.update(reported())
    session.locate('wss://resume.example')
    session.update(reported({ sessionId: 'b', sequence: 1 }))
    expect(session.address()).toBeUndefined()
  })

  test.each([undefined, null, 5, '', 'resume.example', 'https://x', 'wss://', 'wss://a b', 'ws://x?y=1', {}])(
    'takes no address that cannot be dialed (%p)',
    address => {
      const session = new ShardSession(0, 1, LINE)
      session.update(reported())
      session.locate(address)
      expect(session.address()).toBeUndefined()
    },
  )

  test('does not count what is no number', () => {
    const session = new ShardSession(0, 1, LINE)
    session.update(reported())
    session.update(reported({ sequence: '6' as unknown as number }))
    session.update(reported({ sequence: 1e300 }))
    expect(session.forLibrary()?.sequence).toBe(5)
  })
})

describe('a session that outlives the process', () => {
  test('is taken from the store', () => {
    const { store } = createStore(INFO)
    const session = new ShardSession(0, 1, LINE, store)
    expect(session.forLibrary()).toEqual(reported())
    expect(session.address()).toBe('wss://resume.example')
  })

  test('is kept with every event, under its real address', () => {
    const { store, saved } = createStore(INFO)
    const session = new ShardSession(0, 1, LINE, store)
    session.update(reported({ sequence: 6 }))
    expect(saved).toEqual([{ ...INFO, sequence: 6 }])
  })

  test('is not kept before its member lists are complete, and while one is on its way', () => {
    const { store, saved } = createStore()
    const session = new ShardSession(0, 1, LINE, store)
    session.update(reported())
    session.locate('wss://resume.example')
    session.update(reported({ sequence: 6 }))
    session.setComplete(true)
    session.setComplete(false)
    expect(saved).toEqual([null, null, { ...INFO, sequence: 6 }, null])
  })

  test('is not kept once it is over', () => {
    const { store, saved } = createStore(INFO)
    new ShardSession(0, 1, LINE, store).drop()
    expect(saved).toEqual([null])
  })

  test('of another number of shards is of no use', () => {
    const { store } = createStore({ ...INFO, shardCount: 2 })
    expect(new ShardSession(0, 1, LINE, store).forLibrary()).toBeNull()
  })

  test('may have lost its address', () => {
    const { store } = createStore({ ...INFO, resumeURL: null })
    const session = new ShardSession(0, 1, LINE, store)
    expect(session.forLibrary()).toEqual(reported())
    expect(session.address()).toBeUndefined()
  })
})
