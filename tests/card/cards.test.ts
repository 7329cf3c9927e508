import { describe, expect, test } from 'bun:test'
import { CardRenderer, readOptions } from '../../src/card/card.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Person } from '../../src/domain/presences.ts'
import { Cards } from '../../src/http/card.ts'
import type { Representation } from '../../src/http/representation.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { ADA } from '../http/harness.ts'
import { GAME, inspect, MOOD, png, SONG, startHost, USER } from './support.ts'

const SECOND = 1000
const START = 1_767_225_600_000
const OPTIONS = readOptions('')

/** Cards of Ada, on a clock that stands still. */
function startDrawing(host: Pick<ReturnType<typeof startHost>, 'url' | 'config'>, patience = 60_000) {
  const clock = { now: START }
  const presences = new PresenceStore()
  const renderer = new CardRenderer(host.config, createMetrics(), { patience, longest: 60_000 })
  const cards = new Cards(renderer, () => clock.now)
  return {
    cards,
    clock,
    presences,
    show: (...activities: object[]) => void presences.putMember('1', { user: USER }, { status: 'online', activities }),
    made: async (options = OPTIONS) => await cards.of(presences.person(ADA) as Person, options),
  }
}

const read = (card: Representation) => card.answer(new Request('http://localhost')).text()

describe('a card that is there', () => {
  test.each([
    ['of somebody at rest stays for a minute', [MOOD, GAME], 60 * SECOND],
    ['with a duration stays for 20 seconds', [{ ...GAME, timestamps: { start: START } }], 20 * SECOND],
    ['with progress stays for 5 seconds', [{ ...SONG, timestamps: { start: START, end: START + 1e6 } }], 5 * SECOND],
  ])('%s', async (_, activities, lifetime) => {
    await using host = startHost()
    const drawing = startDrawing(host)
    drawing.show(...activities)
    const first = await drawing.made()
    drawing.clock.now += lifetime - 1
    expect(await drawing.made()).toBe(first)
    drawing.clock.now += 1
    expect(await drawing.made()).not.toBe(first)
  })

  test('is another one as soon as anything else is shown, and not when only pairs change', async () => {
    await using host = startHost()
    const drawing = startDrawing(host)
    drawing.show(MOOD)
    const first = await drawing.made()
    drawing.presences.setKv(ADA, new Map([['location', 'Berlin']]))
    expect(await drawing.made()).toBe(first)
    drawing.presences.patchPresence({ user: { id: ADA, global_name: 'Augusta' } })
    const second = await drawing.made()
    expect(inspect(await read(second)).texts).toContain('Augusta')
    drawing.show(GAME)
    expect(await drawing.made()).not.toBe(second)
  })

  test('is another one when somebody was there meanwhile', async () => {
    await using host = startHost()
    const drawing = startDrawing(host)
    drawing.show()
    drawing.presences.patchPresence({ user: { id: ADA }, status: 'offline' })
    const person = drawing.presences.person(ADA) as Person
    const textsOf = async (lastSeenAt: number) => {
      const card = await drawing.cards.of({ ...person, lastSeenAt }, OPTIONS)
      return inspect(await read(card)).texts
    }
    expect(await textsOf(START - 3_600_000)).toContain('Last seen 1 h 0 min ago')
    expect(await textsOf(START - 60_000)).toContain('Last seen 1 min ago')
  })

  test('makes room for others: many large ones take no more than their share', async () => {
    await using host = startHost()
    const drawing = startDrawing(host)
    drawing.show({ ...MOOD, unused: 'x'.repeat(200_000) })
    const first = await drawing.made()
    for (let index = 0; index < 400; index++) await drawing.made(readOptions(`idleMessage=${index}`))
    expect(await drawing.made()).not.toBe(first)
  })

  test('is drawn without a picture that takes too long, for a moment only', async () => {
    const opened = Promise.withResolvers<void>()
    await using host = startHost(async request => {
      if (request.url.includes('/avatars/')) await opened.promise
      return png(request)
    })
    const drawing = startDrawing(host, 200)
    drawing.show(MOOD)
    const first = await drawing.made()
    expect(first.headers.get('cache-control')).toBe('public, max-age=5')
    expect(inspect(await read(first)).texts).toContain('A')
    opened.resolve()
    let card = first
    while (card.headers.get('cache-control') !== 'public, max-age=60') {
      drawing.clock.now += 2 * SECOND
      card = await drawing.made()
    }
    expect(inspect(await read(card)).texts).not.toContain('A')
  })
})
