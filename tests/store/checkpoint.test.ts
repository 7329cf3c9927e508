import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Checkpoint, type State, type StateStore } from '../../src/domain/checkpoint.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { createLog } from '../../src/lib/log.ts'
import { openStore } from '../../src/store/sqlite.ts'

const log = createLog({ level: 'silent', format: 'text' })
const online = {
  status: 'online',
  client_status: { web: 'online' },
  activities: [{ id: 'spotify:1', details: 'Paper Boats' }],
}

function session(sequence: number, shardId = 0) {
  return { shardId, shardCount: 2, sessionId: `s${shardId}`, resumeURL: 'ws://127.0.0.1/', sequence }
}

/** Opens the file as a process would, hands over what runs on it, and closes it again. */
async function asProcess<T>(file: string, run: (app: ReturnType<typeof open>) => T | Promise<T>): Promise<T> {
  const app = open(file)
  const result = await run(app)
  await app.state.stop()
  await app.store.close()
  return result
}

function open(file: string) {
  const store = openStore(file, { log })
  const presences = new PresenceStore()
  return { store, presences, state: new Checkpoint(store, presences, log) }
}

async function withFile(run: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'exoix-state-'))
  try {
    await run(join(folder, 'exoix.db'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('saved presences', () => {
  test('are back in the next process, with the sessions they reflect', () =>
    withFile(async file => {
      const before = await asProcess(file, ({ presences, state }) => {
        presences.putMember('g', { user: { id: '1', username: 'ada' }, nick: 'A' }, online)
        presences.putMember('h', { user: { id: '1', username: 'ada' } }, online)
        state.save(0, session(7))
        state.save(1, session(9, 1))
        return presences.snapshot('1')
      })
      await asProcess(file, ({ presences, state }) => {
        expect(presences.snapshot('1')).toEqual(before!)
        expect(presences.person('1')?.memberships).toEqual([
          { guildId: 'g', nick: 'A' },
          { guildId: 'h', nick: null },
        ])
        expect([state.load(0), state.load(1), state.load(2)]).toEqual([session(7), session(9, 1), null])
      })
    }))

  test('say when people were last seen, and forget it with who hides', () =>
    withFile(async file => {
      const lastSeen = ({ presences }: ReturnType<typeof open>) =>
        ['1', '2', '3'].map(id => presences.person(id)?.lastSeenAt)
      const before = await asProcess(file, app => {
        for (const id of ['1', '2', '3']) app.presences.putMember('g', { user: { id } }, online)
        for (const id of ['1', '2']) app.presences.patchPresence({ user: { id }, status: 'offline' })
        return lastSeen(app)
      })
      expect(before).toEqual([expect.any(Number), expect.any(Number), null])
      await asProcess(file, app => {
        expect(lastSeen(app)).toEqual(before)
        app.presences.setHidden('2', true)
      })
      await asProcess(file, app => expect(lastSeen(app)).toEqual([before[0], null, null]))
    }))

  test('of who is awaited are awaited still, and known once they are', () =>
    withFile(async file => {
      await asProcess(file, ({ presences }) => {
        for (const id of ['1', '2']) presences.putMember('g', { user: { id } }, 'awaited')
        presences.drainDirty()
        presences.putMember('g', { user: { id: '1' }, nick: 'A' }, 'awaited')
        presences.putMember('g', { user: { id: '2' } }, online)
      })
      await asProcess(file, ({ presences }) => {
        expect([presences.member('1')?.awaited, presences.has('1')]).toEqual([true, false])
        expect(presences.person('2')?.presence.status).toBe('online')
        presences.presumeOffline('1')
      })
      await asProcess(file, ({ presences }) => expect(presences.person('1')?.presence.status).toBe('offline'))
    }))

  test('of who left, and sessions that ended, are gone', () =>
    withFile(async file => {
      await asProcess(file, ({ presences, state }) => {
        presences.putMember('g', { user: { id: '1' } })
        state.save(0, session(7))
      })
      await asProcess(file, ({ presences, state }) => {
        presences.removeGuild('g')
        state.save(0, null)
      })
      await asProcess(file, ({ presences, state }) => {
        expect([presences.size, state.load(0)]).toEqual([0, null])
      })
    }))

  test('are written in parts when many changed, the sessions with the last', async () => {
    const parts: [number, boolean][] = []
    const { presences, state, taken } = fake(part => parts.push([part.people.size, part.sessions !== null]))
    for (let id = 1; id <= 4500; id++) presences.putMember('g', { user: { id: String(id) } })
    state.save(0, session(7))
    await state.stop()
    expect(parts).toEqual([
      [2000, false],
      [2000, false],
      [500, true],
    ])
    expect(taken.size).toBe(4500)
  })

  test('are tried again with the next save when the disk refused them', async () => {
    let refuse = true
    const { presences, state, taken } = fake(() => {
      if (refuse) throw new Error('disk full')
    })
    presences.putMember('g', { user: { id: '1' } })
    state.save(0, session(7))
    await state.saveAll()
    expect(taken.size).toBe(0)
    refuse = false
    await state.stop()
    expect([...taken.keys()]).toEqual(['1'])
  })

  test('are not written again while nothing changes', async () => {
    let writes = 0
    const { presences, state } = fake(() => void writes++)
    presences.putMember('g', { user: { id: '1' } })
    await state.saveAll()
    await state.saveAll()
    expect(writes).toBe(1)
    state.save(0, session(8))
    await state.stop()
    expect(writes).toBe(2)
  })
})

/** A store that shows each part to the test, which may refuse it by throwing. */
function fake(onPart: (part: State) => void) {
  const taken = new Map<string, unknown>()
  const store: StateStore = {
    loadPeople: () => [],
    loadSessions: () => [],
    async saveState(take) {
      const part = take()
      onPart(part)
      for (const [id, person] of part.people) taken.set(id, person)
    },
  }
  const presences = new PresenceStore()
  return { presences, taken, state: new Checkpoint(store, presences, log) }
}
