import { now, takeCommands } from '../support/commands.ts'
import { evenly, type Trickle } from '../support/trickle.ts'
import { collectedHeap } from '../support/usage.ts'

export interface Publication {
  readonly topic: string
  readonly frame: string
}

let server: Bun.Server<undefined> | null = null
let publications: readonly Publication[] = []

/** The least Bun can do: sockets that are greeted twice and put on topics, no protocol. */
function start({ initBytes }: { initBytes: number }): string {
  const init = 'x'.repeat(initBytes)
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    reusePort: false,
    development: false,
    fetch(request, server) {
      return server.upgrade(request) ? undefined : new Response(null, { status: 400 })
    },
    websocket: {
      perMessageDeflate: false,
      open: socket => void socket.sendText('{"op":1,"d":{"heartbeat_interval":30000}}'),
      message(socket) {
        for (const { topic } of publications) socket.subscribe(topic)
        socket.sendText(init)
      },
    },
  })
  return server.url.origin
}

/** Takes what a burst publishes. Sockets that come from now on are put on these topics. */
function prepare(given: readonly Publication[]): void {
  publications = given
}

/** Publishes the first `count` in one turn of the event loop; answers when that began. */
function burst(count: number): number {
  const began = now()
  for (const { topic, frame } of publications.slice(0, count)) server?.publish(topic, frame)
  return began
}

/** Publishes one after the other, evenly spaced: each at once, or gathered as long as the last flush took. */
function trickle({ gathers, ...plan }: Trickle & { gathers: boolean }): Promise<void> {
  const publish = (at: number) => {
    const { topic, frame } = publications[at % publications.length] ?? { topic: '', frame: '' }
    server?.publish(topic, frame)
  }
  if (!gathers) return evenly(plan, publish)
  const waiting: number[] = []
  let gathering = false
  const flush = () => {
    const began = now()
    for (const at of waiting.splice(0)) publish(at)
    setImmediate(() => setTimeout(() => setImmediate(rest), Math.min(MOST_GATHERED, now() - began)))
  }
  const rest = () => {
    if (waiting.length > 0) flush()
    else gathering = false
  }
  return evenly(plan, at => {
    waiting.push(at)
    if (!gathering) setImmediate(flush)
    gathering = true
  })
}

const MOST_GATHERED = 20

takeCommands({ start, prepare, burst, prepareTrickle: () => {}, trickle, heap: collectedHeap })
