import { now, takeCommands } from '../support/commands.ts'
import { collectedHeap } from '../support/usage.ts'

let server: Bun.Server<undefined> | null = null
let frames: readonly string[] = []

/** The least Bun can do: one topic for everybody, two messages of greeting, no protocol. */
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
        socket.subscribe('all')
        socket.sendText(init)
      },
    },
  })
  return server.url.origin
}

/** Takes the frames that a burst publishes, as Exoix would send them. */
function prepare(texts: readonly string[]): void {
  frames = texts
}

/** Publishes the first `count` frames in one turn of the event loop; answers when that began. */
function burst(count: number): number {
  const began = now()
  for (const frame of frames.slice(0, count)) server?.publish('all', frame)
  return began
}

takeCommands({ start, prepare, burst, heap: collectedHeap })
