import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import {
  CLOSES,
  extraCost,
  HELLO,
  initStateFrame,
  parseFrame,
  updateFrame,
  withUserId,
} from '../../src/live/protocol.ts'

// Generous, because a machine may be busy with much else.
setDefaultTimeout(30_000)

const many = (...ids: string[]) => ({ kind: 'followMany', ids })
const one = (id: string | null) => ({ kind: 'followOne', id })
const nothing = { kind: 'nothing' }

describe('a frame that cannot be understood', () => {
  const closes: [reason: keyof typeof CLOSES, text: string][] = [
    ['invalidPayload', ''],
    ['invalidPayload', 'hello'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_all":true}'],
    ['invalidPayload', '[]'],
    ['invalidPayload', '[{"op":3}]'],
    ['invalidPayload', 'null'],
    ['invalidPayload', '3'],
    ['invalidPayload', '"op"'],
    ['invalidPayload', '['.repeat(65_536)],
    ['unknownOpcode', '{}'],
    ['unknownOpcode', '{"d":{}}'],
    ['unknownOpcode', '{"op":null}'],
    ['unknownOpcode', '{"op":"2","d":{"subscribe_to_all":true}}'],
    ['unknownOpcode', '{"op":"3"}'],
    ['unknownOpcode', '{"op":[3]}'],
    ['unknownOpcode', '{"op":2.5}'],
    ['unknownOpcode', '{"op":0}'],
    ['unknownOpcode', '{"op":1}'],
    ['unknownOpcode', '{"op":5}'],
    ['unknownOpcode', '{"op":-2}'],
    ['unknownOpcode', '{"op":1e999}'],
    ['unknownOpcode', '{"__proto__":{"op":3}}'],
    ['requiresDataObject', '{"op":2}'],
    ['requiresDataObject', '{"op":2,"d":null}'],
    ['requiresDataObject', '{"op":2,"d":"subscribe_to_all"}'],
    ['requiresDataObject', '{"op":2,"d":1}'],
    ['requiresDataObject', '{"op":2,"d":true}'],
    ['requiresDataObject', '{"op":2,"d":[]}'],
    ['requiresDataObject', '{"op":2,"d":["1"]}'],
    ['requiresDataObject', '{"op":2,"d":{}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe":"1"}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_all":false}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_all":1}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_all":"true"}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_all":null}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_ids":"1"}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_ids":{"0":"1","length":1}}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_ids":null,"subscribe_to_id":"1"}}'],
    ['invalidPayload', '{"op":2,"d":{"subscribe_to_ids":7,"subscribe_to_all":true}}'],
    ['invalidPayload', '{"op":2,"d":{"__proto__":{"subscribe_to_all":true}}}'],
    ['invalidPayload', '{"op":2,"d":{"unsubscribe_from_all":true}}'],
  ]
  test.each(closes)('closes %s: %p', (reason, text) => {
    expect(parseFrame(text)).toEqual(CLOSES[reason])
  })

  test('closes with the codes and reasons clients know', () => {
    const shown = Object.values(CLOSES).map(({ code, reason }) => `${code} ${reason}`)
    expect(shown).toContain('4004 unknown_opcode')
    expect(shown).toContain('4005 requires_data_object')
    expect(shown).toContain('4006 invalid_payload')
    expect(shown).toContain('4008 rate_limited')
  })
})

describe('op 2', () => {
  const frames: [d: string, expected: object][] = [
    ['{"subscribe_to_id":"94490510688792576"}', one('94490510688792576')],
    ['{"subscribe_to_ids":["1","2"]}', many('1', '2')],
    ['{"subscribe_to_ids":[]}', many()],
    ['{"subscribe_to_all":true}', { kind: 'followAll' }],
    ['{"subscribe_to_all":true,"subscribe_to_id":"1"}', one('1')],
    ['{"subscribe_to_all":true,"subscribe_to_id":"1","subscribe_to_ids":["2"]}', many('2')],
    ['{"subscribe_to_all":true,"subscribe_to_ids":[]}', many()],
    ['{"subscribe_to_all":true,"other":null}', { kind: 'followAll' }],
    ['{"subscribe_to_ids":["2","1","2"]}', many('2', '1')],
    ['{"subscribe_to_ids":[1,null,["3"],{},true,"4"]}', many('4')],
    ['{"subscribe_to_ids":["__proto__","constructor","","1 ","１","1:z"]}', many()],
    ['{"subscribe_to_id":94490510688792576}', one(null)],
    ['{"subscribe_to_id":null}', one(null)],
    ['{"subscribe_to_id":["1"]}', one(null)],
    ['{"subscribe_to_id":"__proto__"}', one(null)],
    ['{"subscribe_to_id":"constructor","subscribe_to_all":true}', one(null)],
    [`{"subscribe_to_id":"${'1'.repeat(21)}"}`, one(null)],
  ]
  test.each(frames)('with %s', (d, expected) => {
    expect(parseFrame(`{"op":2,"d":${d}}`)).toEqual(expected as never)
  })
})

describe('op 3', () => {
  test.each(['', ',"d":null', ',"d":{"subscribe_to_all":true}', ',"d":[]'])('asks for nothing: {"op":3%s}', rest => {
    expect(parseFrame(`{"op":3${rest}}`)).toEqual(nothing as never)
  })
})

describe('op 4', () => {
  const frames: [d: string, expected: object][] = [
    ['{"unsubscribe_from_id":"1"}', { kind: 'unfollow', ids: ['1'] }],
    ['{"unsubscribe_from_ids":["1","2","1"]}', { kind: 'unfollow', ids: ['1', '2'] }],
    ['{"unsubscribe_from_all":true}', { kind: 'unfollowAll' }],
    ['{"unsubscribe_from_all":true,"unsubscribe_from_id":"1"}', { kind: 'unfollow', ids: ['1'] }],
    ['{"unsubscribe_from_id":"1","unsubscribe_from_ids":["2"]}', { kind: 'unfollow', ids: ['2'] }],
    ['{"unsubscribe_from_ids":[1,{}]}', { kind: 'unfollow', ids: [] }],
    ['{"unsubscribe_from_ids":"1"}', nothing],
    ['{"unsubscribe_from_id":1}', nothing],
    ['{"unsubscribe_from_all":"true"}', nothing],
    ['{"unsubscribe_from_all":false}', nothing],
    ['{"subscribe_to_all":true}', nothing],
    ['{}', nothing],
    ['[]', nothing],
    ['null', nothing],
    ['"all"', nothing],
    ['7', nothing],
  ]
  test.each(frames)('never closes: %s', (d, expected) => {
    expect(parseFrame(`{"op":4,"d":${d}}`)).toEqual(expected as never)
  })

  test('without d asks for nothing', () => {
    expect(parseFrame('{"op":4}')).toEqual(nothing as never)
  })
})

describe('what a frame costs beyond one', () => {
  const ids = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1))
  const cost = (frame: object, named = 0) => extraCost(parseFrame(JSON.stringify(frame)), named)

  test.each([
    [255, 0],
    [256, 1],
    [2_816, 11],
  ])('is one for every 256 names in it: %d cost %d', (count, expected) => {
    expect(cost({ op: 2, d: { subscribe_to_ids: ids(count) } })).toBe(expected)
    expect(cost({ op: 4, d: { unsubscribe_from_ids: ids(count) } }, 20_000)).toBe(expected)
  })

  test.each([
    [1_023, 0],
    [1_024, 1],
    [20_000, 19],
  ])('is one for every 1,024 names that are let go of all at once: %d cost %d', (named, expected) => {
    expect(cost({ op: 4, d: { unsubscribe_from_all: true } }, named)).toBe(expected)
    expect(cost({ op: 2, d: { subscribe_to_all: true } }, named)).toBe(expected)
  })

  test('is nothing otherwise', () => {
    expect(cost({ op: 3 }, 20_000)).toBe(0)
    expect(cost({ op: 2, d: { subscribe_to_id: '1' } }, 20_000)).toBe(0)
    expect(extraCost(parseFrame('nonsense'), 20_000)).toBe(0)
  })
})

