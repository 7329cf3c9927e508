import { expect, test } from 'bun:test'
import type { KvChange } from '../../src/domain/kv.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { scratch, silent } from './support/files.ts'
import { type KillDriver, killRounds, type Victim } from './support/kill-rounds.ts'
import type { Order } from './support/kill-victim.ts'

const ROUNDS = Number(process.env.EXOIX_KILL_ROUNDS ?? 12)
const SEED = Number(process.env.EXOIX_KILL_SEED ?? 1)

/** The store alone, in a process of its own. */
function storeDriver(file: string): KillDriver {
  return {
    async start() {
      const victim = spawnVictim(file)
      await victim.ready
      return victim
    },
    async read() {
      const store = openStore(file, { log: silent })
      const pairs = new Map(store.loadPairs())
      await store.close()
      return pairs
    },
  }
}

function spawnVictim(file: string): Victim & { ready: Promise<void> } {
  const waiting = new Map<number, () => void>()
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const { promise: disconnected, resolve: disconnect } = Promise.withResolvers<void>()
  let orders = 0
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/support/kill-victim.ts`, file], {
    stdout: 'inherit',
    stderr: 'inherit',
    ipc(message) {
      if (message === 'ready') resolve()
      else waiting.get(message as number)?.()
    },
    onDisconnect: () => disconnect(),
  })
  return {
    ready,
    write: (userId, change) =>
      new Promise(acknowledge => {
        const id = orders++
        waiting.set(id, () => acknowledge(undefined))
        child.send({ id, userId, change: sent(change) } satisfies Order)
      }),
    async kill() {
      child.kill('SIGKILL')
      await Promise.all([child.exited, disconnected])
    },
  }
}

const sent = (change: KvChange): Order['change'] =>
  change.kind === 'put' ? { kind: 'put', pairs: [...change.pairs] } : change

test(
  `${ROUNDS} times killed amid concurrent writes: everything acknowledged is kept, and no merge is half there`,
  async () => {
    using space = scratch()
    const { acknowledged, unacknowledged } = await killRounds(storeDriver(space.file()), { rounds: ROUNDS, seed: SEED })
    if (ROUNDS > 12) console.log(`${acknowledged} writes acknowledged, ${unacknowledged} kept without that`)
    expect(acknowledged).toBeGreaterThanOrEqual(ROUNDS)
  },
  20_000 + ROUNDS * 2000,
)
