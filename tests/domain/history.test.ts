import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Checkpoint } from '../../src/domain/checkpoint.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import { History } from '../../src/domain/history.ts'
import { readNowPlaying } from '../../src/domain/music.ts'
import type { JsonObject } from '../../src/domain/presence.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { scratch, silent } from '../store/support/files.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const DAY = 86_400_000
const START = 1_767_225_600_000

const pictures = new Pictures({
  discordCdnUrl: 'https://cdn.example',
  discordMediaUrl: 'https://media.example',
  spotifyCdnUrl: 'https://i.scdn.co',
})

const spotify = (song: string, start: number): JsonObject => ({
  id: 'spotify:1',
  name: 'Spotify',
  type: 2,
  details: song,
  sync_id: song,
  timestamps: { start, end: start + 200_000 },
})

/** What a process has of it, on a store that outlives it. */
class Running {
  now = START
  readonly presences: PresenceStore
  readonly history: History
  readonly checkpoint: Checkpoint

  constructor(store: Store, now = START) {
    this.now = now
    const clock = { now: () => this.now }
    this.presences = new PresenceStore(clock)
    const readPlaying = (activities: readonly JsonObject[]) => readNowPlaying(activities, pictures)
    this.history = new History(store, this.presences, { days: 30, readPlaying, clock })
    this.checkpoint = new Checkpoint(store, this.presences, silent, this.history)
    this.history.begin()
  }

  join(id: string): void {
    this.presences.putMember('1', { user: { id, username: 'x' } }, { status: 'online', activities: [] })
  }

  tell(id: string, activities: readonly JsonObject[], { status = 'online', at = this.now } = {}): void {
    this.presences.patchPresence({ user: { id }, status, activities, processed_at_timestamp: at })
  }

  songs(id: string): unknown[] {
    return this.history.look(id).past.flatMap(one => (one.kind === 'track' ? [[one.play.song, one.at, one.until]] : []))
  }
}

let space: ReturnType<typeof scratch>
let store: Store
let running: Running
beforeEach(() => {
  space = scratch()
  store = openStore(space.file(), { log: silent })
  running = new Running(store)
  running.join(ANN)
  running.join(BEN)
})
afterEach(async () => {
  await running.checkpoint.stop()
  await store.close()
  space[Symbol.dispose]()
})

const OFF = { status: 404, code: 'history_off' }

