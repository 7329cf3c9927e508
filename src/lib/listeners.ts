/** Whoever wants to hear of something, and how they are told. */
export class Listeners<T> {
  readonly #listeners = new Set<(value: T) => void>()

  /** Returns what ends the listening. */
  add(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(value: T): void {
    for (const listener of this.#listeners) listener(value)
  }
}
