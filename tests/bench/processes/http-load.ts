import type { Socket } from 'bun'
import { type Answer, createAnswer, readAnswer, requestText } from '../support/answers.ts'
import { now, takeCommands } from '../support/commands.ts'

export interface Load {
  readonly url: string
  /** Asked for in turn, by every connection. */
  readonly requests: readonly { readonly path: string; readonly headers?: Readonly<Record<string, string>> }[]
  readonly connections: number
  readonly seconds: number
  /** Every answer must have this status. */
  readonly status: number
}

export interface LoadResult {
  readonly answers: number
  readonly requestsPerSecond: number
}

interface Reader {
  /** Index of the next request. */
  next: number
  readonly answer: Answer
}

/** Keep-alive connections that each ask again as soon as they are answered. */
async function run({ url, requests, connections, seconds, status }: Load): Promise<LoadResult> {
  const { hostname, port, host } = new URL(url)
  const texts = requests.map(({ path, headers }) => requestText(host, path, headers))
  const failed = Promise.withResolvers<never>()
  let answers = 0
  let running = true

  function ask(socket: Socket<Reader>): void {
    const { data } = socket
    socket.write(texts[data.next] ?? '')
    data.next = (data.next + 1) % texts.length
  }

  const socket = {
    data(socket: Socket<Reader>, chunk: Buffer) {
      if (!readAnswer(socket.data.answer, chunk, status)) return
      answers++
      if (running) ask(socket)
    },
    error: (_socket: Socket<Reader>, error: Error) => failed.reject(error),
    close: () => void (running && failed.reject(new Error('the server closed a connection'))),
  }
  const connect = (index: number) => {
    const data: Reader = { next: Math.floor((index * texts.length) / connections), answer: createAnswer() }
    return Bun.connect<Reader>({ hostname, port: Number(port), socket, data })
  }
  const sockets = await Promise.all(Array.from({ length: connections }, (_, index) => connect(index)))
  const began = now()
  for (const socket of sockets) ask(socket)
  await Promise.race([Bun.sleep(seconds * 1000), failed.promise])
  running = false
  const requestsPerSecond = (answers / (now() - began)) * 1000
  for (const socket of sockets) socket.end()
  return { answers, requestsPerSecond }
}

takeCommands({ run })
