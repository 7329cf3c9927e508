import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { startApp } from '../../src/app.ts'
import type { Config } from '../../src/config.ts'
import { silent, startTestApp, type TestApp, testConfig } from '../support/app.ts'
import { temporaryFolder } from '../support/executable.ts'

const BANNER = 'fedcba9876543210fedcba9876543210'
const PROFILE = { banner: BANNER, accent_color: 0x884422 }

const worlds: TestApp[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]()
})

/** A server with two people who have a profile. */
async function start(config: Partial<Config> = {}) {
  const world = await startTestApp({ config: { rateLimitPerMinute: 0, ...config } })
  worlds.push(world)
  const guild = world.simulator.world.addGuild({ members: [{ user: PROFILE }, { user: PROFILE }] })
  const [, ann = '', ben = ''] = [...guild.members.keys()]
  await world.ready()
  const { app, simulator } = world
  return {
    ...world,
    ann,
    ben,
    get: (path: string) => fetch(world.url + path),
    asked: () =>
      simulator.recorder
        .all('rest')
        .filter(({ path }) => /^\/users\/\d+$/.test(path))
        .map(({ path }) => path),
    /** Resolves when the profile is shown. */
    async shown(id: string) {
      while (!app.presences.person(id)?.user.includes(BANNER)) await new Promise(setImmediate)
    },
  }
}

describe('banner and accent colour', () => {
  test.each<[string, (id: string) => string]>([
    ['read', id => `/v1/users/${id}`],
    ['read with others', id => `/v1/users?ids=${id}`],
    ['drawn', id => `/v1/users/${id}/card.svg`],
    ['read for their pictures', id => `/v1/users/${id}/images`],
  ])('are asked for when somebody is %s, and told as one message', async (_, path) => {
    const { ann, ben, get, asked, shown, app } = await start()
    const told: string[] = []
    app.presences.onChange(({ id, kind }) => told.push(`${kind} ${id}`))
    expect((await get(path(ann))).status).toBe(200)
    await get(path(ann))
    await shown(ann)
    expect(asked()).toEqual([`/users/${ann}`])
    expect(told).toEqual([`changed ${ann}`])
    const { data } = (await (await get(`/v1/users/${ann}`)).json()) as { data: { discord_user: object } }
    expect(data.discord_user).toMatchObject(PROFILE)
    expect(app.presences.person(ben)?.user).not.toContain('accent_color')
  })

  test('are asked for when somebody is followed by name, over a socket or as events', async () => {
    const { ann, ben, url, shown, asked } = await start()
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`)
    socket.onopen = () => socket.send(JSON.stringify({ op: 2, d: { subscribe_to_ids: [ann] } }))
    await shown(ann)
    expect(asked()).toEqual([`/users/${ann}`])
    const stop = new AbortController()
    const events = await fetch(`${url}/v1/users/${ben}/events`, { signal: stop.signal })
    expect(events.status).toBe(200)
    await shown(ben)
    stop.abort()
    socket.close()
  })

  test('are not asked for when everybody is followed, of nobody in particular', async () => {
    const { url, asked } = await start()
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`)
    const initialized = Promise.withResolvers<void>()
    socket.onmessage = ({ data }) => JSON.parse(String(data)).t === 'INIT_STATE' && initialized.resolve()
    socket.onopen = () => socket.send(JSON.stringify({ op: 2, d: { subscribe_to_all: true } }))
    await initialized.promise
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    expect(asked()).toEqual([])
    socket.close()
  })

  test('are there at once after a restart, and erased with whoever wants that', async () => {
    using folder = temporaryFolder()
    const databasePath = join(folder.path, 'exoix.db')
    const { ann, ben, get, shown, simulator, app, asked } = await start({ databasePath })
    for (const id of [ann, ben]) {
      await get(`/v1/users/${id}`)
      await shown(id)
    }
    simulator.sendMessage({ authorId: ben, content: '.privacy delete confirm' })
    await simulator.nextMessage()
    expect(app.presences.person(ben)?.user).not.toContain(BANNER)
    await app.stop()
    const again = startApp(testConfig(simulator, { databasePath }), { log: silent })
    expect(again.presences.person(ann)?.user).toContain(BANNER)
    await fetch(`${again.url}/v1/users/${ann}`)
    await again.gateway.whenLoaded
    expect(again.presences.person(ann)?.user).toContain(BANNER)
    expect(asked().filter(path => path.endsWith(ann))).toHaveLength(1)
    await again.stop()
  })

  test('are not asked for at all with PROFILES=off', async () => {
    const { ann, get, asked } = await start({ profiles: 'off' })
    await get(`/v1/users/${ann}`)
    await get(`/v1/users/${ann}/card.svg`)
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    expect(asked()).toEqual([])
  })

  test('leave reads alone while Discord fails', async () => {
    const { ann, get, asked, simulator } = await start()
    simulator.restFails({ kind: 'hang', times: 100, path: /^\/users\/\d+$/ })
    for (let times = 0; times < 20; times++) expect((await get(`/v1/users/${ann}`)).status).toBe(200)
    expect(asked().length).toBeLessThanOrEqual(1)
  })
})
