/** Clients who ask for everybody at the same moment. */
import { inflateSync } from 'node:zlib'
import { clientFrame, createFrameReader, OPCODE, PONG, upgradeRequest } from './wire.ts'
import { answerQuestions } from './worker.ts'

export interface Newcomers {
  readonly url: string
  readonly count: number
  readonly zlib: boolean
}

export interface Arrivals {
  /** Length of one INIT_STATE as it was sent. */
  readonly bytes: number
  /** When each was complete, milliseconds after all had asked. */
  readonly at: readonly number[]
  /** How many people each named. */
  readonly complete: readonly number[]
}

const ALL = clientFrame('{"op":2,"d":{"subscribe_to_all":true}}')

async function ask({ url, count, zlib }: Newcomers): Promise<Arrivals> {
  const path = new URL(`${url}/socket${zlib ? '?compression=zlib_json' : ''}`)
  const at: number[] = []
  const complete: number[] = []
  let bytes = 0
  let startedAt = 0
  const { promise, resolve, reject } = Promise.withResolvers<void>()

  function take(payload: Buffer): void {
    at.push(performance.now() - startedAt)
    bytes = payload.length
    complete.push(countPeople(zlib ? inflateSync(payload) : payload))
    if (complete.length === count) resolve()
  }

  const greeted = await Promise.all(Array.from({ length: count }, () => connect(path, take, reject)))
  startedAt = performance.now()
  for (const socket of greeted) socket.write(ALL)
  await promise
  return { bytes, at, complete }
}

/** Resolves when the Hello is there. */
function connect(url: URL, take: (payload: Buffer) => void, lost: (error: Error) => void) {
  const { promise, resolve } = Promise.withResolvers<Bun.Socket>()
  let frames = 0
  let socket: Bun.Socket
  const read = createFrameReader(
    (opcode, payload) => {
      if (opcode === OPCODE.ping) return void socket.write(PONG)
      if (opcode === OPCODE.close) return lost(new Error(`closed: ${payload.subarray(2)}`))
      if (++frames === 1) return resolve(socket)
      if (frames === 2) take(payload)
    },
    () => {},
  )
  void Bun.connect({
    hostname: url.hostname,
    port: Number(url.port),
    socket: {
      open(opened) {
        socket = opened
        opened.write(upgradeRequest(url))
      },
      data: (_socket, chunk) => read(chunk),
      close: () => lost(new Error('a socket was disconnected')),
    },
  })
  return promise
}

/** Every presence has this key once, at its beginning; counting needs no parsed copy of everybody. */
function countPeople(json: Buffer): number {
  let count = 0
  for (let at = json.indexOf('"discord_user":{'); at !== -1; at = json.indexOf('"discord_user":{', at + 1)) count++
  return count
}

answerQuestions({ ask })
