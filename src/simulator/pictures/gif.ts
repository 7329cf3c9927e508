import type { Frame } from './png.ts'

/** Shades of red, green and blue in the one palette all have; the last entry of 256 is nothing at all. */
const SHADES = [6, 7, 6] as const
const NOTHING = 255
const PALETTE = Buffer.alloc(768)
for (let index = 0; index < 252; index++) {
  const shades = [Math.floor(index / 42), Math.floor(index / 6) % 7, index % 6]
  PALETTE.set(
    shades.map((shade, channel) => Math.round((shade * 255) / ((SHADES[channel] ?? 2) - 1))),
    index * 3,
  )
}

/** How much a pixel leans to the brighter shade, so that four by four of them look like one in between. */
const DITHER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5].map(rank => (rank + 0.5) / 16)

/** A square GIF of `size` pixels that goes on for ever (GIF89a). */
export function encodeGif(size: number, frames: readonly Frame[]): Uint8Array {
  const loops = Buffer.from('\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00', 'latin1')
  const parts: Uint8Array[] = [Buffer.from('GIF89a'), shorts(size, size), Buffer.from([0xf7, 0, 0]), PALETTE, loops]
  for (const { pixels, ms } of frames) {
    parts.push(Buffer.from([0x21, 0xf9, 4, 0b1001]), shorts(Math.round(ms / 10)), Buffer.from([NOTHING, 0]))
    parts.push(Buffer.from([0x2c]), shorts(0, 0, size, size), Buffer.from([0, 8]))
    parts.push(...blocks(compress(toPalette(size, pixels))), Buffer.from([0]))
  }
  return Buffer.concat([...parts, Buffer.from([0x3b])])
}

function shorts(...values: readonly number[]): Uint8Array {
  return Buffer.from(values.flatMap(value => [value & 255, value >> 8]))
}

function toPalette(size: number, pixels: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, index) => {
    if ((pixels[index * 4 + 3] ?? 0) < 128) return NOTHING
    const lean = DITHER[((Math.floor(index / size) & 3) << 2) | ((index % size) & 3)] ?? 0.5
    const shade = (channel: 0 | 1 | 2) =>
      Math.floor(((pixels[index * 4 + channel] ?? 0) / 255) * (SHADES[channel] - 1) + lean * 0.999)
    return shade(0) * 42 + shade(1) * 6 + shade(2)
  })
}

const CLEAR = 256
const END = 257

/** LZW with codes of 9 to 12 bits, the lowest bit first; starts anew when all codes are taken. */
function compress(indexes: Uint8Array): Uint8Array {
  const out: number[] = []
  let [bits, held, width, next] = [0, 0, 9, END + 1]
  const codes = new Map<number, number>()
  const write = (code: number) => {
    bits |= code << held
    for (held += width; held >= 8; held -= 8, bits >>>= 8) out.push(bits & 255)
  }
  write(CLEAR)
  let run = indexes[0] ?? 0
  for (const index of indexes.subarray(1)) {
    const key = run * 256 + index
    const known = codes.get(key)
    if (known !== undefined) {
      run = known
      continue
    }
    write(run)
    run = index
    if (next === 4096) {
      write(CLEAR)
      codes.clear()
      ;[width, next] = [9, END + 1]
      continue
    }
    if (next >= 1 << width) width++
    codes.set(key, next++)
  }
  write(run)
  write(END)
  if (held > 0) out.push(bits & 255)
  return Uint8Array.from(out)
}

/** At most 255 bytes each, with their length before them. */
function blocks(data: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < data.length; at += 255) {
    const block = data.subarray(at, at + 255)
    found.push(Buffer.from([block.length]), block)
  }
  return found
}
