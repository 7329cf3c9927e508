import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/**
 * A square PNG of `size` pixels from the bytes of {@link paint}; several pictures make one that moves, `everyMs` each
 * (PNG specification, third edition: eight bits a channel, with opacity; animation chunks).
 */
export function encodePng(
  size: number,
  [first = new Uint8Array(), ...more]: readonly Uint8Array[],
  everyMs = 100,
): Uint8Array {
  const header = numbers(13, [size, size])
  header.set([8, 6, 0, 0, 0], 8)
  const moves = more.length > 0
  const parts = [
    SIGNATURE,
    chunk('IHDR', header),
    ...(moves ? [chunk('acTL', numbers(8, [more.length + 1, 0])), frameControl(0, size, everyMs)] : []),
    chunk('IDAT', deflateRows(size, first)),
  ]
  for (const [index, pixels] of more.entries()) {
    const place = numbers(4, [2 * index + 2])
    parts.push(
      frameControl(2 * index + 1, size, everyMs),
      chunk('fdAT', Buffer.concat([place, deflateRows(size, pixels)])),
    )
  }
  return Buffer.concat([...parts, chunk('IEND', Buffer.alloc(0))])
}

/** The whole picture is replaced, and shown for a while. */
function frameControl(place: number, size: number, everyMs: number): Uint8Array {
  const data = numbers(26, [place, size, size, 0, 0])
  data.writeUInt16BE(everyMs, 20)
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
