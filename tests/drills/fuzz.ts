import { heapStats } from 'bun:jsc'
import { join } from 'node:path'
import { Keys } from '../../src/domain/keys.ts'
import { createRandom, type Random } from '../../src/simulator/random.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent, startTestApp, type TestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/executable.ts'
import { issueKey } from '../support/keys.ts'
import { type Figures, hold, megabytes, runDrill } from './support/drill.ts'
import { fuzzEvents } from './support/fuzz/events.ts'
import { fuzzFrames } from './support/fuzz/frames.ts'
import { fuzzPairs, fuzzRequests } from './support/fuzz/http.ts'
import { fuzzSession } from './support/fuzz/session.ts'
import { fuzzSockets } from './support/fuzz/socket.ts'

export interface FuzzOptions {
  readonly cases: number
  readonly seed: number
}

interface Scene {
  readonly test: TestApp
  readonly key: string
}

type Fuzz = (cases: number, random: Random, scene: Scene) => void | Promise<void>

const PERSON = '94490510688792576'

/** Which part of the cases goes where. */
const PARTS: readonly (readonly [name: string, part: number, fuzz: Fuzz])[] = [
  ['frames of socket clients, to the parser', 0.4, fuzzFrames],
  ['events of Discord, to the store', 0.3, fuzzEvents],
  ['frames of Discord, over a gateway connection', 0.15, (cases, random, { test }) => fuzzSession(cases, random, test)],
  [
    'requests, over bare TCP',
    0.07,
    (cases, random, { test, key }) => fuzzRequests(cases, random, { url: test.url, id: PERSON, key }),
  ],
  [
    'pairs, over HTTP',
    0.04,
    (cases, random, { test, key }) => fuzzPairs(cases, random, { url: test.url, id: PERSON, key }),
  ],
  ['frames of socket clients, over bare TCP', 0.04, (cases, random, { test }) => fuzzSockets(cases, random, test.url)],
]
/** Heap that comes and goes with what the runtime caches. */
const TOLERANCE = 24 * 1024 * 1024
/** Cases before the heap is looked at for the first time, in parts of all. */
const WARM_UP = 0.2

/** Whatever comes in from anybody: nothing crashes, nothing answers 5xx, nothing is left behind. */
export async function fuzzDrill({ cases, seed }: FuzzOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const databasePath = join(folder.path, 'exoix.db')
  const key = await newKey(databasePath)
  using unhandled = watchUnhandled()
  await using test = await startTestApp({
    config: { databasePath, rateLimitPerMinute: 0 },
    simulator: { identifyIntervalMs: 0, memberRequestIntervalMs: 0 },
    world: simulator => void simulator.world.addGuild({ members: [{ user: { id: PERSON } }] }),
  })
  await test.ready()
  await run(cases * WARM_UP, seed + 1, { test, key })
  const before = collectedHeap()
  const seconds = await run(cases, seed, { test, key })
  const grown = collectedHeap() - before
  hold(unhandled.errors.length === 0, `${unhandled.errors.length} errors nobody handled: ${unhandled.errors[0]}`)
  hold(grown < TOLERANCE, `the heap grew by ${megabytes(grown)}`)
  return { cases, ...seconds, 'heap before': megabytes(before), 'heap grew by': megabytes(grown) }
}

/** How many cases each part had, and how long they took. */
async function run(cases: number, seed: number, scene: Scene): Promise<Figures> {
  const figures: Record<string, string> = {}
  for (const [index, [name, part, fuzz]] of PARTS.entries()) {
    const own = Math.round(cases * part)
    const startedAt = performance.now()
    await fuzz(own, createRandom(seed * PARTS.length + index), scene)
    figures[name] = `${own} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`
  }
  return figures
}

async function newKey(databasePath: string): Promise<string> {
  const store = openStore(databasePath, { log: silent })
  const key = await issueKey(new Keys(store), PERSON)
  await store.close()
  return key
}

function watchUnhandled(): Disposable & { readonly errors: readonly unknown[] } {
  const errors: unknown[] = []
  const note = (error: unknown) => void errors.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  return {
    errors,
    [Symbol.dispose]() {
      process.off('unhandledRejection', note)
      process.off('uncaughtException', note)
    },
  }
}

function collectedHeap(): number {
  Bun.gc(true)
  Bun.gc(true)
  return heapStats().heapSize
}

if (import.meta.main) {
  await runDrill('fuzz', ({ long, seed }) => fuzzDrill({ cases: long ? 1_000_000 : 10_000, seed }))
}
