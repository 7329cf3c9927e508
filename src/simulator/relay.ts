import type { Socket, SocketHandler, TCPSocketListener } from 'bun'
import type { Simulator } from './simulator.ts'

interface Leg {
  other: Socket<Leg> | null
  /** Bytes that could not be passed on yet. */
  held: Uint8Array[]
}

/**
 * A TCP relay in front of the simulator, for failures a WebSocket server cannot produce. The gateway's address moves to it:
 * start it before the bot, and stop it before the simulator.
 */
export class Relay {
  readonly apiUrl: string
  readonly cdnUrl: string
  readonly gatewayUrl: string
  readonly #legs = new Set<Socket<Leg>>()
  readonly #target: URL
  readonly #listener: TCPSocketListener<Leg>
  /** Puts the gateway's address back. */
  readonly #leave: () => void
  #frozen = false
  #refusing = false

  constructor(sim: Simulator) {
    this.#target = new URL(sim.url)
    this.#listener = Bun.listen<Leg>({
      hostname: this.#target.hostname,
      port: 0,
      socket: this.#handlers(socket => void this.#accept(socket)),
    })
    const host = `${this.#target.hostname}:${this.#listener.port}`
    this.apiUrl = `http://${host}/api`
    this.cdnUrl = `http://${host}/cdn`
    this.gatewayUrl = `ws://${host}/gateway`
    const before = sim.account.gatewayUrl
    sim.faults.moveGateway(this.gatewayUrl)
    this.#leave = () => sim.faults.moveGateway(before)
  }

  /** Nothing passes any more in either direction, connections stay open, new ones too: a dead peer answers not even a close. */
  freeze(): void {
    this.#frozen = true
  }

  /** What was held back arrives. */
  thaw(): void {
    this.#frozen = false
    for (const socket of this.#legs) this.#flush(socket)
  }

  /** Breaks every connection (reset, no goodbye). */
  cut(): void {
    for (const socket of [...this.#legs]) socket.terminate()
  }

  /** From now on new connections are broken at once, or taken again. */
  refuse(refused: boolean): void {
    this.#refusing = refused
  }

  stop(): void {
    this.#listener.stop(true)
    this.cut()
    this.#leave()
  }

  /** Both ends of a connection pass on what they are sent; `open` is what one does when it is there. */
  #handlers(open: (socket: Socket<Leg>) => void): SocketHandler<Leg> {
    return {
      open,
      data: (socket, chunk) => {
        socket.data.held.push(Uint8Array.from(chunk))
        this.#flush(socket)
      },
      drain: socket => {
        if (socket.data.other) this.#flush(socket.data.other)
      },
      close: socket => {
        this.#legs.delete(socket)
        if (!this.#frozen) socket.data.other?.end()
      },
      error() {},
    }
  }

  async #accept(socket: Socket<Leg>): Promise<void> {
    socket.data = { other: null, held: [] }
    this.#legs.add(socket)
    if (this.#refusing) return void socket.terminate()
    socket.data.other = await Bun.connect<Leg>({
      hostname: this.#target.hostname,
      port: Number(this.#target.port),
      data: { other: socket, held: [] },
      socket: this.#handlers(opened => void this.#legs.add(opened)),
    })
    this.#flush(socket)
  }

  #flush(socket: Socket<Leg>): void {
    const { other, held } = socket.data
    while (!this.#frozen && other && held.length > 0) {
      const chunk = held[0] as Uint8Array
      const written = other.write(chunk)
      if (written < chunk.byteLength) {
        held[0] = chunk.subarray(Math.max(0, written))
        return
      }
      held.shift()
    }
  }
}
