import { crc32, deflateSync } from 'node:zlib'
import { createRandom } from './random.ts'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
export const CELLS = 8

/** A picture somebody could tell from another: a symmetric pattern of 8 by 8 cells in two colours (red, green, blue). */
export interface Pattern {
  readonly colours: readonly [number[], number[]]
  readonly cells: boolean[][]
}

export function buildPattern(seed: string): Pattern {
  const random = createRandom(crc32(seed))
  const colour = () => [random.int(0, 255), random.int(0, 255), random.int(0, 255)]
  const colours: Pattern['colours'] = [colour(), colour()]
  return { colours, cells: Array.from({ length: CELLS }, () => buildRow(random.int(0, 15))) }
}

/** A square PNG of `size` pixels, its pattern made from `seed` (PNG specification: one bit a pixel, palette). */
export function buildPng(seed: string, size: number): Uint8Array {
  const { colours, cells } = buildPattern(seed)
  const palette = Buffer.from(colours.flat())
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([1, 3, 0, 0, 0], 8)
  const pixels = deflateSync(buildPixels(cells, size))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** Four bits mirrored to eight. */
function buildRow(half: number): boolean[] {
  const left = [8, 4, 2, 1].map(bit => (half & bit) !== 0)
  return [...left, ...left.toReversed()]
}

function buildPixels(cells: boolean[][], size: number): Uint8Array {
  const stride = 1 + Math.ceil(size / 8)
  const pixels = Buffer.alloc(stride * size)
  const lines = cells.map(row => {
    const line = Buffer.alloc(stride)
    for (let x = 0; x < size; x++) {
      if (row[Math.floor((x * CELLS) / size)]) line[1 + (x >> 3)] = (line[1 + (x >> 3)] ?? 0) | (0x80 >> (x & 7))
    }
    return line
  })
  for (let y = 0; y < size; y++) pixels.set(lines[Math.floor((y * CELLS) / size)] ?? [], y * stride)
  return pixels
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + data.length)
  out.writeUInt32BE(data.length, 0)
  out.write(type, 4, 'latin1')
  out.set(data, 8)
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length)
  return out
}
