import { clientFrame, createFrameReader, OPCODE, upgradeRequest } from './wire.ts'

/** Sends frames on a WebSocket of its own. Resolves with the code it is closed with; undefined without a close frame. */
export async function converse(url: string, frames: Buffer): Promise<number | undefined> {
  const path = new URL(`${url}/socket`)
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  let code: number | undefined
  const read = createFrameReader(
    (opcode, payload) => {
      if (opcode === OPCODE.close && payload.length >= 2) code = payload.readUInt16BE(0)
    },
    () => {},
  )
  let unsent = Buffer.concat([Buffer.from(upgradeRequest(path)), frames])
  const send = (socket: Bun.Socket) => {
    unsent = unsent.subarray(Math.max(0, socket.write(unsent)))
  }
  await Bun.connect({
    hostname: path.hostname,
    port: Number(path.port),
    socket: {
      open: send,
      drain: send,
      data: (_socket, chunk) => read(chunk),
      close: () => resolve(code),
      error: () => resolve(code),
    },
  })
  return promise
}

/** Opens so many WebSockets that say nothing after their op 2. Resolves when all have ended, with the seconds it took. */
export function endings(url: string, count: number): Promise<number[]> {
  const path = new URL(`${url}/socket`)
  const head = Buffer.concat([Buffer.from(upgradeRequest(path)), clientFrame('{"op":2,"d":{"subscribe_to_all":true}}')])
  return Promise.all(Array.from({ length: count }, () => drip(url, head, '')))
}

/** Sends a beginning, then a byte a second. Resolves with the seconds until the server ends the connection. */
export async function drip(url: string, beginning: string | Buffer, byte: string): Promise<number> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<number>()
  const startedAt = performance.now()
  let timer: Timer | undefined
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(socket) {
        if (beginning.length > 0) socket.write(beginning)
        if (byte !== '') timer = setInterval(() => socket.write(byte), 1000)
      },
      data() {},
      close() {
        clearInterval(timer)
        resolve((performance.now() - startedAt) / 1000)
      },
    },
  })
  return promise
}

/** Sends a request and reads no more than the first bytes of the answer. Resolves once they are there. */
export async function askAndWait(url: string, path: string): Promise<Bun.Socket> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<Bun.Socket>()
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: socket => void socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`),
      data(socket) {
        socket.pause()
        resolve(socket)
      },
    },
  })
  return promise
}
