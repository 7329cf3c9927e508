import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ApiError } from '../../src/domain/errors.ts'
import { readPairs } from '../../src/http/pairs-body.ts'

const codeOf = (body: string | Uint8Array) => {
  try {
    return readPairs(typeof body === 'string' ? Buffer.from(body) : body)
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
}
const members = (count: number) => Array.from({ length: count }, (_, at) => `"${at}":""`).join(',')

describe('the pairs in a body', () => {
  test.each([
    ['{}', {}],
    [' \n{\t}\r ', {}],
    ['{"a":"1"}', { a: '1' }],
    ['\ufeff{ "a" : "1" , "b":"2"}\n', { a: '1', b: '2' }],
    ['{"a":"1","a":"2"}', { a: '2' }],
    ['{"\\"":"\\\\","}":"{,:"}', { '"': '\\', '}': '{,:' }],
    ['{"\\u0061":"\\u00e9\\n"}', { a: 'é\n' }],
  ])('of %s are read', (body, pairs) => {
    expect(codeOf(body)).toEqual(pairs)
  })

  test.each([
    ...['', ' ', '[]', 'null', '"a"', '{', '{"a"', '{"a"}', '{"a":', '{"a":"1"', '{"a":"1",', '{"a":"1",}', '{,}', '}'],
    ...['{"a":1}', '{"a":null}', '{"a":{}}', '{"a":["b"]}', '{"a":"1"}x', '{"a":"1"}{}', '{a:"1"}', "{'a':'1'}"],
    ...['{"a":"\\x"}', '{"a":"\n"}', '{"a":"1""b":"2"}', '{"a" "1"}', '{"a":"1\\"}', '{"a":"1', '{"\\'],
  ])('are none in %p', body => {
    expect(codeOf(body)).toBe('invalid_kv_value')
  })

  test('are read as JSON has them, whatever the text', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), pairs => {
        const isClean = JSON.stringify(pairs).isWellFormed()
        if (isClean) expect(codeOf(JSON.stringify(pairs, null, 1))).toEqual(JSON.parse(JSON.stringify(pairs)))
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: fc.constantFrom(...'{}",:\\ a1[]') })), body => {
        const read = codeOf(body)
        if (read !== 'invalid_kv_value') expect(read).toEqual(JSON.parse(body))
      }),
    )
  })

  test('are refused by their number before they are read', () => {
    expect(Object.keys(codeOf(`{${members(1024)}}`) as object)).toHaveLength(1024)
    // No JSON at all behind what is counted: nobody reads so far.
    for (const rest of ['}', ',"more":"1"}', ',nonsense', '']) {
      expect(codeOf(`{${members(1025)},"x":"y"${rest}`)).toBe('kv_validation_failed')
    }
  })
})
