import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import fc from 'fast-check'
import { deflate, deflatePiece, Frame, joinPieces, storedPiece } from '../../src/live/frame.ts'
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
    const frame = new Frame('{"op":0}')
    expect(frame.zlib).toBe(frame.zlib)
  })
})

describe('pieces of a message', () => {
  test('make one zlib stream of their texts, whatever they are and however many', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 2000 }), fc.lorem({ maxCount: 100 }))
    const piece = fc.tuple(text, fc.boolean())
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const made = pieces.map(([text, stored]) => (stored ? storedPiece(text) : deflatePiece(text)))
        expect(back(joinPieces(made))).toBe(pieces.map(([text]) => text).join(''))
      }),
    )
  })

  test('hold megabytes', () => {
    const text = 'ü0123456789'.repeat(300_000)
    expect(back(joinPieces([storedPiece('{'), deflatePiece(text), storedPiece('}')]))).toBe(`{${text}}`)
  })
})
