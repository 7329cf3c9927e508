import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ARTLESS } from '../../src/simulator/people/catalogue.ts'
import { startTestApp, type TestApp } from '../support/app.ts'

const ICON = 'fedcba9876543210fedcba9876543210'
const WITHOUT = '901234567890123009'

let world: TestApp
let player: string

beforeAll(async () => {
  world = await startTestApp({ config: { rateLimitPerMinute: 0 } })
  const { simulator } = world
  const guild = simulator.world.addGuild({ members: 1 })
  player = [...guild.members.keys()][1] ?? ''
  await world.ready()
})
afterAll(() => world[Symbol.asyncDispose]())

const get = (path: string, init?: RequestInit) => fetch(world.url + path, init)
const asked = (id: string) =>
  world.simulator.recorder.all('rest').filter(({ path }) => path === `/applications/${id}/rpc`).length

let next = 901_234_567_890_200_000n
/** An application nobody has asked about yet. */
function register(icon: string | null = ICON): string {
  const id = String(next++)
  world.simulator.world.applications.set(id, { id, name: 'Game', icon })
  return id
}

/** Resolves when this person is shown playing that. */
async function play(...activities: object[]): Promise<void> {
  const { app, simulator } = world
  const shown = Promise.withResolvers<void>()
  const end = app.presences.onChange(({ id }) => id === player && shown.resolve())
  simulator.world.setPresence(player, { status: 'online', activities: activities as never })
  await shown.promise
  end()
}

const playing = (id: string) => ({ type: 0, name: `Game ${id}`, id: 'a', application_id: id })

describe('the icon of an application', () => {
  test('is streamed from the CDN, with HEAD too, and asked for once', async () => {
    const id = register()
    const answers = await Promise.all(Array.from({ length: 10 }, () => get(`/app-icons/${id}.png`)))
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    }
    expect(Buffer.from(await (answers[0] as Response).arrayBuffer()).toString('latin1', 1, 4)).toBe('PNG')
    const head = await get(`/app-icons/${id}.png`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const etag = head.headers.get('etag') ?? ''
    expect((await get(`/app-icons/${id}.png`, { headers: { 'If-None-Match': etag } })).status).toBe(304)
    expect(asked(id)).toBe(1)
  })

  test('that there is none of is 404 not_found', async () => {
    for (const id of [WITHOUT, '999999999999999999', register(null)]) {
      const answer = await get(`/app-icons/${id}.png`)
      expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: 'not_found' } }])
    }
  })

  test.each(['x.png', '.png', `${ARTLESS.applicationId}`, `${ARTLESS.applicationId}.gif`, '@me.png', '%2e%2e.png'])(
    'of any other form is 404, and nothing is asked: %s',
    async file => {
      const before = world.simulator.recorder.all('rest').length
      expect((await get(`/app-icons/${file}`)).status).toBe(404)
      expect(world.simulator.recorder.all('rest')).toHaveLength(before)
    },
  )

  test.each([500, 'rate limited', 'network'] as const)(
    'is 503 with Retry-After while Discord fails (%s)',
    async kind => {
      const id = register()
      world.simulator.restFails({ kind, times: 100, path: new RegExp(id), retryAfter: 1 })
      for (let times = 0; times < 3; times++) {
        const answer = await get(`/app-icons/${id}.png`)
        expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: 'upstream_unavailable' } }])
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      }
      expect(asked(id)).toBe(1)
    },
  )

  test('is 502 when the CDN fails', async () => {
    const id = register()
    world.simulator.cdnFails(500, 1, /app-icons/)
    expect((await get(`/app-icons/${id}.png`)).status).toBe(502)
  })
})

describe('a game without art', () => {
  const imagesOf = async () => {
    const { data } = (await (await get(`/v1/users/${player}/images`)).json()) as {
      data: { activities: { large_image: string | null }[] }
    }
    return data.activities.map(({ large_image }) => large_image)
  }

  test('has the address of its icon among the images once it is known; reading them makes it be asked for', async () => {
    const id = register()
    await play(playing(id))
    const first = await get(`/v1/users/${player}/images`)
    expect(await first.json()).toMatchObject({ data: { activities: [{ large_image: null }] } })
    while ((await imagesOf())[0] === null) await new Promise(setImmediate)
    expect(await imagesOf()).toEqual([`/app-icons/${id}.png`])
    const { headers } = await get(`/v1/users/${player}/images`)
    expect(headers.get('etag')).not.toBe(first.headers.get('etag'))
    expect(asked(id)).toBe(1)
  })

  test('has a whole address where the instance has one', async () => {
    const id = register()
    await using other = await startTestApp({
      config: { externalUrl: 'https://exoix.example' },
      world: simulator => void simulator.world.applications.set(id, { id, name: 'Game', icon: ICON }),
    })
    const guild = other.simulator.world.addGuild({
      members: [{ presence: { status: 'online', activities: [playing(id)] as never } }],
    })
    const [, somebody = ''] = [...guild.members.keys()]
    await other.ready()
    await fetch(`${other.url}/app-icons/${id}.png`)
    while (!other.app.presences.person(somebody)?.presence.activities.includes(id)) await new Promise(setImmediate)
    let body = ''
    while (!body.includes('app-icons')) body = await (await fetch(`${other.url}/v1/users/${somebody}/images`)).text()
    expect(body).toContain(`"https://exoix.example/app-icons/${id}.png"`)
  })

  test('has none among the images when its application has none', async () => {
    const id = register(null)
    await play(playing(id))
    await imagesOf()
    await get(`/app-icons/${id}.png`)
    expect(await imagesOf()).toEqual([null])
  })

  test('is drawn with its icon on a card, and without while that cannot be told', async () => {
    const pictures = async () => (await (await get(`/v1/users/${player}/card.svg`)).text()).match(/data:image/g)?.length
    const [shown, hidden] = [register(), register()]
    world.simulator.restFails({ kind: 500, times: 100, path: new RegExp(hidden) })
    await play(playing(hidden))
    const without = (await pictures()) ?? 0
    await play(playing(shown))
    expect(await pictures()).toBe(without + 1)
  })
})
