/** How many entries of each kind are kept; a demo may run for days. */
const KEPT = 10_000

/**
 * What the bot did, in order, by kind. `next` hands out each entry once: one that came before the call is not missed, and
 * two calls never get the same one.
 */
export interface Journal<Entries extends object> {
  record<Kind extends keyof Entries>(kind: Kind, entry: Entries[Kind]): void
  /** The oldest entry not handed out yet that fits, or the first to come. Rejects when the simulator stops. */
  next<Kind extends keyof Entries>(kind: Kind, fits?: (entry: Entries[Kind]) => boolean): Promise<Entries[Kind]>
  /** Everything of that kind, handed out or not. */
  all<Kind extends keyof Entries>(kind: Kind): Entries[Kind][]
  /** Marks what came so far as handed out: the following `next` waits for something new. */
  skip(kind: keyof Entries): void
  close(): void
}

interface Track<Entry> {
  history: Entry[]
  fresh: Entry[]
  waiting: { fits: (entry: Entry) => boolean; resolve: (entry: Entry) => void; reject: (error: Error) => void }[]
}

export function createJournal<Entries extends object>(): Journal<Entries> {
  const tracks = new Map<keyof Entries, Track<never>>()

  function track<Kind extends keyof Entries>(kind: Kind): Track<Entries[Kind]> {
    const known = tracks.get(kind)
    if (known) return known as unknown as Track<Entries[Kind]>
    const created: Track<Entries[Kind]> = { history: [], fresh: [], waiting: [] }
    tracks.set(kind, created as unknown as Track<never>)
    return created
  }

  return {
    record(kind, entry) {
      const { history, fresh, waiting } = track(kind)
      keep(history, entry)
      const taker = waiting.findIndex(waiter => waiter.fits(entry))
      if (taker < 0) keep(fresh, entry)
      else waiting.splice(taker, 1)[0]?.resolve(entry)
    },
    next(kind, fits = () => true) {
      const { fresh, waiting } = track(kind)
      const index = fresh.findIndex(fits)
      if (index >= 0) return Promise.resolve(fresh.splice(index, 1)[0] as Entries[typeof kind])
      const promise = new Promise<Entries[typeof kind]>((resolve, reject) => waiting.push({ fits, resolve, reject }))
      // A test that failed elsewhere may never come back to await this one.
      promise.catch(() => {})
      return promise
    },
    all: kind => [...track(kind).history],
    skip: kind => {
      track(kind).fresh.length = 0
    },
    close() {
      for (const [kind, { waiting }] of tracks) {
        for (const waiter of waiting.splice(0)) {
          waiter.reject(new Error(`the simulator stopped while "${String(kind)}" was awaited`))
        }
      }
    },
  }
}

function keep<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry)
  if (list.length > KEPT * 2) list.splice(0, list.length - KEPT)
}
