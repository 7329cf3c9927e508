import type { Socket } from 'bun'

interface Leg {
  other: Socket<Leg> | null
  waiting: Uint8Array[]
}

/** A TCP relay that can be cut, or swallow what goes through it. */
export class TcpRelay {
  readonly port: number
  readonly #legs = new Set<Socket<Leg>>()
  readonly #listener
  readonly #swallowed = new WeakSet<Socket<Leg>>()
  #refusing = false

  constructor(target: number) {
    this.#listener = Bun.listen<Leg>({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        open: socket => void this.#accept(socket, target),
        data: (socket, data) => this.#pass(socket, data),
        close: socket => this.#close(socket),
        error: () => {},
      },
    })
    this.port = this.#listener.port
  }

  /** Breaks every connection; until `mend` new ones are broken at once. */
  cut(): void {
    this.#refusing = true
    for (const leg of [...this.#legs]) leg.terminate()
  }

  /** On the connections there are nothing arrives any more, and nobody is told. New ones are as good as ever. */
  swallow(): void {
    for (const leg of this.#legs) this.#swallowed.add(leg)
  }

  /** Whoever connects from now on is served. */
  mend(): void {
    this.#refusing = false
  }

  stop(): void {
    this.cut()
    this.#listener.stop(true)
  }

  async #accept(socket: Socket<Leg>, target: number): Promise<void> {
    socket.data = { other: null, waiting: [] }
    if (this.#refusing) {
      socket.terminate()
      return
    }
    this.#legs.add(socket)
    const other = await Bun.connect<Leg>({
      hostname: '127.0.0.1',
      port: target,
      data: { other: socket, waiting: [] },
      socket: {
        data: (leg, data) => this.#pass(leg, data),
        close: leg => this.#close(leg),
        error: () => {},
      },
    }).catch(() => null)
    if (other === null) {
      socket.terminate()
      return
    }
    this.#legs.add(other)
    socket.data.other = other
    for (const data of socket.data.waiting.splice(0)) other.write(data)
  }

  #pass(socket: Socket<Leg>, data: Uint8Array): void {
    const { data: leg } = socket
    if (this.#swallowed.has(socket)) return
    // Small enough here for the system's own buffers.
    if (leg.other === null) leg.waiting.push(Uint8Array.from(data))
    else leg.other.write(data)
  }

  #close(socket: Socket<Leg>): void {
    this.#legs.delete(socket)
    socket.data.other?.end()
  }
}
