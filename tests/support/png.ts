import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** A small valid PNG of one colour, another for each seed. */
export function pngOf(seed: string): Uint8Array<ArrayBuffer> {
  const colour = Buffer.from(Bun.hash(seed).toString(16).padStart(16, '0').slice(0, 8), 'hex')
  // Four by four pixels, eight bits a channel, with opacity; each row begins with the number of its filter: none.
  const header = Buffer.from([0, 0, 0, 4, 0, 0, 0, 4, 8, 6, 0, 0, 0])
  const row = Buffer.concat([Buffer.from([0]), colour, colour, colour, colour])
  const data = deflateSync(Buffer.concat([row, row, row, row]))
  return Uint8Array.from(
    Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]),
  )
}

function chunk(name: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(data.length + 12)
  whole.writeUInt32BE(data.length)
  whole.write(name, 4, 'latin1')
  whole.set(data, 8)
  whole.writeUInt32BE(crc32(whole.subarray(4, data.length + 8)), data.length + 8)
  return whole
}

/** A square PNG's size, the names of its chunks, and red, green, blue and opacity of a pixel. */
export function readPng(png: Buffer) {
  const chunks: { name: string; data: Buffer }[] = []
  for (let at = SIGNATURE.length; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const name = png.toString('latin1', at + 4, at + 8)
    chunks.push({ name, data: png.subarray(at + 8, at + 8 + png.readUInt32BE(at)) })
  }
  const size = png.readUInt32BE(16)
  const pixel = (x: number, y: number) => {
    const data = Buffer.concat(chunks.filter(({ name }) => name === 'IDAT').map(({ data }) => data))
    const channels = png[25] === 6 ? 4 : 3
    const row = unfilter(inflateSync(data), size, channels)[y] ?? Buffer.alloc(0)
    return [...row.subarray(x * channels, (x + 1) * channels), 255].slice(0, 4)
  }
  return { size, chunks: chunks.map(({ name }) => name), pixel }
}

/** Rows of pixels as they were before each was written as a difference to its neighbours (PNG specification, "Filtering"). */
function unfilter(data: Buffer, size: number, channels: number): Buffer[] {
  const rows: Buffer[] = []
  for (let y = 0; y < size; y++) {
    const from = y * (size * channels + 1)
    const row = Buffer.from(data.subarray(from + 1, from + 1 + size * channels))
    const above = rows.at(-1) ?? Buffer.alloc(row.length)
    for (const [index, difference] of row.entries()) {
      const left = index < channels ? 0 : (row[index - channels] ?? 0)
      const corner = index < channels ? 0 : (above[index - channels] ?? 0)
      row[index] = difference + guess(data[from] ?? 0, left, above[index] ?? 0, corner)
    }
    rows.push(row)
  }
  return rows
}

function guess(filter: number, left: number, above: number, corner: number): number {
  if (filter < 4) return [0, left, above, (left + above) >> 1][filter] ?? 0
  const near = (value: number) => Math.abs(left + above - corner - value)
  if (near(left) <= near(above) && near(left) <= near(corner)) return left
  return near(above) <= near(corner) ? above : corner
}
