/** Things kept as long as there is room: what was not used for longest goes first. */
export class Lru<T> {
  readonly #room: number
  readonly #weigh: (value: T, key: string) => number
  readonly #kept = new Map<string, T>()
  #weight = 0

  /** @param room what all values together may weigh; a value that weighs more is not kept. */
  constructor(room: number, weigh: (value: T, key: string) => number) {
    this.#room = room
    this.#weigh = weigh
  }

  get(key: string): T | undefined {
    const value = this.#kept.get(key)
    if (value === undefined) return undefined
    // A map remembers in which order keys came.
    this.#kept.delete(key)
    this.#kept.set(key, value)
    return value
  }

  set(key: string, value: T): void {
    this.#drop(key)
    const added = this.#weigh(value, key)
    if (added > this.#room) return
    this.#kept.set(key, value)
    this.#weight += added
    for (const oldest of this.#kept.keys()) {
      if (this.#weight <= this.#room) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    const value = this.#kept.get(key)
    if (value === undefined) return
    this.#kept.delete(key)
    this.#weight -= this.#weigh(value, key)
  }
}
