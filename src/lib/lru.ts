/** Things kept as long as there is room: what was not used for longest goes first. */
export interface Lru<T> {
  get(key: string): T | undefined
  set(key: string, value: T): void
  readonly weight: number
}

/** @param room what all values together may weigh; a value that weighs more is not kept. */
export function createLru<T>(room: number, weigh: (value: T, key: string) => number): Lru<T> {
  const kept = new Map<string, T>()
  let weight = 0

  function drop(key: string): void {
    const value = kept.get(key)
    if (value === undefined) return
    kept.delete(key)
    weight -= weigh(value, key)
  }

  return {
    get weight() {
      return weight
    },
    get(key) {
      const value = kept.get(key)
      if (value === undefined) return undefined
      // A map remembers in which order keys came.
      kept.delete(key)
      kept.set(key, value)
      return value
    },
    set(key, value) {
      drop(key)
      const added = weigh(value, key)
      if (added > room) return
      kept.set(key, value)
      weight += added
      for (const oldest of kept.keys()) {
        if (weight <= room) return
        drop(oldest)
      }
    },
  }
}
