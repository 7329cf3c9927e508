import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type GithubSimulator, startGithubSimulator } from '../../src/simulator/github/github.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../support/app.ts'
import { start, temporaryFolder } from '../support/executable.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
/** What the application's flags say of the switches. Source: Discord docs, Application, "Application Flags". */
const FLAG = { presences: 1 << 12, members: 1 << 14, messageContent: 1 << 18 }

let folder: ReturnType<typeof temporaryFolder>
let github: GithubSimulator

beforeAll(() => {
  folder = temporaryFolder()
  github = startGithubSimulator()
})
afterAll(async () => {
  await github.stop()
  folder[Symbol.dispose]()
})

/** A Discord with one server, unless `servers` says otherwise. */
async function discord({ servers = 1, ...options }: SimulatorOptions & { servers?: number } = {}) {
  const simulator = await startSimulator({ identifyIntervalMs: 0, ...options })
  for (let count = 0; count < servers; count++) simulator.world.addGuild({ members: [] })
  return Object.assign(simulator, { [Symbol.asyncDispose]: () => simulator.stop() })
}

function settings({ token, apiUrl, cdnUrl }: Simulator, overrides: Record<string, string> = {}) {
  const own = { HOST: '127.0.0.1', PORT: '0', DATABASE_PATH: ':memory:' }
  return { ...own, BOT_TOKEN: token, DISCORD_API_URL: apiUrl, DISCORD_CDN_URL: cdnUrl, ...overrides }
}

const exoix = (args: readonly string[], env: Record<string, string>) =>
  start([process.execPath, MAIN, ...args], { cwd: folder.path, env })

/** Exit code and the lines of `exoix check`. */
async function check(env: Record<string, string>): Promise<[code: number, output: string]> {
  await using checking = exoix(['check'], env)
  return [await checking.exited, checking.output()]
}

