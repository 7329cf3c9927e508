import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE: Uint8Array = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** One of the pictures that make a moving one: bytes of {@link paint}, and how long it is shown. */
export interface Frame {
  readonly pixels: Uint8Array
  readonly ms: number
}

/**
 * A square PNG of `size` pixels, moving when there is more than one frame (PNG specification, third edition: eight bits a
 * channel, with opacity; animation chunks).
 */
export function encodePng(size: number, frames: readonly Frame[]): Uint8Array {
  const header = numbers(13, [size, size])
  header.set([8, 6, 0, 0, 0], 8)
  const parts = [SIGNATURE, chunk('IHDR', header)]
  if (frames.length > 1) parts.push(chunk('acTL', numbers(8, [frames.length, 0])))
  let place = 0
  for (const [index, { pixels, ms }] of frames.entries()) {
    const data = deflateRows(size, pixels)
    if (frames.length > 1) parts.push(frameControl(place++, size, ms))
    parts.push(index === 0 ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([numbers(4, [place++]), data])))
  }
  return Buffer.concat([...parts, chunk('IEND', Buffer.alloc(0))])
}

/** The whole picture is replaced, and shown for a while. */
function frameControl(place: number, size: number, ms: number): Uint8Array {
  const data = numbers(26, [place, size, size, 0, 0])
  data.writeUInt16BE(ms, 20)
  data.writeUInt16BE(1000, 22)
  return chunk('fcTL', data)
}

/** Each row as the difference to the one above: gradients become long runs. */
function deflateRows(size: number, pixels: Uint8Array): Uint8Array {
  const stride = size * 4
  const rows = Buffer.alloc((stride + 1) * size)
  for (let y = 0, at = 0; y < size; y++) {
    rows[at++] = 2
    for (let from = y * stride, end = from + stride; from < end; from++)
      rows[at++] = (pixels[from] ?? 0) - (from < stride ? 0 : (pixels[from - stride] ?? 0))
  }
  return deflateSync(rows, { level: 3 })
}

function numbers(length: number, values: readonly number[]): Buffer {
  const data = Buffer.alloc(length)
  for (const [index, value] of values.entries()) data.writeUInt32BE(value, index * 4)
  return data
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + data.length)
  out.writeUInt32BE(data.length, 0)
  out.write(type, 4, 'latin1')
  out.set(data, 8)
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length)
  return out
}
