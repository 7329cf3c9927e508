import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { buildExecutable, type Running, start, temporaryFolder } from '../support/executable.ts'

const build = temporaryFolder()
let executable = ''
let simulator: Simulator

beforeAll(async () => {
  executable = await buildExecutable(build.path)
  simulator = await startSimulator({ identifyIntervalMs: 0 })
  simulator.world.addGuild({ id: '100', members: [{ user: { id: '94490510688792576', username: 'ada' } }] })
}, 60_000)

afterAll(async () => {
  await simulator.stop()
  build[Symbol.dispose]()
})

/** The settings of a server on the simulated Discord. */
function settings(overrides: Record<string, string> = {}): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    BOT_TOKEN: simulator.token,
    DISCORD_API_URL: simulator.apiUrl,
    DISCORD_CDN_URL: simulator.cdnUrl,
    DISCORD_MEDIA_URL: simulator.mediaUrl,
    SPOTIFY_CDN_URL: simulator.spotifyUrl,
    ...overrides,
  }
}

const exoix = (cwd: string, args: readonly string[], env?: Record<string, string>) =>
  start([executable, ...args], { cwd, ...(env && { env }) })

/** Where a server that was just started listens. */
async function address(server: Running): Promise<string> {
  return (await server.says(/listening url=(\S+)/))[1] ?? ''
}

