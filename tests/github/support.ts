import type { GithubAccount } from '../../src/domain/github.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { GithubConnection } from '../../src/github/github.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import type { Fetch } from '../../src/lib/upstream.ts'
import {
  type GithubSimulator,
  type GithubSimulatorOptions,
  startGithubSimulator,
} from '../../src/simulator/github/github.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export const ANN = '100000000000000001'
export const BEN = '100000000000000002'

/** A clock that stands still until it is told to go on. */
export interface TestClock extends Clock {
  /** Lets time pass, timer by timer, each with everything that follows from it. */
  advance(ms: number): Promise<void>
  /** Timers that are set. */
  readonly waiting: number
  /** Counts whatever moves; the clock waits until nothing does. */
  moved(): void
  /** Waits for this before it goes on. */
  await<T>(work: Promise<T>): Promise<T>
}

export function createTestClock(start = Date.UTC(2026, 0, 2, 3, 4, 5)): TestClock {
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  let now = start
  const awaited = new Set<Promise<unknown>>()
  let moves = 0

  /** Turns the event loop until nothing has moved for a few turns. */
  async function settle(): Promise<void> {
    for (let still = 0, seen = moves; still < 4; still = seen === moves ? still + 1 : 0) {
      seen = moves
      await Promise.allSettled(awaited)
      await new Promise(setImmediate)
    }
  }

  const next = (until: number) =>
    [...timers].filter(({ at }) => at <= until).reduce((a, b) => (a && a.at <= b.at ? a : b), NONE)

  return {
    now: () => now,
    monotonic: () => now,
    get waiting() {
      return timers.size
    },
    moved: () => void moves++,
    await(work) {
      moves++
      awaited.add(work)
      const done = () => void awaited.delete(work)
      work.then(done, done)
      return work
    },
    after(ms, run) {
      moves++
      const timer = { at: Math.ceil(now + Math.max(0, ms)), run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const until = now + ms
      await settle()
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.run()
        await settle()
      }
      now = until
    },
  }
}

const NONE = undefined as { readonly at: number; readonly run: () => void } | undefined

/** Requests go to the simulator without a connection, so that a clock that jumps never outruns the network. */
export function inProcess(
  sim: GithubSimulator,
  clock: TestClock,
  seen: (response: Response) => void = () => {},
): Fetch {
  return async (url, init) => {
    clock.moved()
    const response = await Promise.race([sim.handle(new Request(url, init)), aborted(init.signal ?? null)])
    clock.moved()
    seen(response)
    return response
  }
}

function aborted(signal: AbortSignal | null): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

export interface GithubHouseOptions {
  /** Answers in place of the simulator. */
  answer?: (url: string) => Response | Promise<Response>
  sim?: GithubSimulatorOptions
  /** Whether requests carry the operator's token. */
  token?: boolean
  /** Whether the device flow is configured. */
  device?: boolean
  store?: Store
  wrapStore?: (store: Store) => Store
}

const cleanups: (() => unknown)[] = []

/** Ends everything a test started. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

/** A simulated GitHub, and a connection to it with a real database and a clock that obeys. */
export function openGithub(options: GithubHouseOptions = {}) {
  const clock = createTestClock()
  const sim = startGithubSimulator({ now: clock.now, ...options.sim })
  cleanups.push(sim.stop)
  const logged: string[] = []
  const log = createLog({ level: 'debug', format: 'text', write: line => logged.push(line) })
  const opened = options.store ?? openStore(':memory:', { log })
  if (options.store === undefined) cleanups.push(() => opened.close())
  const store = options.wrapStore?.(awaiting(opened, clock)) ?? awaiting(opened, clock)
  const counts = { requests: 0, unchanged: 0 }
  const config = {
    githubApiUrl: sim.apiUrl,
    githubUrl: sim.url,
    githubToken: options.token ? sim.token : undefined,
    githubClientId: options.device ? sim.clientId : undefined,
  }
  const metrics = createMetrics()
  const presences = new PresenceStore()
  const simulated = inProcess(sim, clock, ({ status }) => {
    counts.requests++
    if (status === 304) counts.unchanged++
  })
  const { answer } = options
  const fetch: Fetch = answer === undefined ? simulated : async url => answer(url)
  const start = () => {
    const github = new GithubConnection({ config, store, presences, metrics: createMetrics(), log, clock, fetch })
    cleanups.push(() => github.stop())
    return github
  }
  const github = new GithubConnection({ config, store, presences, metrics, log, clock, fetch })
  cleanups.push(() => github.stop())

  function account(userId: string, from = github) {
    from.looked(userId)
    return presences.account(userId)
  }

  return {
    clock,
    sim,
    github,
    store,
    logged,
    counts,
    /** The same on the same database, as after a restart. */
    restart: start,
    /** A person's account as it is shown, after looking at it. */
    account,
    shown: (userId: string, from = github) => JSON.parse(account(userId, from)?.json ?? 'null') as GithubAccount | null,
    metric: (name: string) => Number(new RegExp(`^exoix_${name} (\\S+)$`, 'm').exec(metrics.render())?.[1]),
    /** Links an account that exists in the simulator, as if it had been proved just now. */
    async link(userId: string, githubId: number) {
      const login = sim.world.user(githubId)?.login ?? 'gone'
      await store.storeLink({ userId, githubId, login, account: null, etag: null, checkedAt: clock.now() })
    },
    /** Paths of the requests so far, with their statuses. */
    asked: () => sim.recorder.all('request').map(({ path, status }) => `${path} ${status}`),
  }
}

/** The clock stands still while the database writes. */
function awaiting(store: Store, clock: TestClock): Store {
  return {
    ...store,
    storeLink: link => clock.await(store.storeLink(link)),
    updateLink: link => clock.await(store.updateLink(link)),
    deleteLink: userId => clock.await(store.deleteLink(userId)),
  }
}

/** How a promise ended, without the test having to await it early. */
export async function outcome<T>(promise: Promise<T>): Promise<T | unknown> {
  return promise.catch(error => error)
}
