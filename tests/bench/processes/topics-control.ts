import { now, takeCommands } from '../support/commands.ts'
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

takeCommands({ start, prepare, burst, heap: collectedHeap })
