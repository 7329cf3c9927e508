import type { ServerWebSocket } from 'bun'

/** A gateway that says HELLO, acknowledges heartbeats, and leaves everything else to the test. */
export interface StubGateway {
  readonly url: string
  stop(): Promise<void>
}

export interface StubPayload {
  op: number
  d: unknown
}

export function startStubGateway(
  onPayload: (payload: StubPayload, send: (...payloads: object[]) => void, socket: ServerWebSocket) => void,
): StubGateway {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('', { status: 426 })),
    websocket: {
      open(socket) {
        socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: 41_250 }, s: null, t: null }))
      },
      message(socket, text) {
        const payload = JSON.parse(String(text)) as StubPayload
        if (payload.op === 1) socket.send('{"op":11,"d":null}')
        // All of one answer in one segment, as a busy gateway would send them.
        const send = (...payloads: object[]) =>
          socket.cork(() => {
            for (const one of payloads) socket.send(JSON.stringify(one))
          })
        if (payload.op !== 1) onPayload(payload, send, socket as ServerWebSocket)
      },
    },
  })
  return {
    url: `ws://127.0.0.1:${server.port}`,
    stop: () => server.stop(true),
  }
}
