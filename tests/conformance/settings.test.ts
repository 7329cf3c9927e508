import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Running, start, temporaryFolder } from '../support/executable.ts'
import { startReadyWorld, startWorld } from './support.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')

const exoix = (cwd: string, args: readonly string[], env: Record<string, string> = {}) =>
  start([process.execPath, MAIN, ...args], { cwd, env })

async function outcome(running: Running): Promise<[number, string]> {
  return [await running.exited, running.output()]
}

describe('the command line', () => {
  test('lists every mistake in the settings at once, repeats no value, and exits 1', async () => {
    using folder = temporaryFolder()
    const wrong = {
      BOT_TOKEN: 'two words-in-a-token',
      PORT: 'four-thousand',
      EXTERNAL_URL: 'no-address',
      DISCORD_API_URL: 'ftp://nowhere',
      RATE_LIMIT_PER_MINUTE: '-7777',
      TRUSTED_PROXIES: 'a-proxy',
      BOT_PRESENCE_TYPE: 'watching-tv',
      LOG_FORMAT: 'rhymes',
    }
    await using running = exoix(folder.path, [], wrong)
    const [code, output] = await outcome(running)
    expect(code).toBe(1)
    for (const [name, value] of Object.entries(wrong)) {
      expect(output.match(new RegExp(`\\b${name} must `, 'g'))).toHaveLength(1)
      expect(output).not.toContain(value)
    }
    expect(output).not.toMatch(/\bat .*\.ts:\d+/)
  })

  test('knows its commands by name', async () => {
    using folder = temporaryFolder()
    await using help = exoix(folder.path, ['--help'])
    await using version = exoix(folder.path, ['--version'])
    await using unknown = exoix(folder.path, ['nonsense'])
    await using alone = exoix(folder.path, ['health'], { PORT: '9' })
    const [code, text] = await outcome(help)
    expect(code).toBe(0)
    for (const name of ['demo', 'health', 'check', 'import lanyard', 'backup', 'restore', '--help', '--version'])
      expect(text).toContain(name)
    expect(await outcome(version)).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
    expect(await outcome(unknown)).toEqual([1, expect.stringContaining('--help')])
    expect(await outcome(alone)).toEqual([1, expect.stringContaining('no answer')])
  })

  test('without a token says what to do in one sentence, the demo included, and exits 1', async () => {
    using folder = temporaryFolder()
    await using running = exoix(folder.path, [])
    const [code, output] = await outcome(running)
    expect([code, output.trim().split('\n').length]).toEqual([1, 1])
    expect(output).toMatch(/BOT_TOKEN.*exoix demo/)
  })

  test('without a token and with mistakes besides tells of all of them', async () => {
    using folder = temporaryFolder()
    await using running = exoix(folder.path, [], { PORT: 'four-thousand', LOG_LEVEL: 'loud' })
    const [code, output] = await outcome(running)
    expect(code).toBe(1)
    for (const name of ['BOT_TOKEN', 'PORT', 'LOG_LEVEL']) expect(output).toMatch(new RegExp(`^ +- ${name} `, 'm'))
  })
})

describe('the settings of Lanyard', () => {
  test('BOT_PRESENCE and BOT_PRESENCE_TYPE are what the bot shows', async () => {
    await using world = await startReadyWorld({ config: { botPresence: 'the sea', botPresenceType: 2 } })
    const { payload } = await world.simulator.next('identify')
    const { activities } = (payload.presence ?? payload) as { activities: { name: string; type: number }[] }
    expect(activities[0]).toMatchObject({ name: 'the sea', type: 2 })
  })

  test('EXTERNAL_URL is where the bot sends people', async () => {
    await using world = await startReadyWorld({ config: { externalUrl: 'https://exoix.example' } })
    const { content } = await world.ask(world.people.ada, '.set a b')
    expect(content).toContain(`https://exoix.example/v1/users/${world.people.ada}`)
  })

  test('without DISCORD_INVITE there is no way to a server: 404, and null on the front page', async () => {
    await using world = await startWorld()
    const answer = await world.get('/discord')
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
      404,
      'not_found',
    ])
    expect((await world.json('/')).data.discord_invite).toBeNull()
  })
})

describe('SUBSCRIBE_TO_ALL=off', () => {
  test('closes whoever wants to follow everybody with 4006; people may be followed by name', async () => {
    await using world = await startReadyWorld({ config: { subscribeToAll: 'off' } })
    const [socket, other] = [await world.socket(), await world.socket('?compression=zlib_json')]
    const { ada } = world.people
    expect(Object.keys((await other.follow({ subscribe_to_ids: [ada] })).d)).toEqual([ada])
    socket.send({ op: 2, d: { subscribe_to_all: true } })
    expect(await socket.closed).toEqual({ code: 4006, reason: 'invalid_payload' })
  })
})
