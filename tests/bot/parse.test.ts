import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Option } from '../../src/bot/command.ts'
import { mentionedFirst, readArguments, readCommandLine, readPairs, takeWord } from '../../src/bot/parse.ts'

const BOT = '712345678901234567'
const KEY: Option = { name: 'key', description: '', kind: 'word' }
const VALUE: Option = { name: 'value', description: '', kind: 'text' }
const PAGE: Option = { name: 'page', description: '', kind: 'integer', optional: true }
const BLOCK: Option = { name: 'pairs', description: '', kind: 'block' }

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4000 }),
  fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t', '.', '<@', '>', '!', '1', 'set', '\u200b', '\u202e', '`') }),
)

describe('the start of a command line', () => {
  const lines: [content: string, prefix: string, expected: { name: string; rest: string } | null][] = [
    ['.set a b', '.', { name: 'set', rest: ' a b' }],
    ['.SeT a b', '.', { name: 'set', rest: ' a b' }],
    ['.help', '.', { name: 'help', rest: '' }],
    ['.mset\na 1', '.', { name: 'mset', rest: '\na 1' }],
    ['exoix!get a', 'exoix!', { name: 'get', rest: ' a' }],
    [`<@${BOT}> get a`, '.', { name: 'get', rest: ' a' }],
    [`<@!${BOT}>  \n get a`, '.', { name: 'get', rest: ' a' }],
    [`<@${BOT}>get a`, '.', { name: 'get', rest: ' a' }],
    [`<@${BOT}>`, '.', null],
    [`<@!${BOT}> `, '.', null],
    ['<@100000000000000000> get a', '.', null],
    [`hello <@${BOT}> get a`, '.', null],
    ['. set a b', '.', null],
    ['.', '.', null],
    ['..', '.', { name: '.', rest: '' }],
    [' .set a b', '.', null],
    ['set a b', '.', null],
    ['', '.', null],
    ['\u202e.set a b', '.', null],
  ]
  for (const [content, prefix, expected] of lines) {
    test(`reads ${JSON.stringify(content)} with the prefix ${prefix}`, () => {
      expect(readCommandLine(content, prefix, BOT)).toEqual(expected)
    })
  }

  test('takes no mention for its own while the bot does not know its id', () => {
    expect(readCommandLine(`<@${BOT}> get a`, '.', null)).toBeNull()
    expect(mentionedFirst(`<@${BOT}> get a`)).toBe(BOT)
    expect(mentionedFirst('.get a')).toBeNull()
  })
})

describe('arguments', () => {
  const pairs: [rest: string, expected: [string, string] | null][] = [
    [' a b', ['a', 'b']],
    ['    a b', ['a', 'b']],
    ['\n\t a b', ['a', 'b']],
    [' a  b', ['a', ' b']],
    [' a b  c ', ['a', 'b  c ']],
    [' a \n b\n\n', ['a', '\n b\n\n']],
    [' a\nb', ['a', 'b']],
    [' a\r\nb', ['a', 'b']],
    [' a\n\nb', ['a', '\nb']],
    [' a ', ['a', '']],
    [' a', null],
    [' ', null],
    ['', null],
    [' ключ значение', ['ключ', 'значение']],
    [' a \u200b', ['a', '\u200b']],
    [' \u200ba b', ['\u200ba', 'b']],
    [' a \u202eb', ['a', '\u202eb']],
  ]
  for (const [rest, expected] of pairs) {
    test(`of a pair, ${JSON.stringify(rest)}: ${JSON.stringify(expected)}`, () => {
      const values = readArguments(rest, [KEY, VALUE])
      expect(values && [values.get('key'), values.get('value')]).toEqual(expected as never)
    })
  }

  test('are refused when something is left over', () => {
    expect(readArguments(' a b', [KEY])).toBeNull()
    expect(readArguments(' a', [])).toBeNull()
    expect(readArguments(' two', [PAGE])).toBeNull()
    expect(readArguments(' -1', [PAGE])).toBeNull()
  })

  test('that are optional may be left out', () => {
    expect(readArguments('  ', [PAGE])).toEqual(new Map())
    expect(readArguments(' 2 ', [PAGE])).toEqual(new Map([['page', '2']]))
  })

  test('of a block keep everything behind the first blanks', () => {
    expect(readArguments('\n\na 1\n\n b 2 ', [BLOCK])?.get('pairs')).toBe('a 1\n\n b 2 ')
    expect(readArguments(' \n ', [BLOCK])).toBeNull()
  })

  test('keep any value as it was typed, whatever is in it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_]{1,255}$/), anyText, (key, value) => {
        fc.pre(!value.startsWith('\n'))
        const line = readCommandLine(`.set ${key} ${value}`, '.', BOT)
        const values = readArguments(line?.rest ?? '', [KEY, VALUE])
        expect([line?.name, values?.get('key'), values?.get('value')]).toEqual(['set', key, value])
      }),
    )
  })

  test('never throw, whatever is typed', () => {
    fc.assert(
      fc.property(anyText, anyText, (prefix, content) => {
        const line = readCommandLine(content, prefix, BOT)
        for (const options of [[KEY, VALUE], [PAGE], [BLOCK], [KEY, KEY], []])
          readArguments(line?.rest ?? content, options)
        takeWord(content)
        readPairs(content)
        if (line !== null) expect(line.name).not.toMatch(/\s|^$/)
      }),
    )
  })

  test('take time in proportion to their length', () => {
    const blanks = ' '.repeat(200_000)
    for (const text of [blanks, `${blanks}a${blanks}`, `a${blanks}\n`.repeat(20), 'a'.repeat(400_000)]) {
      expect(readArguments(text, [KEY])).toEqual(text.trim() === '' || text.includes('\n') ? null : expect.any(Map))
      readPairs(text)
    }
  })
})

describe('pairs, one a line', () => {
  const blocks: [block: string, expected: [string, string][] | null][] = [
    [
      'a 1\nb 2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a 1\r\nb 2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      '  a  1 \n\n\tb 2 3',
      [
        ['a', ' 1 '],
        ['b', '2 3'],
      ],
    ],
    ['a 1\na 2', [['a', '2']]],
    ['a ', [['a', '']]],
    ['__proto__ 1', [['__proto__', '1']]],
    ['a 1\nb', null],
    ['a', null],
    ['', null],
    [' \n ', null],
  ]
  for (const [block, expected] of blocks) {
    test(`in ${JSON.stringify(block)}: ${JSON.stringify(expected)}`, () => {
      expect(readPairs(block)).toEqual(expected === null ? null : new Map(expected))
    })
  }
})