describe('exoix check', () => {
  test('finds nothing to mend where nothing is, and leaves nothing behind', async () => {
    await using simulator = await discord()
    const [code, output] = await check(settings(simulator, { DATABASE_PATH: 'new.db' }))
    expect(code).toBe(0)
    expect(output).not.toMatch(/^(WRONG|note)/m)
    expect(output).toMatch(/^ok {4}database: .*new\.db will be made at the first start$/m)
    expect(output).toMatch(/^ok {4}token: it is that of \S+ \(application \d+\)$/m)
    for (const name of ['Presence Intent', 'Server Members Intent', 'Message Content Intent'])
      expect(output).toContain(`ok    ${name}: on\n`)
    expect(output.trimEnd()).toEndWith('Nothing has to be mended.')
    expect(output).not.toContain(simulator.token)
    expect(readdirSync(folder.path)).not.toContain('new.db')
  })

  test.each([
    ['Presence Intent', FLAG.members | FLAG.messageContent, 'WRONG', 1],
    ['Server Members Intent', FLAG.presences | FLAG.messageContent, 'WRONG', 1],
    ['Message Content Intent', FLAG.presences | FLAG.members, 'note ', 0],
  ])('names the switch "%s" when it alone is off', async (name, applicationFlags, level, exit) => {
    await using simulator = await discord({ applicationFlags })
    const [code, output] = await check(settings(simulator))
    expect(code).toBe(exit)
    expect(output).toContain(`${level} ${name}: `)
    expect(output.match(/ Intent: on$/gm)).toHaveLength(2)
  })

  test('tells a token that is refused from one that is not there, and shows neither', async () => {
    await using simulator = await discord()
    const [refused, told] = await check(settings(simulator, { BOT_TOKEN: 'not-the-token' }))
    expect([refused, told]).toEqual([
      1,
      expect.stringMatching(/^WRONG token: Discord refused BOT_TOKEN: .*Reset Token/m),
    ])
    expect(told).not.toContain('not-the-token')
    const { BOT_TOKEN: _, ...without } = settings(simulator)
    expect(await check(without)).toEqual([1, expect.stringMatching(/^WRONG token: BOT_TOKEN is not set.*exoix demo/m)])
  })

  test('says so when Discord is not there', async () => {
    await using simulator = await discord()
    const [code, output] = await check(settings(simulator, { DISCORD_API_URL: 'http://127.0.0.1:9/api' }))
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('WRONG Discord: http://127.0.0.1:9/api does not answer'),
    ])
  })

  test.each([
    ['without /api', ({ url }: Simulator) => url],
    ['with a version', ({ apiUrl }: Simulator) => `${apiUrl}/v10`],
  ])('says what the address of the API should look like when it is %s', async (_, address) => {
    await using simulator = await discord()
    const [code, output] = await check(settings(simulator, { DISCORD_API_URL: address(simulator) }))
    expect(code).toBe(1)
    expect(output).toMatch(/^WRONG Discord: .*DISCORD_API_URL should look like https:\/\/discord\.com\/api/m)
    expect(output).not.toContain('undefined')
  })

  test('dials the gateway until it says hello', async () => {
    await using simulator = await discord()
    const { host } = new URL(simulator.url)
    expect((await check(settings(simulator)))[1]).toContain(`ok    gateway: ${host} says hello\n`)
    expect(simulator.recorder.all('identify')).toEqual([])
    simulator.faults.refuseConnections(true)
    const [code, output] = await check(settings(simulator))
    expect([code, output]).toEqual([1, expect.stringContaining(`WRONG gateway: Discord's gateway at ${host}`)])
  })

  test('has an invite at hand for a bot that is in no server, which is no mistake', async () => {
    await using simulator = await discord({ servers: 0 })
    const [code, output] = await check(settings(simulator))
    const [, id = ''] = /\(application (\d+)\)/.exec(output) ?? []
    expect(code).toBe(0)
    expect(output).toContain(`https://discord.com/oauth2/authorize?client_id=${id}&scope=bot+applications.commands`)
    expect(output).toMatch(/^note {2}servers: /m)
  })

  test('is content beside a running server: its port and its database are in use by an Exoix', async () => {
    await using simulator = await discord()
    const env = settings(simulator, { DATABASE_PATH: 'running.db' })
    await using server = exoix([], env)
    const [, port = ''] = await server.says(/listening url=http:\/\/127\.0\.0\.1:(\d+)/)
    await server.says(/all members are known/)
    const [code, output] = await check({ ...env, PORT: port })
    expect(code).toBe(0)
    expect(output).toMatch(/^ok {4}database: .*running\.db can be written to.* in use by an Exoix that is running$/m)
    expect(output).toMatch(/^note {2}port: an Exoix answers on .* already \(ready\)/m)
    server.kill('SIGTERM')
    await server.exited
    expect((await check({ ...env, PORT: port }))[1]).toMatch(/^ok {4}database: .* is not in use$/m)
  })

  test('looks through the database, says how large what is, and that a damaged one has to be replaced', async () => {
    await using simulator = await discord()
    const path = join(folder.path, 'looked-through.db')
    const env = settings(simulator, { DATABASE_PATH: path })
    const store = openStore(path, { log: silent })
    for (let at = 0; at < 40; at++) {
      await store.changePairs(String(at + 1), { kind: 'put', pairs: new Map([['a', 'x'.repeat(25_000)]]) })
    }
    await store.close()
    const [code, output] = await check(env)
    expect(code).toBe(0)
    expect(output).toMatch(/^ok {4}contents: whole; people: 0, pairs: 40 \(1\.0 MiB\); the file takes 1\.\d MiB$/m)

    const bytes = readFileSync(path)
    bytes.fill(0xff, bytes.length - 8192, bytes.length - 4096)
    writeFileSync(path, bytes)
    const [failed, told] = await check(env)
    expect([failed, told]).toEqual([1, expect.stringMatching(/^WRONG contents: .*looked-through\.db is damaged/m)])
  })

  test('says that a port is taken by another program', async () => {
    await using simulator = await discord()
    const taken = { PORT: new URL(simulator.apiUrl).port }
    const [code, output] = await check(settings(simulator, taken))
    expect([code, output]).toEqual([1, expect.stringContaining(`WRONG port: Port ${taken.PORT} is already in use`)])
  })

  test.each([
    ['a folder that is not there', 'nowhere/a.db', 'its folder is missing'],
    ['a file of another kind', 'letter.txt', 'is not a database'],
  ])('refuses %s for a database', async (_, path, reason) => {
    await using simulator = await discord()
    writeFileSync(join(folder.path, 'letter.txt'), 'Dear Ada, this is longer than the head of a database. '.repeat(20))
    const [code, output] = await check(settings(simulator, { DATABASE_PATH: path }))
    expect([code, output]).toEqual([1, expect.stringMatching(new RegExp(`^WRONG database: .*${reason}`, 'm'))])
  })

  test.skipIf(process.getuid?.() === 0)('refuses a database it may not write to', async () => {
    await using simulator = await discord()
    writeFileSync(join(folder.path, 'locked.db'), '')
    chmodSync(join(folder.path, 'locked.db'), 0o400)
    const [code, output] = await check(settings(simulator, { DATABASE_PATH: 'locked.db' }))
    expect([code, output]).toEqual([1, expect.stringContaining('may not be written to')])
  })

  test('asks GitHub about what is set for it, and about nothing else', async () => {
    await using simulator = await discord()
    const place = { GITHUB_API_URL: github.apiUrl, GITHUB_URL: github.url }
    const asked = github.recorder.all('request').length
    expect((await check(settings(simulator, place)))[0]).toBe(0)
    expect(github.recorder.all('request')).toHaveLength(asked)

    const good = { ...place, GITHUB_TOKEN: github.token, GITHUB_CLIENT_ID: github.clientId }
    const [code, output] = await check(settings(simulator, good))
    expect(code).toBe(0)
    expect(output).toContain('ok    GITHUB_TOKEN: accepted, good for 5000 requests an hour')
    expect(output).toContain('ok    GITHUB_CLIENT_ID: accepted')

    const bad = { ...place, GITHUB_TOKEN: 'ghp_wrong', GITHUB_CLIENT_ID: 'Iv1.wrong' }
    const [failed, told] = await check(settings(simulator, bad))
    expect([failed, told]).toEqual([1, expect.stringMatching(/^WRONG GITHUB_TOKEN: .*\nWRONG GITHUB_CLIENT_ID: /m)])
    expect(told).not.toContain('ghp_wrong')
  })

  test('sees that the device flow is switched off', async () => {
    await using simulator = await discord()
    github.device.enabled = false
    const place = { GITHUB_API_URL: github.apiUrl, GITHUB_URL: github.url, GITHUB_CLIENT_ID: github.clientId }
    const [code, output] = await check(settings(simulator, place))
    github.device.enabled = true
    expect([code, output]).toEqual([1, expect.stringMatching(/^WRONG GITHUB_CLIENT_ID: .*device flow/m)])
  })

  test('does not hold a GitHub that is away against the settings', async () => {
    await using simulator = await discord()
    const away = { GITHUB_API_URL: 'http://127.0.0.1:9', GITHUB_TOKEN: 'ghp_something' }
    const [code, output] = await check(settings(simulator, away))
    expect([code, output]).toEqual([0, expect.stringContaining('note  GITHUB_TOKEN: GitHub did not answer')])
  })
})

