import { describe, expect, test } from 'bun:test'
import { countFrames, createIncoming } from './frame-counter.ts'

const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'

/** Server frames of every length encoding: short, 16 bits, 64 bits; a ping between texts. */
const FRAMES = Buffer.concat([
  Buffer.from([0x81, 5, ...Buffer.from('Hello')]),
  Buffer.from([0x89, 0]),
  Buffer.from([0x82, 126, 0, 200, ...Buffer.alloc(200)]),
  Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70, ...Buffer.alloc(70_000)]),
  Buffer.from([0x88, 2, 0x03, 0xe8]),
])
const OPCODES = [1, 9, 2, 1, 8]

describe('countFrames', () => {
  test('finds the same frames wherever the stream is cut', () => {
    for (const size of [1, 2, 3, 7, 100, 1000, 100_000]) {
      const incoming = createIncoming()
      const opcodes: number[] = []
      countFrames(incoming, Buffer.from(UPGRADE), UPGRADE.length, opcode => opcodes.push(opcode))
      for (let at = 0; at < FRAMES.length; at += size) {
        const piece = FRAMES.subarray(at, at + size)
        countFrames(incoming, piece, piece.length, opcode => opcodes.push(opcode))
      }
      expect(opcodes).toEqual(OPCODES)
    }
  })

  test('takes frames that come with the answer to the upgrade, and nothing beyond the given length', () => {
    const opcodes: number[] = []
    const bytes = Buffer.concat([Buffer.from(UPGRADE), FRAMES])
    expect(countFrames(createIncoming(), bytes, UPGRADE.length + 9, opcode => opcodes.push(opcode))).toBe(true)
    expect(opcodes).toEqual([1, 9])
  })

  test('tells when the server answers anything but an upgrade', () => {
    const bytes = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(countFrames(createIncoming(), bytes, bytes.length, () => {})).toBe(false)
  })
})
