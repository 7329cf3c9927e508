/** Places for so many at once; others wait their turn. */
export interface Slots {
  /** Resolves with what gives the place back, or undefined when too many wait already or the signal is aborted first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>
}

export function createSlots(places: number, mostWaiting: number): Slots {
  const waiting = new Set<(release: () => void) => void>()
  let taken = 0

  function release(): void {
    const [next] = waiting
    if (next === undefined) taken--
    else {
      waiting.delete(next)
      next(once(release))
    }
  }

  return {
    async take(signal) {
      if (signal.aborted) return undefined
      if (taken < places) {
        taken++
        return once(release)
      }
      if (waiting.size >= mostWaiting) return undefined
      return await new Promise(resolve => {
        const enter = (leave: () => void) => {
          signal.removeEventListener('abort', giveUp)
          resolve(leave)
        }
        const giveUp = () => {
          waiting.delete(enter)
          resolve(undefined)
        }
        waiting.add(enter)
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
  }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}
