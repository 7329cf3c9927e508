/** The upgrade of a WebSocket client, for use on a bare TCP connection. */
export function upgradeRequest(url: URL, headers: readonly string[] = []): string {
  const head = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  ]
  return `${head.join('\r\n')}\r\n\r\n`
}

/** A client's frame; its mask of zeros leaves the payload as it is. `first` is the first byte: FIN, RSV and opcode. */
export function clientFrame(payload: string | Uint8Array, first = 0x81): Buffer {
  const bytes = Buffer.from(payload as string)
  const { length } = bytes
  const size =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0xfe, length >> 8, length & 0xff]
        : [0xff, 0, 0, 0, 0, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff]
  return Buffer.concat([Buffer.from([first, ...size, 0, 0, 0, 0]), bytes])
}

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
export const PONG = clientFrame('', 0x80 | OPCODE.pong)

/** Takes what a WebSocket server sends apart: the answer to the upgrade, then frame after frame. */
export function createFrameReader(onFrame: (opcode: number, payload: Buffer) => void, onHead: (head: string) => void) {
  let pending: Buffer[] = []
  let have = 0
  let need = 0
  let upgraded = false

  function takeHead(bytes: Buffer): Buffer | null {
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1) return null
    upgraded = true
    onHead(bytes.toString('latin1', 0, end))
    return bytes.subarray(end + 4)
  }

  /** Returns the bytes left over. */
  function takeFrames(bytes: Buffer): Buffer {
    let at = 0
    for (;;) {
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const start = short < 126 ? 2 : short === 126 ? 4 : 10
      need = start
      if (bytes.length - at < start) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      need = start + length
      if (bytes.length - at < need) break
      onFrame((bytes[at] ?? 0) & 0x0f, bytes.subarray(at + start, at + need))
      at += need
    }
    return bytes.subarray(at)
  }

  return (chunk: Buffer) => {
    pending.push(chunk)
    have += chunk.length
    if (have < need) return
    let bytes = pending.length === 1 ? chunk : Buffer.concat(pending)
    if (!upgraded) bytes = takeHead(bytes) ?? bytes
    const left = upgraded ? takeFrames(bytes) : bytes
    // A copy: the chunk's memory is the socket's.
    pending = left.length === 0 ? [] : [Buffer.from(left)]
    have = left.length
  }
}
