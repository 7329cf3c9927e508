import { describe, expect, test } from 'bun:test'
import { Checkpoint } from '../../src/domain/checkpoint.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'

const storeFor = (monitor: string) => new PresenceStore(undefined, undefined, monitor)
const SESSION = { shardId: 0, shardCount: 1, sessionId: 's', resumeURL: 'ws://127.0.0.1/', sequence: 7 }

describe('who is shown by a role', () => {
  test('has it in any server; odd roles are none', () => {
    const store = storeFor('role:7')
    for (const roles of [undefined, null, '7', {}, [7], ['77'], []]) {
      store.putMember('g', { user: { id: '1' }, roles })
      expect([roles, store.has('1')]).toEqual([roles, false])
    }
    store.putMember('h', { user: { id: '1' }, roles: ['6', '7'] })
    expect([store.has('1'), store.size]).toEqual([true, 1])
    store.removeMember('h', '1')
    expect([store.has('1'), store.size, store.member('1') !== undefined]).toEqual([false, 0, true])
  })

  test('is shown after a restart as before, in one whose role is another only when the lists are in', async () => {
    const database = openStore(':memory:', { log: silent })
    const first = storeFor('role:7')
    const checkpoint = new Checkpoint(database, first, silent)
    first.putMember('g', { user: { id: '1' }, roles: ['7'] })
    first.putMember('g', { user: { id: '2' }, roles: ['8'] })
    checkpoint.save(0, SESSION)
    await checkpoint.stop()
    for (const [monitor, shown, session] of [
      ['role:7', ['1'], SESSION],
      ['role:8', [], null],
      ['everybody', ['1', '2'], SESSION],
      ['opt-in', [], SESSION],
    ] as const) {
      const next = storeFor(monitor)
      const restored = new Checkpoint(database, next, silent)
      expect([monitor, [...next.ids()], restored.load(0)]).toEqual([monitor, [...shown], session])
    }
    await database.close()
  })

  test('is not known of people who were saved without their roles', async () => {
    const database = openStore(':memory:', { log: silent })
    const everybody = storeFor('everybody')
    const checkpoint = new Checkpoint(database, everybody, silent)
    everybody.putMember('g', { user: { id: '1' }, roles: ['7'] })
    checkpoint.save(0, SESSION)
    await checkpoint.stop()
    const next = storeFor('role:7')
    expect(new Checkpoint(database, next, silent).load(0)).toBeNull()
    expect(next.has('1')).toBe(false)
    next.putMember('g', { user: { id: '1' }, roles: ['7'] })
    expect(next.has('1')).toBe(true)
    await database.close()
  })
})

test('who has to ask for being shown is told of when they do, and when they take it back', () => {
  const store = storeFor('opt-in')
  const kinds: string[] = []
  store.onChange(({ kind }) => kinds.push(kind))
  store.putMember('g', { user: { id: '1' } })
  store.setConsent('1', true)
  store.setConsent('1', true)
  store.setConsent('2', true)
  store.setHidden('1', true)
  store.setHidden('1', false)
  store.forget('1')
  expect([kinds, store.has('1'), store.lacksConsent('1')]).toEqual([['joined', 'left', 'joined', 'left'], false, true])
})
