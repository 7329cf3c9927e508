import { expect } from 'bun:test'
import type { KvChange } from '../../../src/domain/kv.ts'

/** A running process that takes writes and can be killed. */
export interface Victim {
  /** Resolves once the write is acknowledged; rejects, or never settles, when the process is gone. */
  write(userId: string, change: KvChange): Promise<unknown>
  /** SIGKILL; resolves when the process is gone and every acknowledgement it made has been taken in. */
  kill(): Promise<void>
}

/** How to start what is killed, and how to see what it has kept. */
export interface KillDriver {
  start(): Promise<Victim>
  read(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>
}

type Pairs = ReadonlyMap<string, string>

/** Writes one after the other; what is there after each step is known, so it can be compared with what was kept. */
interface Lane {
  readonly userId: string
  readonly change: (step: number) => KvChange
  /** This lane's keys and what they hold after a step; undefined: not there. */
  readonly after: (step: number) => Readonly<Record<string, string | undefined>>
  /** Acknowledged steps. */
  step: number
}

/** Whose pairs are written. */
export const LANE_USERS: readonly string[] = Array.from({ length: 6 }, (_, at) =>
  String(100000000000000000n + BigInt(at)),
)

const MERGED = ['m0', 'm1', 'm2', 'm3', 'm4']
/** Enough for a merge to cover several pages of the file. */
const PADDING = '.'.repeat(3000)

function lanesOf(userId: string): Lane[] {
  const merged = (step: number) =>
    Object.fromEntries(MERGED.map(key => [key, step === 0 ? undefined : `${step}${PADDING}`]))
  return [
    {
      userId,
      step: 0,
      change: step => ({ kind: 'put', pairs: new Map([['put', String(step)]]) }),
      after: step => ({ put: step === 0 ? undefined : String(step) }),
    },
    {
      userId,
      step: 0,
      change: step => ({ kind: 'put', pairs: new Map(MERGED.map(key => [key, `${step}${PADDING}`])) }),
      after: merged,
    },
    {
      userId,
      step: 0,
      change: step =>
        step % 2 === 1 ? { kind: 'put', pairs: new Map([['gone', String(step)]]) } : { kind: 'delete', key: 'gone' },
      after: step => ({ gone: step % 2 === 1 ? String(step) : undefined }),
    },
  ]
}

/**
 * Kills a process again and again in the middle of concurrent writes. After each time, everything acknowledged must be
 * there; at most the one write of each lane that was under way may have happened too, and then whole.
 */
export async function killRounds(driver: KillDriver, { rounds, seed }: { rounds: number; seed: number }) {
  const random = mulberry32(seed)
  const lanes = LANE_USERS.flatMap(lanesOf)
  let acknowledged = 0
  let unacknowledged = 0
  for (let round = 0; round < rounds; round++) {
    acknowledged += await writeUntilKilled(await driver.start(), lanes, 1 + Math.floor(random() * 400))
    const kept = await driver.read()
    for (const lane of lanes) unacknowledged += settle(lane, kept.get(lane.userId) ?? new Map(), { round, seed })
  }
  return { acknowledged, unacknowledged }
}

/** All lanes at once; the process is killed when so many writes have been acknowledged. */
async function writeUntilKilled(victim: Victim, lanes: readonly Lane[], acknowledgements: number): Promise<number> {
  let acknowledged = 0
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  async function run(lane: Lane): Promise<void> {
    while (acknowledged < acknowledgements) {
      await victim.write(lane.userId, lane.change(lane.step + 1))
      lane.step++
      acknowledged++
    }
    resolve()
  }
  for (const lane of lanes) void run(lane).catch(() => {})
  await enough
  await victim.kill()
  return acknowledged
}

/** Compares what was kept with what was acknowledged, and goes on from there. */
function settle(lane: Lane, kept: Pairs, where: object): 0 | 1 {
  const found = Object.fromEntries(Object.keys(lane.after(0)).map(key => [key, kept.get(key)]))
  const next = Bun.deepEquals(found, lane.after(lane.step + 1))
  if (next) lane.step++
  expect({ ...where, userId: lane.userId, found }).toEqual({
    ...where,
    userId: lane.userId,
    found: lane.after(lane.step),
  })
  return next ? 1 : 0
}

/** Random numbers from 0 to 1 that a seed repeats. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