describe('a start that cannot succeed says what check says', () => {
  /** Exit code and output of a start, without the log. */
  async function attempt(env: Record<string, string>): Promise<[number, string]> {
    await using starting = exoix([], { ...env, LOG_LEVEL: 'silent' })
    return [
      await starting.exited,
      starting
        .output()
        .replace(/^exoix: /, '')
        .trim(),
    ]
  }

  test.each([
    ['a refused token', {}, { BOT_TOKEN: 'not-the-token' }],
    ['switches that are off', { applicationFlags: FLAG.presences }, {}],
    ['no folder for the database', {}, { DATABASE_PATH: '/no/such/folder/a.db' }],
  ] as const)('%s', async (_, options, overrides) => {
    await using simulator = await discord(options)
    const env = settings(simulator, overrides)
    const [code, message] = await attempt(env)
    const [, output] = await check(env)
    expect(code).toBe(1)
    const [, found = ''] = /^WRONG [^:]+: (.*)$/m.exec(output) ?? []
    expect(message).toBe(found)
    expect(message).toContain(Object.keys(overrides)[0] ?? 'Server Members Intent')
  })

  test('a port that another Exoix has', async () => {
    await using simulator = await discord()
    await using first = exoix([], settings(simulator))
    const [, port = ''] = await first.says(/listening url=http:\/\/127\.0\.0\.1:(\d+)/)
    const [code, message] = await attempt(settings(simulator, { PORT: port }))
    expect([code, message]).toEqual([
      1,
      expect.stringContaining(`Port ${port} is already in use on 127.0.0.1, by another Exoix`),
    ])
  })

  test('a bot in no server is told of in the log, with the invite', async () => {
    await using simulator = await discord({ servers: 0 })
    await using server = exoix([], settings(simulator))
    await server.says(/WARN .*invite it with https:\/\/discord\.com\/oauth2\/authorize\?client_id=\d+/)
  })
})
