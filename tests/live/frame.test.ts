import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import { createFrame, deflate, deflated } from '../../src/live/frame.ts'
import { inflateWhole } from './support.ts'

// Generous, because a machine may be busy with much else.
setDefaultTimeout(30_000)

const back = (bytes: Uint8Array<ArrayBuffer>) => inflateWhole(Buffer.from(bytes))

describe('a compressed frame', () => {
  test('is one zlib stream that inflates to the text, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3000 }), text => expect(back(deflate(text))).toBe(text)),
    )
    fc.assert(fc.property(fc.lorem({ maxCount: 500 }), text => expect(back(deflate(text))).toBe(text)))
  })

  test('holds megabytes', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `{"id":"${i * 7919}","name":"日本 ${i}"}`).join()
    expect(back(deflate(text))).toBe(text)
  })

  test('is compressed once', () => {
    const frame = createFrame('{"op":0}')
    expect(deflated(frame)).toBe(deflated(frame))
  })
})