describe('the executable', () => {
  test('starts in an empty folder, serves presences and leaves on SIGTERM with code 0', async () => {
    using folder = temporaryFolder()
    await using server = exoix(folder.path, [], settings())
    const url = await address(server)
    await server.says(/all members are known/)
    const presence = await (await fetch(`${url}/v1/users/94490510688792576`)).json()
    expect(presence).toMatchObject({ success: true, data: { discord_user: { username: 'ada' } } })

    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`)
    const hello = await new Promise<MessageEvent>(resolve =>
      socket.addEventListener('message', resolve, { once: true }),
    )
    expect(JSON.parse(hello.data).op).toBe(1)
    const closed = new Promise<CloseEvent>(resolve => socket.addEventListener('close', resolve))
    server.kill('SIGTERM')
    expect((await closed).code).toBe(1001)
    expect(await server.exited).toBe(0)
    expect(readdirSync(folder.path)).toContain('exoix.db')
    expect(server.output()).not.toContain(simulator.token)
  })

  test('shows made-up people in the demo, keeps nothing and ends on Ctrl-C', async () => {
    using folder = temporaryFolder()
    await using demo = exoix(folder.path, ['demo'], { PORT: '0' })
    const [, url = '', id = ''] = await demo.says(/curl (http\S+)\/v1\/users\/(\d+)/)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`)
    const changed = new Promise<unknown>(resolve => {
      socket.onopen = () => socket.send(JSON.stringify({ op: 2, d: { subscribe_to_id: id } }))
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data)
        if (frame.t === 'PRESENCE_UPDATE') resolve(frame.d.discord_user.id)
      }
    })
    expect(await changed).toBe(id)
    const card = await fetch(`${url}/v1/users/${id}/card.svg`)
    expect(await card.text()).toContain('href="data:image/')
    // A terminal's Ctrl-C reaches a script's program twice: from the terminal, and handed on by the script runner.
    demo.kill('SIGINT')
    demo.kill('SIGINT')
    expect(await demo.exited).toBe(0)
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('without a token says in one sentence what to do, mentions the demo and exits 1', async () => {
    using folder = temporaryFolder()
    await using server = exoix(folder.path, [])
    expect(await server.exited).toBe(1)
    expect(server.output()).toMatch(/BOT_TOKEN.*demo/)
    expect(server.output().trim().split('\n')).toHaveLength(1)
  })

  test('with a token Discord refuses says so without repeating it and exits 1', async () => {
    using folder = temporaryFolder()
    await using server = exoix(folder.path, [], settings({ BOT_TOKEN: 'not-the-token', LOG_LEVEL: 'silent' }))
    expect(await server.exited).toBe(1)
    expect(server.output()).toContain('BOT_TOKEN')
    expect(server.output()).not.toContain('not-the-token')
    expect(server.output().trim().split('\n')).toHaveLength(1)
  })

  test('with wrong settings lists every mistake and exits 1', async () => {
    using folder = temporaryFolder()
    await using server = exoix(folder.path, [], settings({ PORT: 'abc', LOG_LEVEL: 'loud' }))
    expect(await server.exited).toBe(1)
    expect(server.output()).toContain('PORT must be')
    expect(server.output()).toContain('LOG_LEVEL must be')
  })

  test('refuses to be a second copy on the same port, and the first goes on', async () => {
    using folder = temporaryFolder()
    await using first = exoix(folder.path, [], settings())
    const url = await address(first)
    const second = settings({ PORT: new URL(url).port, DATABASE_PATH: 'second.db' })
    await using other = exoix(folder.path, [], second)
    expect(await other.exited).toBe(1)
    expect(other.output()).toContain(`Port ${second.PORT} is already in use`)
    expect((await fetch(url)).status).toBe(200)
  })

  test('runs no file it finds in its folder', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, 'bunfig.toml'), 'preload = ["./evil.ts"]\n')
    writeFileSync(join(folder.path, 'evil.ts'), 'require("node:fs").writeFileSync("ran", "")\n')
    writeFileSync(join(folder.path, '.env.local'), 'BOT_TOKEN=from-a-file\n')
    await using version = exoix(folder.path, ['--version'])
    expect(await version.exited).toBe(0)
    expect(version.output().trim()).toBe(packageJson.version)
    await using server = exoix(folder.path, [])
    expect(await server.exited).toBe(1)
    expect(server.output()).toContain('BOT_TOKEN is not set')
    expect(existsSync(join(folder.path, 'ran'))).toBe(false)
  })

  test('takes settings from a file .env in its folder as they stand there, and the environment before it', async () => {
    using folder = temporaryFolder()
    writeFileSync(join(folder.path, '.env'), 'DATABASE_PATH="./$HOME.db"\nPORT=11\n')
    await using backup = exoix(folder.path, ['backup', 'copy.db'])
    expect([await backup.exited, backup.output()]).toEqual([1, expect.stringContaining('/$HOME.db')])
    await using health = exoix(folder.path, ['health'], { PORT: '12' })
    expect([await health.exited, health.output()]).toEqual([1, expect.stringContaining('127.0.0.1:12/')])
  })

  test('asks a running server for its health, and tells when there is none', async () => {
    using folder = temporaryFolder()
    await using server = exoix(folder.path, [], settings())
    const port = new URL(await address(server)).port
    await server.says(/all members are known/)
    await using healthy = exoix(folder.path, ['health'], { PORT: port })
    expect([await healthy.exited, healthy.output().trim()]).toEqual([0, 'ready'])
    server.kill('SIGTERM')
    await server.exited
    await using alone = exoix(folder.path, ['health'], { PORT: port })
    expect(await alone.exited).toBe(1)
    expect(alone.output()).toContain('no answer')
  })

  test('checks everything a start needs and says what to mend', async () => {
    using folder = temporaryFolder()
    await using good = exoix(folder.path, ['check'], settings())
    expect([await good.exited, good.output()]).toEqual([0, expect.not.stringContaining('WRONG')])
    await using bad = exoix(
      folder.path,
      ['check'],
      settings({ BOT_TOKEN: 'nope', DATABASE_PATH: '/no/such/folder/a.db' }),
    )
    expect(await bad.exited).toBe(1)
    expect(bad.output()).toMatch(/WRONG database.*\n.*ok {4}port.*\nWRONG token/)
  })

  test('does not know every word, and says so', async () => {
    using folder = temporaryFolder()
    await using unknown = exoix(folder.path, ['dance'])
    expect(await unknown.exited).toBe(1)
    expect(unknown.output()).toContain('--help')
    await using help = exoix(folder.path, ['--help'])
    expect([await help.exited, help.output()]).toEqual([0, expect.stringContaining('import lanyard')])
  })
})
