import { createRandom } from '../../../src/simulator/random.ts'
import type { Simulator } from '../../../src/simulator/simulator.ts'
import { numbered } from './numbered.ts'

/** Two guilds, each on a shard of its own when there are two. */
export const GUILDS = ['100', String(1 << 22)] as const

/** People on the simulated Discord who never stop changing; each change has the person's next number. */
export interface Town {
  readonly ids: readonly string[]
  /** One person of each guild, in no other. */
  readonly witnesses: readonly string[]
  /** Changes made so far. */
  readonly changes: number
  /** Number of the person's last change. */
  numberOf(id: string): number
  /** Resolves when so many more changes have been made. */
  after(changes: number): Promise<void>
  /** Begins, with so many changes a second. */
  start(perSecond: number): void
  stop(): void
  /** Changes this person once. */
  change(id: string): void
}

const TICK = 10
const STATUSES = ['online', 'idle', 'dnd'] as const

/** Every tenth person is in both guilds: what they do is told by both shards. */
export function buildTown(simulator: Simulator, people: number, seed: number): Town {
  const { world } = simulator
  const random = createRandom(seed)
  const numbers = new Map<string, number>()
  const ids = Array.from({ length: people }, () => world.snowflake())
  let lastAt = 0
  for (const [at, id] of GUILDS.entries()) {
    const members = ids.filter((_, index) => index % 2 === at || index % 10 === 9)
    world.addGuild({
      id,
      members: members.map(user => ({ user: world.addUser({ id: user }).id, presence: presenceOf(user) })),
    })
  }
  let changes = 0
  let timer: Timer | undefined
  let waiting: { at: number; resolve: () => void } | undefined

  /** Discord tells when it made a presence; no two of ours are made at once. */
  function presenceOf(id: string) {
    lastAt = Math.max(lastAt + 1, Date.now())
    return { status: random.pick(STATUSES), activities: [numbered(numbers.get(id) ?? 0)], at: lastAt }
  }

  function change(id: string): void {
    changes++
    numbers.set(id, (numbers.get(id) ?? 0) + 1)
    world.setPresence(id, presenceOf(id))
    if (waiting !== undefined && changes >= waiting.at) waiting.resolve()
  }

  return {
    ids,
    witnesses: ids.slice(0, 2),
    get changes() {
      return changes
    },
    numberOf: id => numbers.get(id) ?? 0,
    after(more) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting = { at: changes + more, resolve }
      return promise
    },
    start(perSecond) {
      const startedAt = performance.now()
      const before = changes
      timer = setInterval(() => {
        const due = before + ((performance.now() - startedAt) / 1000) * perSecond
        while (changes < due) change(random.pick(ids))
      }, TICK)
    },
    stop: () => clearInterval(timer),
    change,
  }
}
