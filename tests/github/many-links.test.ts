import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Github, GithubStore, StoredLink } from '../../src/domain/github.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { GithubConnection } from '../../src/github/github.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { type GithubSimulator, startGithubSimulator } from '../../src/simulator/github/github.ts'
import { createTestClock, HOUR, inProcess, MINUTE, type TestClock } from './support.ts'

const PEOPLE = 10_000
/** Simulated hours take real seconds on a busy machine. Milliseconds. */
const PATIENCE = 60_000

/** Links that are kept nowhere: what is measured is what GitHub is asked. */
function memoryStore(links: readonly StoredLink[]): GithubStore {
  const done = Promise.resolve()
  return { loadLinks: () => links, storeLink: () => done, updateLink: () => done, deleteLink: () => done }
}

describe('ten thousand linked people', () => {
  let clock: TestClock
  let sim: GithubSimulator
  let presences: PresenceStore
  let github: Github
  let people: string[]
  /** Statuses by hour. */
  let hours: number[][]
  beforeEach(() => {
    clock = createTestClock()
    sim = startGithubSimulator({ now: clock.now })
    hours = []
    const start = clock.now()
    const links = Array.from({ length: PEOPLE }, (_, at): StoredLink => {
      const { id: githubId, login } = sim.world.addUser({ login: `person-${at}` })
      return { userId: String(at), githubId, login, account: null, etag: null, checkedAt: start - HOUR }
    })
    people = links.map(({ userId }) => userId)
    store = memoryStore(links)
  })
  afterEach(async () => {
    github.stop()
    await sim.stop()
  })

  let store: GithubStore
  function connect(githubToken: string | undefined): void {
    const start = clock.now()
    const fetch = inProcess(sim, clock, ({ status }) => {
      const hour = Math.floor((clock.now() - start) / HOUR)
      hours[hour] ??= []
      hours[hour].push(status)
    })
    presences = new PresenceStore()
    const config = { githubApiUrl: sim.apiUrl, githubUrl: sim.url, githubToken, githubClientId: undefined }
    const log = createLog({ level: 'silent', format: 'text' })
    github = new GithubConnection({ config, store, presences, metrics: createMetrics(), log, clock, fetch })
  }

  /** Everybody is looked at every ten minutes. */
  async function pass(duration: number): Promise<void> {
    for (let passed = 0; passed < duration; passed += 10 * MINUTE) {
      for (const userId of people) github.looked(userId)
      await clock.advance(10 * MINUTE)
    }
  }

  const counted = () => hours.map(statuses => statuses.filter(status => status !== 304).length)
  const shown = () => people.filter(userId => presences.account(userId) !== null).length

  test(
    'are refreshed with fewer than 60 requests an hour without a token',
    async () => {
      connect(undefined)
      await pass(12 * HOUR)
      const whole = hours.slice(0, 12)
      expect(whole).toHaveLength(12)
      for (const statuses of whole) {
        expect(statuses.length).toBeLessThanOrEqual(60)
        expect(statuses.length).toBeGreaterThan(45)
        expect(statuses.every(status => status === 200)).toBe(true)
      }
      // Nobody is asked about twice before everybody was asked about once.
      expect(shown()).toBe(hours.flat().length)
    },
    PATIENCE,
  )

  test(
    'are refreshed with fewer than 5,000 counted requests an hour with one, and all within two and a half hours',
    async () => {
      connect(sim.token)
      await pass(2.5 * HOUR)
      for (const count of counted()) expect(count).toBeLessThanOrEqual(5000)
      expect(hours.flat().every(status => status === 200 || status === 304)).toBe(true)
      expect(shown()).toBe(PEOPLE)
    },
    PATIENCE,
  )

  test('cost no request while nobody looks', async () => {
    connect(sim.token)
    await clock.advance(24 * HOUR)
    expect(hours).toEqual([])
    expect(clock.waiting).toBe(0)
  })
})
