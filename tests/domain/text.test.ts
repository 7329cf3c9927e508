import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { clean } from '../../src/domain/text.ts'

describe('a stranger’s text', () => {
  test.each([
    ['plain', 'plain'],
    ['two\nlines\tand  blanks ', 'two lines and blanks'],
    ['a\0b\x1b[31mc\x7f\x9f', 'ab[31mc'],
    ['lone \ud800 and \udc00', 'lone and'],
    ['\ufffe\uffff\ufeff', ''],
    ['\u202etxt.exe\u202c', 'txt.exe'],
    ['👩‍👩‍👧 stays', '👩‍👩‍👧 stays'],
    [7, ''],
    [null, ''],
    [undefined, ''],
    [{}, ''],
  ])('%p becomes %p', (text, cleaned) => {
    expect(clean(text)).toBe(cleaned)
  })

  test('is no longer looked at where no line could show it', () => {
    expect(clean('x'.repeat(1_000_000)).length).toBeLessThan(1000)
  })

  test('has only characters XML has a place for, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), text => {
        expect(clean(text)).toMatch(/^[\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u)
      }),
    )
  })
})
