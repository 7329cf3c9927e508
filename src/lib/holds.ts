interface Hold {
  count: number
  readonly over: PromiseWithResolvers<void>
}

/** Who is being held up at the moment, by however many at once. */
export class Holds {
  readonly #holds = new Map<string, Hold>()

  has(id: string): boolean {
    return this.#holds.has(id)
  }

  /** Until the returned function is called, once. */
  add(id: string): () => void {
    const hold = this.#holds.get(id) ?? { count: 0, over: Promise.withResolvers<void>() }
    hold.count++
    this.#holds.set(id, hold)
    return () => {
      hold.count--
      if (hold.count > 0) return
      this.#holds.delete(id)
      hold.over.resolve()
    }
  }

  /** Resolves when nobody holds them up any more. */
  async free(id: string): Promise<void> {
    for (let hold = this.#holds.get(id); hold !== undefined; hold = this.#holds.get(id)) await hold.over.promise
  }
}