describe('a history', () => {
  test('is kept of nobody who has not agreed', async () => {
    await running.history.on(ANN)
    running.tell(BEN, [spotify('a', START)])
    running.tell(BEN, [])
    expect(() => running.history.look(BEN)).toThrow(expect.objectContaining(OFF))
    await running.checkpoint.saveAll()
    expect(store.loadPast(BEN)).toEqual([])
    expect(Array.from(store.loadHistories(), ({ userId }) => userId)).toEqual([ANN])
  })

  test('has the times of Discord’s events, not of their arrival', async () => {
    await running.history.on(ANN)
    running.now = START + 60_000
    running.tell(ANN, [spotify('a', START)], { at: START + 10_000 })
    running.tell(ANN, [], { at: START + 40_000 })
    expect(running.songs(ANN)).toEqual([['a', START + 10_000, START + 40_000]])
  })

  test('begins with the consent, in the middle of a song', async () => {
    running.tell(ANN, [spotify('a', START)])
    running.now += 50_000
    await running.history.on(ANN)
    running.now += 10_000
    running.tell(ANN, [])
    expect(running.songs(ANN)).toEqual([['a', START + 50_000, START + 60_000]])
  })

  test('is saved with the presences, and there after a restart with what went on', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.now += 1000
    running.tell(ANN, [spotify('b', START)])
    await running.checkpoint.stop()
    const next = new Running(store, START + 5000)
    expect(next.songs(ANN)).toEqual([['a', START, START + 1000]])
    next.tell(ANN, [])
    expect(next.songs(ANN)).toEqual([
      ['a', START, START + 1000],
      ['b', START + 1000, START + 5000],
    ])
    await next.checkpoint.stop()
  })

  test('takes what is replayed after a restart as it was when it happened', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    await running.checkpoint.stop()
    const next = new Running(store, START + 60_000)
    next.tell(ANN, [], { at: START + 5000 })
    expect(next.songs(ANN)).toEqual([['a', START, START + 5000]])
    await next.checkpoint.stop()
  })

  test('counts nothing of a long time in which nobody looked', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    await running.checkpoint.stop()
    const next = new Running(store, START + DAY)
    expect(next.songs(ANN)).toEqual([['a', START, START]])
    expect(next.history.look(ANN).ongoing?.track).toMatchObject({ at: START + DAY, listened: 0 })
    await next.checkpoint.stop()
  })

  test('of who did nothing new for hours goes on over a restart', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [{ name: 'a game', type: 0 }])
    for (let hour = 1; hour <= 3; hour++) {
      running.now = START + (hour * DAY) / 24
      await running.checkpoint.saveAll()
    }
    await running.checkpoint.stop()
    const next = new Running(store, running.now + 60_000)
    next.tell(ANN, [])
    const [game] = next.history.look(ANN).past.filter(({ kind }) => kind === 'activity')
    expect(game).toMatchObject({ at: START, until: running.now + 60_000 })
    await next.checkpoint.stop()
  })

  test('pauses while the person is hidden, cannot be read then, and is back when they are', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.now += 1000
    running.presences.setHidden(ANN, true)
    expect(() => running.history.look(ANN)).toThrow(expect.objectContaining({ code: 'user_not_monitored' }))
    running.now += 1000
    running.tell(ANN, [spotify('hidden', START)])
    running.tell(ANN, [spotify('b', START)])
    running.now += 1000
    running.presences.setHidden(ANN, false)
    running.now += 1000
    running.tell(ANN, [])
    expect(running.songs(ANN)).toEqual([
      ['a', START, START + 1000],
      ['b', START + 3000, START + 4000],
    ])
  })

  test('that is erased begins anew, with the consent kept; nothing that was under way lands behind it', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.now += 1000
    running.tell(ANN, [spotify('b', START)])
    const saving = running.checkpoint.saveAll()
    const erasing = running.history.erase(ANN)
    const again = running.checkpoint.saveAll()
    await Promise.all([saving, erasing, again])
    expect(await erasing).toBe(true)
    expect(running.songs(ANN)).toEqual([])
    expect(store.loadPast(ANN)).toEqual([])
    running.now += 1000
    running.tell(ANN, [])
    expect(running.songs(ANN)).toEqual([['b', START + 1000, START + 2000]])
    await running.checkpoint.saveAll()
    expect(store.loadPast(ANN).length).toBeGreaterThan(0)
  })

  test('that is switched off is gone with the consent, and on again begins anew', async () => {
    expect([await running.history.off(ANN), await running.history.erase(ANN)]).toEqual([false, false])
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.tell(ANN, [])
    const saving = running.checkpoint.saveAll()
    expect(await running.history.off(ANN)).toBe(true)
    await saving
    await running.checkpoint.saveAll()
    expect([running.history.isOn(ANN), store.loadPast(ANN), [...store.loadHistories()]]).toEqual([false, [], []])
    expect(() => running.history.look(ANN)).toThrow(expect.objectContaining(OFF))
    await running.history.on(ANN)
    expect(running.songs(ANN)).toEqual([])
  })

  test('goes with everything else of a person who is erased', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.tell(ANN, [])
    await running.checkpoint.saveAll()
    await store.erase(ANN)
    running.history.forget(ANN)
    expect([store.loadPast(ANN), [...store.loadHistories()]]).toEqual([[], []])
  })

  test('that is agreed to twice goes on', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.tell(ANN, [])
    await running.history.on(ANN)
    expect(running.songs(ANN)).toHaveLength(1)
  })

  test('has no more than its days, and loses the rest', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.tell(ANN, [])
    running.now += 29 * DAY
    running.tell(ANN, [spotify('b', running.now)])
    running.now += 2 * DAY
    running.tell(ANN, [])
    expect(running.songs(ANN).map(song => (song as unknown[])[0])).toEqual(['b'])
    await running.checkpoint.saveAll()
    expect(store.loadPast(ANN).filter(({ kind }) => kind === 'track')).toHaveLength(2)
    await running.history.prune()
    expect(store.loadPast(ANN).filter(({ kind }) => kind === 'track')).toHaveLength(1)
  })

  test('that could not be saved is saved the next time, once', async () => {
    await running.history.on(ANN)
    running.tell(ANN, [spotify('a', START)])
    running.tell(ANN, [])
    const { saveState } = store
    store.saveState = async () => Promise.reject(new Error('full'))
    await running.checkpoint.saveAll()
    store.saveState = saveState
    await running.checkpoint.saveAll()
    await running.checkpoint.saveAll()
    expect(store.loadPast(ANN).filter(({ kind }) => kind === 'track')).toHaveLength(1)
    expect(running.songs(ANN)).toHaveLength(1)
  })
})

/** What Discord sends, in order, to be replayed from the number that was saved. */
const EVENTS = fc.array(
  fc.record({
    song: fc.option(fc.constantFrom('a', 'b', 'c')),
    status: fc.constantFrom('online', 'idle', 'offline'),
    next: fc.constantFrom('nothing', 'nothing', 'save', 'crash'),
  }),
  { maxLength: 25 },
)

test('crashes at any moment neither lose nor double what had been done', () =>
  fc.assert(
    fc.asyncProperty(EVENTS, async events => {
      const tell = (to: Running, at: number) => {
        const { song = null, status = 'online' } = events[at] ?? {}
        to.now = START + 1000 * (at + 1)
        to.tell(ANN, song === null ? [] : [spotify(song, START)], { status })
        to.checkpoint.save(0, { shardId: 0, shardCount: 1, sessionId: 's', resumeURL: 'wss://x', sequence: at + 1 })
      }
      const run = async (isCrashing: boolean) => {
        const own = openStore(':memory:', { log: silent })
        let process = new Running(own)
        process.join(ANN)
        await process.history.on(ANN)
        await process.checkpoint.saveAll()
        for (const [at, { next }] of events.entries()) {
          tell(process, at)
          if (next === 'save') await process.checkpoint.saveAll()
          if (next !== 'crash' || !isCrashing) continue
          process = new Running(own, process.now)
          const from = process.checkpoint.load(0)?.sequence ?? 0
          for (let replayed = from; replayed <= at; replayed++) tell(process, replayed)
        }
        const { past, ongoing } = process.history.look(ANN)
        await own.close()
        return { past, ongoing }
      }
      expect(await run(true)).toEqual(await run(false))
    }),
    { numRuns: 60 },
  ))
