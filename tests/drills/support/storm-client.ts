/** Clients that connect, ask for everybody and leave, over and over, and clients that read without a pause. */

import { clientFrame, createFrameReader, upgradeRequest } from './wire.ts'
import { answerQuestions } from './worker.ts'

export interface Storm {
  readonly url: string
  /** A path to read. */
  readonly path: string
  /** Connections and reads under way at the same time. */
  readonly connecting: number
  readonly readers: number
  /** More headers of every request, e.g. whom it pretends to come from. */
  readonly headers: readonly string[]
}

export interface Stormed {
  readonly connections: number
  /** Of them, with an INIT_STATE. */
  readonly served: number
  readonly reads: number
  /** Reads and connections that were told to slow down. */
  readonly refused: number
}

const ALL = clientFrame('{"op":2,"d":{"subscribe_to_all":true}}')
let blowing = false
let running: Promise<unknown> = Promise.resolve()
let done = { connections: 0, served: 0, reads: 0, refused: 0 }

function begin(storm: Storm): void {
  blowing = true
  done = { connections: 0, served: 0, reads: 0, refused: 0 }
  const times = (count: number, run: (storm: Storm) => Promise<void>) => Array.from({ length: count }, () => run(storm))
  running = Promise.all([...times(storm.connecting, reconnect), ...times(storm.readers, read)])
}

async function end(): Promise<Stormed> {
  blowing = false
  await running
  return done
}

async function reconnect(storm: Storm): Promise<void> {
  while (blowing) await connectOnce(storm)
}

/** Resolves when the connection is over: INIT_STATE came, or a refusal. */
function connectOnce({ url, headers }: Storm): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const path = new URL(`${url}/socket`)
  let frames = 0
  let upgraded = false
  done.connections++
  void Bun.connect({
    hostname: path.hostname,
    port: Number(path.port),
    socket: {
      open(socket) {
        const onHead = (head: string) => {
          upgraded = head.startsWith('HTTP/1.1 101')
          if (upgraded) return
          done.refused++
          socket.terminate()
        }
        const onFrame = () => {
          if (!upgraded || ++frames !== 2) return
          done.served++
          socket.terminate()
        }
        read = createFrameReader(onFrame, onHead)
        socket.write(Buffer.concat([Buffer.from(upgradeRequest(path, headers)), ALL]))
      },
      data: (_socket, chunk) => read(chunk),
      close: () => resolve(),
    },
  })
  let read: (chunk: Buffer) => void = () => {}
  return promise
}

async function read({ url, path, headers }: Storm): Promise<void> {
  const init = { headers: headers.map(header => header.split(': ') as [string, string]) }
  while (blowing) {
    const response = await fetch(url + path, init)
    await response.arrayBuffer()
    if (response.status === 429) done.refused++
    else done.reads++
  }
}

answerQuestions({ begin, end })
