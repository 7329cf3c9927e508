/** What is known of one connection's incoming frames. */
export interface Incoming {
  upgraded: boolean
  /** Bytes of the frame under way that are still to come. */
  left: number
  /** The frame's header, as far as it has arrived. */
  readonly head: number[]
}

export const createIncoming = (): Incoming => ({ upgraded: false, left: 0, head: [] })

const SWITCHING = Buffer.from('HTTP/1.1 101')

/**
 * Finds the frames in the first `length` bytes of what a WebSocket server sends and reports their opcodes, payloads
 * unseen. False when the answer to the upgrade is another.
 */
export function countFrames(
  incoming: Incoming,
  bytes: Buffer,
  length: number,
  onFrame: (opcode: number) => void,
): boolean {
  let at = 0
  if (!incoming.upgraded) {
    // The server's first frames may follow the head of its response in the same segment.
    at = bytes.indexOf('\r\n\r\n') + 4
    if (at < 4 || at > length || !bytes.subarray(0, SWITCHING.length).equals(SWITCHING)) return false
    incoming.upgraded = true
  }
  while (at < length) {
    if (incoming.left === 0) at = readHead(incoming, bytes, at, length, onFrame)
    const taken = Math.min(incoming.left, length - at)
    incoming.left -= taken
    at += taken
  }
  return true
}

/** Takes header bytes until the frame's length is known. Source: RFC 6455, section 5.2; servers do not mask. */
function readHead(
  incoming: Incoming,
  bytes: Buffer,
  from: number,
  end: number,
  onFrame: (opcode: number) => void,
): number {
  const { head } = incoming
  let at = from
  while (at < end) {
    head.push(bytes[at++] ?? 0)
    const [first = 0, short = 0] = head
    if (head.length < 2 || head.length < (short === 126 ? 4 : short === 127 ? 10 : 2)) continue
    incoming.left = short < 126 ? short : head.slice(2).reduce((length, byte) => length * 256 + byte, 0)
    head.length = 0
    onFrame(first & 0xf)
    break
  }
  return at
}

/** A client's text frame; its mask of zeros leaves the text as it is. */
export function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const { length } = payload
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0xfe, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload])
}

export const EMPTY_PONG = new Uint8Array([0x8a, 0x80, 0, 0, 0, 0])