describe('whatever arrives', () => {
  const documented = [4004, 4005, 4006]
  const check = (text: string) => {
    const parsed = parseFrame(text)
    if (parsed.kind === 'close') expect(documented).toContain(parsed.code)
    if (parsed.kind === 'followMany' || parsed.kind === 'unfollow') {
      for (const id of parsed.ids) expect(id).toMatch(/^\d{1,20}$/)
      expect(new Set(parsed.ids).size).toBe(parsed.ids.length)
    }
    if (parsed.kind === 'followOne' && parsed.id !== null) expect(parsed.id).toMatch(/^\d{1,20}$/)
  }

  test('any text is understood or closes with a documented code', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), check), { numRuns: 2000 })
    fc.assert(fc.property(fc.json(), check), { numRuns: 1000 })
  })

  test('any frame made of the known keys is too, and op 4 never closes', () => {
    const key = fc.constantFrom(
      ...['subscribe_to_id', 'subscribe_to_ids', 'subscribe_to_all'],
      ...['unsubscribe_from_id', 'unsubscribe_from_ids', 'unsubscribe_from_all', '__proto__', 'constructor'],
    )
    const id = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
      fc.string(),
      fc.integer(),
      fc.constant(null),
    )
    const value = fc.oneof(fc.jsonValue(), id, fc.array(id), fc.boolean())
    const frame = fc.record(
      {
        op: fc.oneof(fc.integer({ min: -1, max: 6 }), fc.jsonValue()),
        d: fc.oneof(fc.dictionary(key, value), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(frame, made => {
        check(JSON.stringify(made))
        if (made.op === 4) expect(parseFrame(JSON.stringify(made)).kind).not.toBe('close')
      }),
      { numRuns: 5000 },
    )
  })
})

describe('frames', () => {
  test('hello names the heartbeat interval', () => {
    expect(JSON.parse(HELLO)).toEqual({ op: 1, d: { heartbeat_interval: 30000 } })
  })

  test('carry sequence number, type and the presence as it is', () => {
    const presence = '{"kv":{"a":"ü"},"activities":[]}'
    expect(JSON.parse(initStateFrame(7, presence))).toEqual({ op: 0, seq: 7, t: 'INIT_STATE', d: JSON.parse(presence) })
    expect(JSON.parse(updateFrame(8, withUserId('42', presence)))).toEqual({
      op: 0,
      seq: 8,
      t: 'PRESENCE_UPDATE',
      d: { user_id: '42', kv: { a: 'ü' }, activities: [] },
    })
  })
})
