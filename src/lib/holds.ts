/** Who is being held up at the moment, by however many at once. */
export class Holds {
  readonly #counts = new Map<string, number>()

  has(id: string): boolean {
    return this.#counts.has(id)
  }

  /** Until the returned function is called, once. */
  add(id: string): () => void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
    return () => {
      const left = (this.#counts.get(id) ?? 1) - 1
      if (left === 0) this.#counts.delete(id)
      else this.#counts.set(id, left)
    }
  }
}
