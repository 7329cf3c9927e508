import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { AppIcons } from '../../src/domain/app-icons.ts'
import type { Calls } from '../../src/domain/calls.ts'
import { ApiError, upstreamUnavailable } from '../../src/domain/errors.ts'
import { History } from '../../src/domain/history.ts'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Change, Presences } from '../../src/domain/presences.ts'
import type { Profiles } from '../../src/domain/profiles.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'
import { issueKey } from '../support/keys.ts'

/** The owner of the truth: here a test changes what doors see. */
export interface Truth extends AsyncDisposable {
  readonly presences: PresenceStore
  readonly kv: Kv
  readonly keys: Keys
  /** Whom somebody has looked at, as far as the owner has heard. */
  readonly looked: string[]
  /** For the `github` of calls. */
  readonly github: { looked(userId: string): void }
  readonly history: History
  /** For the `profiles` of calls. */
  readonly profiles: Profiles
  /** For the `icons` of calls. */
  readonly icons: AppIcons
}

/** A truth without Discord, with everything kept in memory. */
export function startTruth(): Truth {
  const store = openStore(':memory:', { log: silent })
  const presences = new PresenceStore()
  const looked: string[] = []
  const history = new History(store, presences, { days: 30, readPlaying: () => null })
  history.begin()
  return {
    history,
    presences,
    kv: createKv(store, presences),
    keys: new Keys(store),
    looked,
    github: { looked: userId => void looked.push(userId) },
    profiles: { looked: userId => void looked.push(`profile of ${userId}`) },
    icons: {
      async icon(applicationId) {
        if (applicationId === NOBODY) throw upstreamUnavailable(7)
        return applicationId === ANN ? 'ab'.repeat(16) : null
      },
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
}

/** What a door has of the truth. */
export interface Served extends AsyncDisposable {
  readonly presences: Presences
  readonly calls: Calls
  /** Resolves when everything the truth has said so far has arrived, and the truth has heard everything said here. */
  settled(): Promise<void>
}

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const NOBODY = '999999999999999999'

const ONLINE = { status: 'online', client_status: { web: 'online' }, activities: [] }

/**
 * What every way to serve must do, be it the truth itself or a copy that is fed from far away. `start` is given a truth
 * in which nobody is monitored yet.
 */
export function servingContract(name: string, start: (truth: Truth) => Served | Promise<Served>): void {
  describe(`${name} serves`, () => {
    let truth: Truth
    let served: Served
    beforeEach(async () => {
      truth = startTruth()
      served = await start(truth)
      await served.settled()
    })
    afterEach(async () => {
      await served[Symbol.asyncDispose]()
      await truth[Symbol.asyncDispose]()
    })

    const join = (id: string, username = 'x', guildId = '1') =>
      truth.presences.putMember(guildId, { user: { id, username } }, ONLINE)
    const show = (id: string, status: string) => truth.presences.patchPresence({ user: { id }, ...ONLINE, status })
    const shown = (id: string) => JSON.parse(served.presences.snapshot(id)?.json ?? 'null')
    /** Notes every change with the status that can be read in that moment. */
    function listen() {
      const heard: string[] = []
      const stop = served.presences.onChange(({ id, kind }: Change) =>
        heard.push(`${kind} ${id} ${shown(id)?.discord_status ?? '-'}`),
      )
      return { stop, take: () => heard.splice(0) }
    }

    describe('presences', () => {
      test('of nobody, before anybody has joined', () => {
        const { presences } = served
        expect([presences.size, [...presences.ids()], presences.has(ANN)]).toEqual([0, [], false])
        expect([presences.snapshot(ANN), presences.person(ANN)]).toEqual([undefined, undefined])
        expect([presences.kv(ANN).size, presences.account(ANN)]).toEqual([0, null])
      })

      test('of who joins, until they leave', async () => {
        const heard = listen()
        join(ANN, 'ann')
        join(BEN, 'ben')
        await served.settled()
        expect(heard.take()).toEqual([`joined ${ANN} online`, `joined ${BEN} online`])
        expect([served.presences.size, [...served.presences.ids()].sort()]).toEqual([2, [ANN, BEN]])
        expect(shown(ANN)).toMatchObject({ discord_user: { id: ANN, username: 'ann' }, kv: {} })
        expect(served.presences.snapshot(ANN)).toMatchObject({ id: ANN })

        truth.presences.removeMember('1', ANN)
        await served.settled()
        expect(heard.take()).toEqual([`left ${ANN} -`])
        expect([served.presences.size, served.presences.has(ANN), served.presences.has(BEN)]).toEqual([1, false, true])
        expect([served.presences.snapshot(ANN), served.presences.person(ANN)]).toEqual([undefined, undefined])
      })

      test('of those who were there before it began', async () => {
        join(ANN, 'ann')
        await truth.kv.put(ANN, 'a', '1')
        await using late = await start(truth)
        await late.settled()
        expect(late.presences.size).toBe(1)
        expect(late.presences.snapshot(ANN)?.json).toBe(truth.presences.snapshot(ANN)?.json as string)
        expect([...late.presences.kv(ANN)]).toEqual([['a', '1']])
      })

      test('byte for byte as the truth has them', async () => {
        join(ANN, 'ann "\t\n\u2028 🦊')
        truth.presences.patchPresence({
          user: { id: ANN },
          ...ONLINE,
          activities: [{ name: 'a\tb', type: 0, state: 'line\nline' }],
        })
        await truth.kv.put(ANN, 'text', 'one\ttwo\nthree \u0000')
        await served.settled()
        expect(served.presences.snapshot(ANN)?.json).toBe(truth.presences.snapshot(ANN)?.json as string)
        expect([...served.presences.kv(ANN)]).toEqual([...truth.presences.kv(ANN)])
      })

      test('with every change in order, each with the text of its moment', async () => {
        join(ANN)
        await served.settled()
        const heard = listen()
        for (const status of ['idle', 'dnd', 'online', 'idle']) show(ANN, status)
        await served.settled()
        expect(heard.take()).toEqual(['idle', 'dnd', 'online', 'idle'].map(status => `changed ${ANN} ${status}`))
      })

      test('and tells nobody of what changed nothing', async () => {
        join(ANN)
        await served.settled()
        const before = served.presences.snapshot(ANN)
        const heard = listen()
        show(ANN, 'online')
        await served.settled()
        expect(heard.take()).toEqual([])
        expect(served.presences.snapshot(ANN)).toBe(before as NonNullable<typeof before>)
      })

      test('as one object until something changes: what is made of it can be kept beside it', async () => {
        join(ANN)
        join(BEN)
        await served.settled()
        const first = served.presences.snapshot(ANN)
        show(BEN, 'dnd')
        await served.settled()
        expect(served.presences.snapshot(ANN)).toBe(first as NonNullable<typeof first>)
        show(ANN, 'dnd')
        await served.settled()
        expect(served.presences.snapshot(ANN)).not.toBe(first as NonNullable<typeof first>)
      })

      test('with what cards and other shapes are made of', async () => {
        truth.presences.putMember('1', { nick: 'Annie', user: { id: ANN, username: 'ann' } }, ONLINE)
        truth.presences.putMember('2', { user: { id: ANN, username: 'ann' } }, ONLINE)
        await served.settled()
        const person = served.presences.person(ANN)
        expect(person).toMatchObject({ id: ANN, presence: { status: 'online' }, lastSeenAt: null })
        expect(JSON.parse(person?.user ?? 'null')).toMatchObject({ username: 'ann' })
        expect(person?.memberships).toEqual([
          { guildId: '1', nick: 'Annie' },
          { guildId: '2', nick: null },
        ])
      })

      test('of nobody who hides, as if they were not there, until they show themselves', async () => {
        join(ANN)
        await served.settled()
        const heard = listen()
        truth.presences.setHidden(ANN, true)
        show(ANN, 'dnd')
        await served.settled()
        expect(heard.take()).toEqual([`left ${ANN} -`])
        expect([served.presences.size, served.presences.has(ANN), [...served.presences.ids()]]).toEqual([0, false, []])
        expect([served.presences.snapshot(ANN), served.presences.person(ANN)]).toEqual([undefined, undefined])

        truth.presences.setHidden(ANN, false)
        await served.settled()
        expect(heard.take()).toEqual([`joined ${ANN} dnd`])
        expect(served.presences.size).toBe(1)
      })

      test('with a linked account while there is one', async () => {
        join(ANN)
        truth.presences.setAccount(ANN, { json: '{"id":1}' })
        await served.settled()
        expect(served.presences.account(ANN)).toMatchObject({ json: '{"id":1}' })
        truth.presences.setAccount(ANN, null)
        await served.settled()
        expect(served.presences.account(ANN)).toBeNull()
      })

      test('with how much can be told at the moment', async () => {
        for (const readiness of ['ready', 'reconnecting', 'ready'] as const) {
          truth.presences.setReadiness(readiness)
          await served.settled()
          expect(served.presences.readiness).toBe(readiness)
        }
      })

      test('to listeners until they leave', async () => {
        join(ANN)
        await served.settled()
        const one = listen()
        const other = listen()
        one.stop()
        show(ANN, 'idle')
        await served.settled()
        expect([one.take(), other.take()]).toEqual([[], [`changed ${ANN} idle`]])
      })
    })

    test('nicknames and memberships as they change, and tells nobody', async () => {
      join(ANN)
      await served.settled()
      const heard = listen()
      truth.presences.putMember('2', { nick: 'Annie', user: { id: ANN, username: 'x' } }, ONLINE)
      await served.settled()
      const before = served.presences.snapshot(ANN)
      expect(served.presences.person(ANN)?.memberships.map(({ nick }) => nick)).toEqual([null, 'Annie'])
      truth.presences.putMember('2', { nick: 'A', user: { id: ANN, username: 'x' } }, ONLINE)
      await served.settled()
      expect(served.presences.person(ANN)?.memberships.map(({ nick }) => nick)).toEqual([null, 'A'])
      // What is made of a snapshot may show a nickname.
      expect(served.presences.snapshot(ANN)).not.toBe(before as NonNullable<typeof before>)
      truth.presences.removeMember('1', ANN)
      await served.settled()
      expect(served.presences.person(ANN)?.memberships).toEqual([{ guildId: '2', nick: 'A' }])
      expect(heard.take()).toEqual([])
    })

    describe('pairs', () => {
      /** The hash of a key of this person. */
      const keyOf = async (userId: string) => hashKey(await issueKey(truth.keys, userId))

      test('that can be read by whoever was told that they are written', async () => {
        join(ANN)
        await served.settled()
        const key = await keyOf(ANN)
        const { calls, presences } = served
        await calls.put(key, ANN, 'a', '1')
        expect([shown(ANN).kv, [...presences.kv(ANN)]]).toEqual([{ a: '1' }, [['a', '1']]])
        await calls.merge(key, '@me', { a: '2', b: '3' })
        expect(shown(ANN).kv).toEqual({ a: '2', b: '3' })
        await calls.delete(key, ANN, 'a')
        expect(shown(ANN).kv).toEqual({ b: '3' })
        await calls.clear(key, '@me')
        expect([shown(ANN).kv, presences.kv(ANN).size, truth.presences.kv(ANN).size]).toEqual([{}, 0, 0])
      })

      test('and tells every write, also of the same value', async () => {
        join(ANN)
        await served.settled()
        const key = await keyOf(ANN)
        const heard = listen()
        await served.calls.put(key, ANN, 'a', '1')
        await served.calls.put(key, ANN, 'a', '1')
        expect(heard.take()).toEqual(Array(2).fill(`changed ${ANN} online`))
      })

      test('of people who are not shown, to whoever may ask for them', async () => {
        const key = await keyOf(ANN)
        const heard = listen()
        await served.calls.put(key, '@me', 'a', '1')
        expect([[...(await served.calls.pairs(key, '@me'))], served.presences.has(ANN)]).toEqual([[['a', '1']], false])
        const others = hashKey(await issueKey(truth.keys, BEN))
        await expect(served.calls.pairs(others, ANN)).rejects.toMatchObject({ code: 'no_permission' })
        expect(heard.take()).toEqual([])
        join(ANN)
        await served.settled()
        expect(shown(ANN).kv).toEqual({ a: '1' })
      })

      test('and refuses what breaks a rule with its own error, changing nothing', async () => {
        join(ANN)
        const key = await keyOf(ANN)
        await served.calls.put(key, ANN, 'a', '1')
        const bad = served.calls.merge(key, ANN, { a: '2', 'bad-key': '3' })
        expect(await bad.catch(error => error)).toBeInstanceOf(ApiError)
        const message = 'key must be alphanumeric (a-zA-Z0-9_)'
        await expect(bad).rejects.toMatchObject({ status: 400, code: 'kv_validation_failed', message })
        const wrong = served.calls.merge(key, ANN, ['no', 'object'])
        await expect(wrong).rejects.toMatchObject({ status: 400, code: 'invalid_kv_value' })
        expect([...served.presences.kv(ANN)]).toEqual([['a', '1']])
      })
    })

    describe('keys', () => {
      test('of their owners, as long as they live', async () => {
        const first = await issueKey(truth.keys, ANN)
        expect(await served.calls.ownerOf(hashKey(first))).toBe(ANN)
        expect(await served.calls.ownerOf(first)).toBeUndefined()
        expect(await served.calls.ownerOf('')).toBeUndefined()
        const second = await issueKey(truth.keys, ANN)
        expect(await served.calls.ownerOf(hashKey(first))).toBeUndefined()
        expect(await served.calls.ownerOf(hashKey(second))).toBe(ANN)
      })

      test.each([
        ['put', (calls: Calls, key: string, id: string) => calls.put(key, id, 'a', '2')],
        ['merge', (calls: Calls, key: string, id: string) => calls.merge(key, id, { a: '2' })],
        ['delete', (calls: Calls, key: string, id: string) => calls.delete(key, id, 'a')],
        ['clear', (calls: Calls, key: string, id: string) => calls.clear(key, id)],
      ])('and refuses to %s for anybody else', async (_, change) => {
        join(ANN)
        const key = hashKey(await issueKey(truth.keys, ANN))
        await served.calls.put(key, ANN, 'a', '1')
        const others = hashKey(await issueKey(truth.keys, BEN))
        const refused = { status: 401, code: 'no_permission' }
        for (const [hash, id] of [
          [others, ANN],
          [key, NOBODY],
          [hashKey('nobody’s'), ANN],
          ['', '@me'],
        ] as const) {
          await expect(change(served.calls, hash, id)).rejects.toMatchObject(refused)
        }
        await truth.keys.revoke(ANN)
        await expect(change(served.calls, key, ANN)).rejects.toMatchObject(refused)
        expect([...served.presences.kv(ANN)]).toEqual([['a', '1']])
      })
    })

    test('histories of those who agreed, and says why not of others', async () => {
      join(ANN)
      join(BEN)
      await truth.history.on(ANN)
      show(ANN, 'idle')
      await served.settled()
      const page = JSON.parse(await served.calls.history(ANN, { limit: 5, before: Number.MAX_SAFE_INTEGER }))
      expect(page).toEqual({ tracks: [], activities: [], statuses: [{ status: 'idle', at: expect.any(Number) }] })
      expect(JSON.parse(await served.calls.stats(ANN))).toHaveProperty('30.by_status')
      expect(JSON.parse(await served.calls.topTracks(ANN, 30))).toEqual([])
      await expect(served.calls.stats(BEN)).rejects.toMatchObject({ status: 404, code: 'history_off' })
      await expect(served.calls.topTracks(NOBODY, 3)).rejects.toMatchObject({ code: 'user_not_monitored' })
    })

    test('tell the icon of an application, that there is none, or that it cannot be told', async () => {
      expect(await served.calls.appIcon(ANN)).toBe('ab'.repeat(16))
      expect(await served.calls.appIcon(BEN)).toBeNull()
      const refusal = { status: 503, headers: { 'Retry-After': '7' } }
      await expect(served.calls.appIcon(NOBODY)).rejects.toMatchObject(refusal)
    })

    test('looks, of which the owner hears', async () => {
      served.calls.looked(ANN)
      served.calls.looked(BEN, 'profile')
      await served.settled()
      expect(truth.looked).toEqual([ANN, `profile of ${BEN}`])
    })
  })
}
