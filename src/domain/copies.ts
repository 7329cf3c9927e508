/** Whoever shows what the presence store shows, and has to be told. */
export interface Copy {
  /** Resolves once all that is shown now is shown there. Never rejects. */
  spread(): Promise<void>
  /**
   * Resolves likewise, but with how many servers elsewhere could not be reached and may go on showing what they know
   * for a while; infinitely many where nobody can be reached, and all are told once that is over.
   */
  confirm?(): Promise<number>
  /** The same, and whatever was said on the way is kept nowhere any more. */
  purge?(): Promise<number>
}

/** Copies of what is shown: in the other threads of this process, and on other servers. */
export class Copies {
  readonly #copies = new Set<Copy>()

  add(copy: Copy): () => void {
    this.#copies.add(copy)
    return () => void this.#copies.delete(copy)
  }

  /** Resolves once every thread here shows all that is shown now: whoever is told so can see it, wherever they ask. */
  async spread(): Promise<void> {
    if (this.#copies.size > 0) await Promise.all(Array.from(this.#copies, copy => copy.spread()))
  }

  /** The same for servers elsewhere; resolves with how many of them could not be reached. */
  confirm(): Promise<number> {
    return this.#sum(copy => copy.confirm?.() ?? copy.spread().then(() => 0))
  }

  /** The same after an erasure: what was said on the way there is kept nowhere any more. */
  purge(): Promise<number> {
    return this.#sum(copy => copy.purge?.() ?? copy.confirm?.() ?? copy.spread().then(() => 0))
  }

  async #sum(count: (copy: Copy) => Promise<number>): Promise<number> {
    const missing = await Promise.all(Array.from(this.#copies, count))
    return missing.reduce((sum, one) => sum + one, 0)
  }
}
