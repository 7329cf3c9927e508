import { afterEach, beforeEach, expect, test } from 'bun:test'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/lib/log.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'

let sim: Simulator
let app: App
let alice: string
let guildId: string

beforeEach(async () => {
  sim = await startSimulator({ identifyIntervalMs: 0 })
  const guild = sim.world.addGuild({ members: 3 })
  guildId = guild.id
  alice = [...guild.members.keys()][1] as string
  const log = createLog({ level: 'silent', format: 'text' })
  const env = {
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_PATH: ':memory:',
    BOT_TOKEN: sim.token,
    DISCORD_API_URL: sim.apiUrl,
  }
  app = startApp(readConfig(env), { log })
  await Promise.all([sim.next('commands'), app.gateway.whenLoaded])
})

afterEach(async () => {
  await app.stop()
  await sim.stop()
})

const api = (path: string, init?: RequestInit) => fetch(`${app.url}/v1${path}`, init)

test('what is set by message and by slash command is there over REST as soon as the bot has answered', async () => {
  sim.sendMessage({ authorId: alice, guildId, content: '.set song  Paper Lanterns\n' })
  await sim.nextMessage()
  expect(await (await api(`/users/${alice}/kv/song`)).text()).toBe(' Paper Lanterns\n')
  const options = { key: 'mood', value: 'fine' }
  await sim.interact({ kind: 'command', userId: alice, guildId, command: 'kv set', options })
  const { data } = (await (await api(`/users/${alice}`)).json()) as { data: { kv: unknown } }
  expect(data.kv).toEqual({ song: ' Paper Lanterns\n', mood: 'fine' })
})

test('a key works, and the one before it does not, as soon as its owner can see it', async () => {
  const put = (key: string, value: string) =>
    api('/users/@me/kv/a', { method: 'PUT', headers: { Authorization: key }, body: value })
  let last: string | undefined
  for (let round = 0; round < 20; round++) {
    if (round % 2 === 0) sim.sendMessage({ authorId: alice, content: '.apikey' })
    else sim.sendMessage({ authorId: alice, guildId, content: '.token' })
    const { message } = await sim.nextMessage(({ userId }) => userId === alice)
    const key = /exoix_[\w-]{43}/.exec(JSON.stringify(message.embeds))?.[0] as string
    if (last !== undefined) expect((await put(last, 'old')).status).toBe(401)
    expect((await put(key, String(round))).status).toBe(204)
    last = key
    await sim.next('rest', ({ path }) => path.endsWith('/messages'))
  }
  expect(app.presences.kv(alice).get('a')).toBe('19')
})

test('a person who hides is gone from REST when the bot has answered, and back after show', async () => {
  const status = async (content: string) => {
    sim.sendMessage({ authorId: alice, guildId, content })
    await sim.nextMessage()
    return (await api(`/users/${alice}`)).status
  }
  expect(await status('.privacy hide')).toBe(404)
  expect(await status('.privacy show')).toBe(200)
})

test('a key that leaks is refused when its owner hears of it', async () => {
  sim.sendMessage({ authorId: alice, content: '.apikey' })
  const keyIn = async () => {
    const { message } = await sim.nextMessage(({ userId }) => userId === alice)
    return /exoix_[\w-]{43}/.exec(JSON.stringify(message.embeds))?.[0] as string
  }
  const leaked = await keyIn()
  sim.sendMessage({ authorId: alice, guildId, content: `oops ${leaked}` })
  const next = await keyIn()
  const me = async (key: string) => (await api('/users/@me', { headers: { Authorization: key } })).status
  expect([await me(leaked), await me(next)]).toEqual([401, 200])
})

test('a stop does not wait for answers that wait for Discord', async () => {
  sim.restFails({ kind: 'rate limited', retryAfter: 200, times: 100, path: /\/messages$/ })
  for (let times = 0; times < 3; times++) sim.sendMessage({ authorId: alice, guildId, content: '.help' })
  sim.sendMessage({ authorId: alice, content: '.help' })
  await sim.next('rest', ({ status }) => status === 429)
  await app.stop()
})
