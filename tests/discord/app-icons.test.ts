import { describe, expect, test } from 'bun:test'
import { DiscordAppIcons } from '../../src/discord/app-icons.ts'
import type { AppIconStore, StoredIcon } from '../../src/domain/app-icons.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../support/app.ts'
import { createManualClock } from './clocks.ts'

const APP = '901234567890123001'
const ICON = '0123456789abcdef0123456789abcdef'
const DAY = 24 * 3_600_000
const NO_STORE: AppIconStore = { loadIcons: () => [], storeIcon: async () => {} }

type Told = { status: number; body: unknown } | Error

/** Icons from a Discord that answers as it is told, on a clock that stands still. */
function open(told: (id: string) => Told | Promise<Told>, store: AppIconStore = NO_STORE) {
  const clock = createManualClock()
  const asked: string[] = []
  const rest = {
    async look(path: string) {
      asked.push(path)
      const answer = await told(path.split('/')[2] ?? '')
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  const icons = new DiscordAppIcons({ rest, store, metrics: createMetrics(), log: silent, clock })
  return { icons, clock, asked }
}

const good = (id: string) => ({ status: 200, body: { id, name: 'Game', icon: ICON } })
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
const seconds = async (work: Promise<unknown>) => {
  const error = (await failureOf(work)) as { status: number; code: string; headers: Record<string, string> }
  expect([error.status, error.code]).toEqual([503, 'upstream_unavailable'])
  return Number(error.headers['Retry-After'])
}

describe('the icon of an application', () => {
  test('is asked for once, however many want it, and again after a day', async () => {
    const { icons, clock, asked } = open(good)
    const all = await Promise.all(Array.from({ length: 50 }, () => icons.icon(APP)))
    expect(new Set(all)).toEqual(new Set([ICON]))
    clock.advance(DAY - 1)
    await icons.icon(APP)
    expect(asked).toEqual([`/applications/${APP}/rpc`])
    clock.advance(1)
    await icons.icon(APP)
    expect(asked).toHaveLength(2)
  })

  test.each<[string, Told]>([
    ['has none', { status: 200, body: { id: APP, icon: null } }],
    ['has one that is no name of a picture', { status: 200, body: { id: APP, icon: '../../x' } }],
    ['is unknown', { status: 404, body: { code: 10_002, message: 'Unknown Application' } }],
  ])('is none for a minute when it %s', async (_, told) => {
    const { icons, clock, asked } = open(() => told)
    expect(await icons.icon(APP)).toBeNull()
    clock.advance(59_999)
    expect(await icons.icon(APP)).toBeNull()
    expect(asked).toHaveLength(1)
    clock.advance(1)
    await icons.icon(APP)
    expect(asked).toHaveLength(2)
  })

  test.each<[string, Told]>([
    ['fails', new Error('no connection')],
    ['tells of another', { status: 200, body: { id: '1', icon: ICON } }],
    ['says no', { status: 403, body: { code: 0, message: 'no' } }],
  ])('cannot be told for a minute when Discord %s, and nothing is asked meanwhile', async (_, told) => {
    const { icons, clock, asked } = open(() => told)
    expect(await seconds(icons.icon(APP))).toBe(60)
    clock.advance(50_000)
    expect(await seconds(icons.icon(APP))).toBe(10)
    expect(asked).toHaveLength(1)
  })

  test('stays what it was while Discord fails', async () => {
    let told: Told | undefined
    const { icons, clock, asked } = open(id => told ?? good(id))
    await icons.icon(APP)
    told = new Error('no connection')
    clock.advance(DAY)
    expect(await icons.icon(APP)).toBe(ICON)
    expect(await icons.icon(APP)).toBe(ICON)
    expect(asked).toHaveLength(2)
  })

  test('is looked up twenty at once and then two a second', async () => {
    const { icons, clock, asked } = open(good)
    const many = (count: number, from: number) =>
      Promise.allSettled(
        Array.from({ length: count }, (_, nth) => icons.icon(String(BigInt(APP) + BigInt(from + nth)))),
      )
    const first = await many(30, 0)
    expect(first.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    expect(asked).toHaveLength(20)
    expect(await seconds(icons.icon('901234567890129999'))).toBe(1)
    clock.advance(10_000)
    const second = await many(30, 100)
    expect(second.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    clock.advance(1000)
    await many(30, 200)
    expect(asked).toHaveLength(42)
  })

  test('is there at once after a restart', async () => {
    const store = openStore(':memory:', { log: silent })
    await open(good, store.icons).icons.icon(APP)
    let stored = [...store.icons.loadIcons()]
    while (stored.length === 0) {
      await new Promise(setImmediate)
      stored = [...store.icons.loadIcons()]
    }
    expect(stored).toEqual([{ applicationId: APP, icon: ICON, checkedAt: expect.any(Number) }])
    await store.close()

    const kept: StoredIcon[] = [{ applicationId: APP, icon: ICON, checkedAt: createManualClock().now() }]
    const { icons, asked } = open(() => new Error('away'), { ...NO_STORE, loadIcons: () => kept })
    expect(await icons.icon(APP)).toBe(ICON)
    expect(asked).toEqual([])
  })
})
