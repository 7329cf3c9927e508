import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { start, temporaryFolder } from '../support/executable.ts'
import { NOBODY, startReadyWorld, type World } from './support.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')

let folder: ReturnType<typeof temporaryFolder>
let file: string
let world: World
beforeAll(async () => {
  folder = temporaryFolder()
  file = join(folder.path, 'exoix.db')
  world = await startReadyWorld({ config: { databasePath: file } })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** Exit code and what is said. */
async function exoix(...args: readonly string[]): Promise<[code: number, output: string]> {
  await using running = start([process.execPath, MAIN, ...args], { cwd: folder.path, env: { DATABASE_PATH: file } })
  return [await running.exited, running.output().trimEnd()]
}

const status = async (id: string) => (await world.get(`/v1/users/${id}`)).status

/** Runs it on the file alone, and starts the server again. */
async function withoutServer(run: () => Promise<void>): Promise<void> {
  await world.app.stop()
  await run()
  await world[Symbol.asyncDispose]()
  world = await startReadyWorld({ config: { databasePath: file } })
}

describe('the operator’s commands', () => {
  test('reach a running server by a socket that is its owner’s alone', () => {
    expect(statSync(`${file}.sock`).mode & 0o777).toBe(0o600)
  })

  test('hide somebody everywhere at once, whatever they wish, until they are shown again', async () => {
    const { ada } = world.people
    const client = await world.socket()
    await client.follow({ subscribe_to_ids: [ada] })
    expect(await exoix('hide', ada)).toEqual([0, `${ada} is hidden until "exoix show ${ada}".`])
    const unknown = await (await world.get(`/v1/users/${NOBODY}`)).text()
    expect(await (await world.get(`/v1/users/${ada}`)).text()).toBe(unknown)
    expect(await world.ask(ada, '.privacy show')).toMatchObject({
      body: { content: expect.stringContaining('You stay hidden') },
    })
    expect(await status(ada)).toBe(404)
    expect((await exoix('people', ada))[1]).toEndWith('\texcluded')
    expect(await exoix('show', ada)).toEqual([0, `${ada} is not hidden.`])
    expect(await status(ada)).toBe(200)
    client.close()
  })

  test('do not show anybody against their own wish', async () => {
    const { bob } = world.people
    await world.ask(bob, '.privacy hide')
    await exoix('hide', bob)
    const [code, told] = await exoix('show', bob)
    expect([code, told]).toEqual([1, expect.stringContaining('their own wish')])
    expect(await status(bob)).toBe(404)
    await world.ask(bob, '.privacy show')
    expect(await status(bob)).toBe(200)
  })

  test('make keys worthless', async () => {
    const { cyd } = world.people
    const authorization = await world.key(cyd)
    const write = () =>
      world
        .get('/v1/users/@me/kv/a', { method: 'PUT', body: '1', headers: { authorization } })
        .then(told => told.status)
    expect(await write()).toBe(204)
    expect(await exoix('revoke', cyd)).toEqual([0, `${cyd} has no key any more.`])
    expect(await write()).toBe(401)
  })

  test('erase only who is sure, and then everything', async () => {
    const { dov } = world.people
    await world.ask(dov, '.set colour a-very-private-word')
    const [code, told] = await exoix('erase', dov)
    expect([code, told]).toEqual([
      1,
      expect.stringMatching(/Erase everything that is kept of DOV \/ dov.*Nothing was erased/s),
    ])
    expect(await world.json(`/v1/users/${dov}/kv`)).toMatchObject({ data: { colour: 'a-very-private-word' } })
    expect(await exoix('erase', dov, '--yes')).toEqual([0, `Everything that was kept of ${dov} is erased.`])
    expect(await world.json(`/v1/users/${dov}/kv`)).toMatchObject({ data: {} })
    expect(await status(dov)).toBe(200)
  })

  test('list people with what is kept of them, or those who are looked for', async () => {
    const { ada, eve } = world.people
    await world.ask(eve, '.set a word-of-eve')
    await world.settled()
    const [code, all] = await exoix('people')
    const [head, ...lines] = all.split('\n')
    expect([code, head]).toEqual([0, 'id\tname\tguilds\tpairs\tbytes\tlast seen\tnotes'])
    expect(lines).toContain(`${eve}\tEVE / eve\t1\t1\t12\tnow`)
    const ids = lines.map(line => line.split('\t')[0])
    expect(ids).toEqual(expect.arrayContaining(Object.values(world.people)))
    for (const text of ['AdA', ada]) {
      expect((await exoix('people', text))[1].split('\n').slice(1)).toEqual([expect.stringContaining('ADA / ada')])
    }
    expect((await exoix('people', 'nobody like that'))[1].split('\n')).toHaveLength(1)
  })

  test('say how much there is', async () => {
    const [code, told] = await exoix('stats')
    expect(code).toBe(0)
    expect(told).toMatch(/^people +[56]$/m)
    expect(told).toMatch(/^pairs +\d+ of \d+ people, 0\.0 MiB$/m)
    expect(told).toMatch(/^database +\d+\.\d MiB$/m)
  })

  test('do the same when no server runs, and the next one knows', async () => {
    const { ada, cyd, eve } = world.people
    const authorization = await world.key(cyd)
    await withoutServer(async () => {
      expect(existsSync(`${file}.sock`)).toBe(false)
      expect(await exoix('hide', ada)).toEqual([0, `${ada} is hidden until "exoix show ${ada}".`])
      expect(await exoix('revoke', cyd)).toEqual([0, `${cyd} has no key any more.`])
      expect(await exoix('erase', eve, '--yes')).toEqual([0, `Everything that was kept of ${eve} is erased.`])
      expect((await exoix('people', 'ada'))[1]).toEndWith('\texcluded')
      for (const name of readdirSync(folder.path).filter(one => one.startsWith('exoix.db'))) {
        expect(readFileSync(join(folder.path, name)).includes('word-of-eve')).toBe(false)
      }
    })
    expect(await status(ada)).toBe(404)
    const write = await world.get('/v1/users/@me/kv/a', { method: 'PUT', body: '1', headers: { authorization } })
    expect(write.status).toBe(401)
    await exoix('show', ada)
    expect(await status(ada)).toBe(200)
  })

  test.each([
    [['hide']],
    [['hide', 'ada']],
    [['hide', '1', '2']],
    [['erase', '1', '2']],
    [['hide', '1', '--yes']],
    [['people', 'a', 'b']],
    [['stats', 'all']],
    [['revoke', '']],
  ])('used wrongly (%j) say so in one sentence', async args => {
    const [code, told] = await exoix(...args)
    expect(code).toBe(1)
    expect(told).toMatch(/^exoix: [^\n]+$/)
  })
})

describe('without a database of its own', () => {
  let place: ReturnType<typeof temporaryFolder>
  beforeEach(() => {
    place = temporaryFolder()
  })
  afterEach(() => place[Symbol.dispose]())

  const on = async (databasePath: string, ...args: readonly string[]) => {
    const env = { DATABASE_PATH: databasePath }
    await using running = start([process.execPath, MAIN, ...args], { cwd: place.path, env })
    return [await running.exited, running.output().trimEnd()]
  }

  test('the commands say that there is none, and make none', async () => {
    for (const args of [['people'], ['stats'], ['hide', '1'], ['erase', '1', '--yes']]) {
      expect(await on('no.db', ...args)).toEqual([1, `exoix: There is no file ${place.path}/no.db.`])
    }
    expect(await on(':memory:', 'hide', '1')).toEqual([1, expect.stringContaining('gone with its process')])
    expect(readdirSync(place.path).filter(name => name.includes('db'))).toEqual([])
  })

  test('a server in a folder with a long name is reached all the same, past what a killed one has left', async () => {
    const deep = join(place.path, 'a'.repeat(100))
    mkdirSync(deep)
    const databasePath = join(deep, 'exoix.db')
    writeFileSync(`${databasePath}.sock`, '')
    await using other = await startReadyWorld({ config: { databasePath } })
    const { ada } = other.people
    expect(await on(databasePath, 'hide', ada)).toEqual([0, expect.stringContaining('is hidden')])
    expect((await other.get(`/v1/users/${ada}`)).status).toBe(404)
  })
})
