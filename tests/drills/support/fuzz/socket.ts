import type { Random } from '../../../../src/simulator/random.ts'
import { hold } from '../drill.ts'
import { clientFrame, createFrameReader, OPCODE, upgradeRequest } from '../wire.ts'
import { createMutator } from './mutate.ts'

const CLIENTS = 8
/** Frames on one connection; after them it is over. */
const FRAMES = 20
/** Milliseconds until whoever has announced more than they send is given up. */
const PATIENCE = 300
const CLOSES = [1000, 1002, 1003, 1007, 1009, 4004, 4005, 4006, 4008]

const TEXTS = ['{"op":3}', '{"op":2,"d":{"subscribe_to_all":true}}', '{"op":4,"d":{"unsubscribe_from_id":"1"}}']

/** Any bytes on an open WebSocket: the connection goes on or ends with a documented code, or without a word. */
export async function fuzzSockets(cases: number, random: Random, url: string): Promise<void> {
  const mutate = createMutator(random)
  let left = cases
  async function client(): Promise<void> {
    while (left > 0) {
      const count = Math.min(left, FRAMES)
      left -= count
      const frames = Array.from({ length: count }, () => {
        const good = clientFrame(random.pick(TEXTS), random.pick([0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a]))
        return random.chance(0.5) ? good : mutate.bytes(good)
      })
      const code = await converse(new URL(`${url}/socket`), Buffer.concat([...frames, clientFrame('', 0x88)]))
      hold(code === undefined || CLOSES.includes(code), `a socket was closed with ${code}`)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

/** Resolves with the code of the close frame, when there is one. */
function converse(url: URL, bytes: Buffer): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  let code: number | undefined
  const read = createFrameReader(
    (opcode, payload) => {
      if (opcode === OPCODE.close && payload.length >= 2) code = payload.readUInt16BE(0)
    },
    () => {},
  )
  let patience: Timer | undefined
  function end(): void {
    clearTimeout(patience)
    resolve(code)
  }
  void Bun.connect({
    hostname: url.hostname,
    port: Number(url.port),
    socket: {
      open(socket) {
        patience = setTimeout(() => socket.terminate(), PATIENCE)
        socket.write(Buffer.concat([Buffer.from(upgradeRequest(url)), bytes]))
      },
      data: (_socket, chunk) => read(chunk),
      close: end,
      error: end,
    },
  })
  return promise
}
