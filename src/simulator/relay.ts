import type { Socket, TCPSocketListener } from 'bun'
import type { Simulator } from './simulator.ts'

/** A stretch of bad network between bot and simulator. */
export interface Relay {
  readonly apiUrl: string
  readonly cdnUrl: string
  readonly gatewayUrl: string
  /** Nothing passes any more in either direction, connections stay open, new ones too: a dead peer answers not even a close. */
  freeze(): void
  /** What was held back arrives. */
  thaw(): void
  /** Breaks every connection (reset, no goodbye). */
  cut(): void
  /** From now on new connections are broken at once, or taken again. */
  refuse(refused: boolean): void
  stop(): void
}

interface Leg {
  other: Socket<Leg> | null
  /** Bytes that could not be passed on yet. */
  held: Uint8Array[]
}

/**
 * A TCP relay in front of the simulator, for failures a WebSocket server cannot produce. The gateway's address moves to it:
 * start it before the bot, and stop it before the simulator.
 */
export function startRelay(sim: Simulator): Relay {
  const target = new URL(sim.url)
  const legs = new Set<Socket<Leg>>()
  let frozen = false
  let refusing = false

  const flush = (socket: Socket<Leg>) => {
    const { other, held } = socket.data
    while (!frozen && other && held.length > 0) {
      const chunk = held[0] as Uint8Array
      const written = other.write(chunk)
      if (written < chunk.byteLength) {
        held[0] = chunk.subarray(Math.max(0, written))
        return
      }
      held.shift()
    }
  }
  const handlers = {
    data(socket: Socket<Leg>, chunk: Uint8Array) {
      socket.data.held.push(Uint8Array.from(chunk))
      flush(socket)
    },
    drain(socket: Socket<Leg>) {
      if (socket.data.other) flush(socket.data.other)
    },
    close(socket: Socket<Leg>) {
      legs.delete(socket)
      if (!frozen) socket.data.other?.end()
    },
    error() {},
  }

  const listener: TCPSocketListener<Leg> = Bun.listen<Leg>({
    hostname: target.hostname,
    port: 0,
    socket: {
      ...handlers,
      async open(socket) {
        socket.data = { other: null, held: [] }
        legs.add(socket)
        if (refusing) return void socket.terminate()
        const data: Leg = { other: socket, held: [] }
        const onward = { ...handlers, open: (opened: Socket<Leg>) => void legs.add(opened) }
        socket.data.other = await Bun.connect<Leg>({
          hostname: target.hostname,
          port: Number(target.port),
          data,
          socket: onward,
        })
        flush(socket)
      },
    },
  })

  const before = sim.account.gatewayUrl
  const host = `${target.hostname}:${listener.port}`
  sim.faults.moveGateway(`ws://${host}/gateway`)
  const cut = () => {
    for (const socket of [...legs]) socket.terminate()
  }
  return {
    apiUrl: `http://${host}/api`,
    cdnUrl: `http://${host}/cdn`,
    gatewayUrl: `ws://${host}/gateway`,
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
      for (const socket of legs) flush(socket)
    },
    cut,
    refuse(refused) {
      refusing = refused
    },
    stop() {
      listener.stop(true)
      cut()
      sim.faults.moveGateway(before)
    },
  }
}
