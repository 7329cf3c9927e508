import type { Socket } from 'bun'
import { type Answer, createAnswer, readAnswer } from '../support/answers.ts'
import { now, takeCommands } from '../support/commands.ts'

export interface Writes {
  readonly url: string
  /** Everybody writes to their own pairs, over a connection of their own. */
  readonly keys: readonly string[]
  readonly seconds: number
  /** All together. 0: each as soon as the write before is acknowledged. */
  readonly perSecond: number
}

export interface WriteResult {
  readonly acknowledged: number
  readonly perSecond: number
  /** Milliseconds until a write is acknowledged, the median and the 99th of a hundred. */
  readonly median: number
  readonly p99: number
}

interface Writer {
  readonly key: string
  readonly answer: Answer
  writes: number
  /** When the write under way was sent; 0 without one. */
  sent: number
}

/** How many pairs each writer has. */
const PAIRS = 8

function putText(host: string, writer: Writer): string {
  const body = `value ${writer.writes}`
  const head = [
    `PUT /v1/users/@me/kv/k${writer.writes % PAIRS} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: ${writer.key}`,
    `Content-Length: ${body.length}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** Keep-alive connections that write, each one write at a time. */
async function run({ url, keys, seconds, perSecond }: Writes): Promise<WriteResult> {
  const { hostname, port, host } = new URL(url)
  const failed = Promise.withResolvers<never>()
  const waits: number[] = []
  let running = true

  function write(socket: Socket<Writer>): void {
    socket.data.sent = now()
    socket.write(putText(host, socket.data))
    socket.data.writes++
  }

  const socket = {
    data(socket: Socket<Writer>, chunk: Buffer) {
      if (!readAnswer(socket.data.answer, chunk, 204)) return
      waits.push(now() - socket.data.sent)
      socket.data.sent = 0
      if (running && perSecond === 0) write(socket)
    },
    error: (_socket: Socket<Writer>, error: Error) => failed.reject(error),
    close: () => void (running && failed.reject(new Error('the server closed a connection'))),
  }
  const connect = (key: string) =>
    Bun.connect<Writer>({
      hostname,
      port: Number(port),
      socket,
      data: { key, answer: createAnswer(), writes: 0, sent: 0 },
    })
  const sockets = await Promise.all(keys.map(connect))
  const began = now()
  const stopPacing = perSecond === 0 ? () => {} : pace(sockets, perSecond, write)
  if (perSecond === 0) for (const socket of sockets) write(socket)
  await Promise.race([Bun.sleep(seconds * 1000), failed.promise])
  running = false
  stopPacing()
  const acknowledged = waits.length
  const elapsed = now() - began
  for (const socket of sockets) socket.end()
  waits.sort((a, b) => a - b)
  const at = (part: number) => waits[Math.floor(acknowledged * part)] ?? Number.NaN
  return { acknowledged, perSecond: (acknowledged / elapsed) * 1000, median: at(0.5), p99: at(0.99) }
}

/** So many writes a second, spread over the connections that have none under way. */
function pace(
  sockets: readonly Socket<Writer>[],
  perSecond: number,
  write: (socket: Socket<Writer>) => void,
): () => void {
  const began = now()
  let written = 0
  const timer = setInterval(() => {
    const due = ((now() - began) / 1000) * perSecond
    for (const socket of sockets) {
      if (written >= due) return
      if (socket.data.sent !== 0) continue
      write(socket)
      written++
    }
  }, 1)
  return () => clearInterval(timer)
}

takeCommands({ run })
