import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readFrame, withoutMemberLists } from '../../src/discord/frames.ts'
import { guildCreate } from './payloads.ts'

const frame = (payload: unknown) => readFrame(JSON.stringify(payload))
const READY = { t: 'READY', s: 1, op: 0, d: { session_id: 'abc', resume_gateway_url: 'wss://x', guilds: [] } }

describe('emptying the member lists of a guild', () => {
  const empty = (d: unknown) => JSON.parse(withoutMemberLists(JSON.stringify({ t: 'GUILD_CREATE', s: 1, op: 0, d }))).d

  test('is not fooled by names, nesting and escapes', () => {
    const tricky = {
      name: '"members":[1,2,3] \\" ]}',
      members: [{ user: { username: '"]}[{\\' }, roles: [[]] }, ']'],
      threads: [{ members: [1], presences: [2] }],
      extra: { members: [3] },
      'members"': [4],
      presences: [{ activities: [{ name: '\\"],"members":[' }] }],
      member_count: 2,
    }
    expect(empty(tricky)).toEqual({ ...tricky, members: [], presences: [] })
  })

  test('changes nothing else, whatever the guild looks like', () => {
    const guild = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('members', 'presences', 'large')), fc.jsonValue())
    fc.assert(
      fc.property(guild, d => {
        const { members, presences, ...rest } = JSON.parse(JSON.stringify(d))
        const lists = {
          ...(members !== undefined && { members: Array.isArray(members) ? [] : members }),
          ...(presences !== undefined && { presences: Array.isArray(presences) ? [] : presences }),
        }
        expect(empty(d)).toEqual({ ...rest, ...lists })
      }),
      { numRuns: 1000 },
    )
  })

  test('ends, and yields no JSON, when there was none', () => {
    for (const text of ['', '{"a":{"members":[', '{"a":{"members":["x\\', '{"a":{"x', '}}]]', '{"a":{"members":[}']) {
      expect(() => JSON.parse(withoutMemberLists(text))).toThrow()
    }
  })
})

describe('a gateway frame', () => {
  test('reaches the library as it came when it is a dispatch', () => {
    const text = '{"t":"PRESENCE_UPDATE","s":7,"op":0,"d":{"user":{"id":"1"}}}'
    expect(readFrame(text)).toEqual({ kind: 'dispatch', text })
  })

  test('may have its keys in any order', () => {
    expect(frame({ op: 0, d: null, s: 3, t: 'TYPING_START' })).toMatchObject({ kind: 'dispatch' })
    expect(frame({ d: { heartbeat_interval: 41_250 }, op: 10 })).toMatchObject({ kind: 'hello' })
  })

  test('passes for the small opcodes whatever their data', () => {
    for (const op of [1, 11]) expect(frame({ op, d: [] })).toMatchObject({ kind: 'other' })
    expect(frame({ op: 7, d: [] })).toMatchObject({ kind: 'reconnect' })
  })

  test.each([
    ['no object', 'null'],
    ['a list', '[]'],
    ['a number', '5'],
    ['no JSON', '{"op":'],
    ['a dispatch without a name', '{"op":0,"d":{}}'],
    ['a dispatch whose name is a number', '{"op":0,"t":5,"d":{}}'],
    ['READY without data', JSON.stringify({ ...READY, d: null })],
    ['READY without a session', JSON.stringify({ ...READY, d: { guilds: [] } })],
    ['READY without a sequence number', JSON.stringify({ ...READY, s: null })],
    ['HELLO without data', '{"op":10,"d":null}'],
    ['HELLO without an interval', '{"op":10,"d":{}}'],
    ['HELLO that would beat without a pause', '{"op":10,"d":{"heartbeat_interval":0}}'],
    ['HELLO that would never beat', '{"op":10,"d":{"heartbeat_interval":1e12}}'],
    ['HELLO with a text as interval', '{"op":10,"d":{"heartbeat_interval":"41250"}}'],
  ])('is dropped as bad: %s', (_, text) => {
    expect(readFrame(text)).toEqual({ kind: 'dropped', reason: 'bad_frame' })
  })

  test('is dropped when the library does not know its opcode', () => {
    for (const op of [2, 12, 31, -1, '0', null, 1e9])
      expect(frame({ op, d: {} })).toEqual({ kind: 'dropped', reason: 'unknown_opcode' })
  })

  test('is dropped when it is binary', () => {
    expect(readFrame(new ArrayBuffer(4))).toEqual({ kind: 'dropped', reason: 'bad_frame' })
  })

  test('is dropped when a presence is larger than any real one', () => {
    const text = `{"t":"PRESENCE_UPDATE","s":7,"op":0,"d":{"user":{"id":"1"},"x":"${'x'.repeat(5_000_000)}"}}`
    expect(readFrame(text)).toEqual({ kind: 'dropped', reason: 'oversized' })
  })

  test('of a huge guild comes without its lists, which the chunks bring', () => {
    const ids = Array.from({ length: 3000 }, (_, index) => String(10_000 + index))
    const d = guildCreate('1', ids, { name: 'x'.repeat(500_000), large: true })
    const huge = readFrame(JSON.stringify({ t: 'GUILD_CREATE', s: 5, op: 0, d }))
    if (huge.kind !== 'dispatch') throw new Error(huge.kind)
    expect(JSON.parse(huge.text)).toEqual({ t: 'GUILD_CREATE', s: 5, op: 0, d: { ...d, members: [], presences: [] } })
  })

  test('of a guild that is not huge comes as it is', () => {
    const text = JSON.stringify({ t: 'GUILD_CREATE', s: 5, op: 0, d: guildCreate('1', ['10', '11']) })
    expect(readFrame(text)).toEqual({ kind: 'dispatch', text })
  })

  test('ends a session for good unless it says true', () => {
    expect(frame({ op: 9, d: true })).toEqual({ kind: 'invalid session', resumable: true })
    for (const d of [false, null, 'true', 1, undefined])
      expect(frame({ op: 9, d })).toEqual({ kind: 'invalid session', resumable: false })
  })

  test('never throws, and what passes is what the library can take', () => {
    const anything = fc.record(
      {
        op: fc.oneof(fc.integer({ min: -1, max: 12 }), fc.jsonValue()),
        t: fc.oneof(fc.constantFrom('READY', 'RESUMED', 'PRESENCE_UPDATE'), fc.jsonValue()),
        s: fc.jsonValue(),
        d: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          anything.map(value => JSON.stringify(value)),
          fc.string(),
        ),
        text => {
          const { kind } = readFrame(text)
          if (kind === 'dropped' || kind === 'invalid session') return
          const payload = JSON.parse(text)
          if (payload.op === 10) expect(payload.d.heartbeat_interval).toBeGreaterThan(0)
          if (payload.op === 0 && payload.t === 'READY') expect(typeof payload.d.session_id).toBe('string')
        },
      ),
      { numRuns: 2000 },
    )
  })
})
