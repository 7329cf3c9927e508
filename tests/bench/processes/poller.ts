import type { Socket } from 'bun'
import { createAnswer, readAnswer, requestText } from '../support/answers.ts'
import { now, takeCommands } from '../support/commands.ts'

/** Milliseconds that reads took, from request to complete answer. */
export interface Waits {
  readonly reads: number
  readonly median: number
  readonly longest: number
}

let stop: (() => void) | null = null
let polling: Promise<Waits> | null = null

/** Reads one path again and again, with a millisecond's rest in between, and notes how long each read takes. */
async function poll(url: string, path: string): Promise<Waits> {
  const { hostname, port, host } = new URL(url)
  const request = requestText(host, path)
  const answer = createAnswer()
  const waits: number[] = []
  let arrived = Promise.withResolvers<void>()
  let ended = false
  stop = () => {
    ended = true
  }
  const data = (_socket: Socket, chunk: Buffer) => void (readAnswer(answer, chunk, 200) && arrived.resolve())
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data } })
  while (!ended) {
    const asked = now()
    arrived = Promise.withResolvers<void>()
    socket.write(request)
    await arrived.promise
    waits.push(now() - asked)
    await Bun.sleep(1)
  }
  socket.end()
  waits.sort((a, b) => a - b)
  return { reads: waits.length, median: waits[waits.length >> 1] ?? 0, longest: waits.at(-1) ?? 0 }
}

function begin({ url, path }: { url: string; path: string }): void {
  polling = poll(url, path)
}

function end(): Promise<Waits> | null {
  stop?.()
  return polling
}

takeCommands({ begin, end })
