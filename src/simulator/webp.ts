import { buildPattern, CELLS } from './png.ts'

const SIZE = 64

/**
 * A small square WebP, its pattern made from `seed` (RFC 9649, lossless: no transform, no colour cache; each channel has
 * a prefix code of two symbols, so one bit a pixel, and no back-references).
 */
export function buildWebp(seed: string): Uint8Array {
  const { colours, cells } = buildPattern(seed)
  const bits = createBits()
  bits.write(0x2f, 8)
  bits.write(SIZE - 1, 14)
  bits.write(SIZE - 1, 14)
  bits.write(0, 1 + 3 + 1 + 1 + 1)
  const [first, second] = [colours[0] ?? [], colours[1] ?? []]
  // Channels go green, red, blue; the smaller symbol of a code gets the bit 0, so equal ones are told apart.
  const channels = [1, 0, 2].map(at => [
    first[at] ?? 0,
    first[at] === second[at] ? (second[at] ?? 0) ^ 1 : (second[at] ?? 0),
  ])
  for (const symbols of channels) {
    bits.write(0b111, 3)
    for (const symbol of symbols.toSorted((a, b) => a - b)) bits.write(symbol, 8)
  }
  bits.write(0b101, 3)
  bits.write(255, 8)
  bits.write(0b0001, 4)
  for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
    const [x, y] = [pixel % SIZE, Math.floor(pixel / SIZE)].map(at => Math.floor((at * CELLS) / SIZE)) as [
      number,
      number,
    ]
    const chosen = cells[y]?.[x] ? 1 : 0
    for (const symbols of channels) bits.write((symbols[chosen] ?? 0) > (symbols[1 - chosen] ?? 0) ? 1 : 0, 1)
  }
  return container(bits.bytes())
}

/** Bits go in from the least significant end of each byte. */
function createBits() {
  const bytes: number[] = []
  let used = 0
  return {
    write(value: number, count: number) {
      for (let at = 0; at < count; at++, used++) {
        if (used % 8 === 0) bytes.push(0)
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | (((value >> at) & 1) << (used % 8))
      }
    },
    bytes: () => Buffer.from(bytes),
  }
}

function container(data: Buffer): Uint8Array {
  const padded = Buffer.alloc(data.length + (data.length % 2))
  data.copy(padded)
  const head = Buffer.alloc(20)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(12 + padded.length, 4)
  head.write('WEBPVP8L', 8, 'latin1')
  head.writeUInt32LE(data.length, 16)
  return Buffer.concat([head, padded])
}
