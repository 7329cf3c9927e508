import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLog } from '../../src/lib/log.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { temporaryFolder } from '../support/executable.ts'
import { keyIn, startReadyWorld, startWorld, type World } from './support.ts'

let world: World
let me: string
let other: string
const logged: string[] = []

beforeAll(async () => {
  const log = createLog({ level: 'debug', format: 'json', write: line => logged.push(line) })
  world = await startReadyWorld({ log })
})
afterAll(() => world[Symbol.asyncDispose]())

beforeEach(async () => {
  me = world.joinOnline()
  other = world.joinOnline()
  await world.settled()
})

/** Whom REST takes the holder of a key for. */
async function owner(key: string): Promise<string | number> {
  const response = await world.get('/v1/users/@me', { headers: { authorization: key } })
  if (response.status !== 200) return response.status
  return ((await response.json()) as { data: { discord_user: { id: string } } }).data.discord_user.id
}

const toPerson = (userId: string) => world.simulator.nextMessage(message => message.userId === userId)
const inChannel = () => world.simulator.nextMessage(({ guildId }) => guildId !== null)
const keyOf = ({ message }: BotMessage) => keyIn(JSON.stringify(message.embeds))
const say = (authorId: string, content: string, extra: object = {}) =>
  world.simulator.sendMessage({ authorId, guildId: world.guildId, content, ...extra })

describe('.apikey', () => {
  test('in a direct message makes a key, shown in an embed behind a spoiler, that works at once', async () => {
    const answer = await world.ask(me, '.apikey')
    const [embed] = answer.message.embeds as { description: string }[]
    const key = keyOf(answer)
    expect(embed?.description).toMatch(/\|\|[^|]*exoix_[\w-]+[^|]*\|\|/)
    expect(answer.content).not.toContain(key)
    expect(key).toMatch(/^exoix_[\w-]{22,}$/)
    expect(await owner(key)).toBe(me)
  })

  test('revokes the key before, at once', async () => {
    const first = await world.key(me)
    const second = await world.key(me)
    expect(second).not.toBe(first)
    expect([await owner(first), await owner(second)]).toEqual([401, me])
  })

  test('in a server is refused, and the key stays valid', async () => {
    const key = await world.key(me)
    const { content, message } = await world.ask(me, '.apikey', world.guildId)
    expect(content).toBe('You can only perform this command in DMs with me')
    expect(message.embeds).toEqual([])
    expect(await owner(key)).toBe(me)
  })

  test('as a slash command shows the key to nobody else, in a server too', async () => {
    const outcome = await world.simulator.interact({
      kind: 'command',
      userId: me,
      guildId: world.guildId,
      command: 'apikey',
    })
    expect(outcome.data.flags).toBe(64)
    expect(await owner(keyIn(JSON.stringify(await outcome.reply())))).toBe(me)
  })
})

describe('.token', () => {
  test('in a server sends the key by direct message, and none in the channel', async () => {
    const old = await world.key(me)
    say(me, '.token')
    const direct = await toPerson(me)
    const said = await inChannel()
    expect(JSON.stringify(said.message)).not.toContain('exoix_')
    expect([await owner(old), await owner(keyOf(direct))]).toEqual([401, me])
  })

  test('in a direct message answers with the key', async () => {
    expect(await owner(keyOf(await world.ask(me, '.TOKEN')))).toBe(me)
  })

  test('with closed direct messages says so, and the old key stays valid', async () => {
    const old = await world.key(me)
    world.simulator.closeDms(me)
    const { content } = await world.ask(me, '.token', world.guildId)
    expect(content).toMatch(/direct message/i)
    expect(content).not.toContain('exoix_')
    expect(await owner(old)).toBe(me)
  })
})

describe('a key that shows up', () => {
  test.each([
    ['alone', (key: string) => key],
    ['in a sentence', (key: string) => `my key is ${key}, keep it`],
    ['in code', (key: string) => `\`\`\`js\nfetch(url, { headers: { Authorization: "${key}" } })\n\`\`\``],
    ['in a spoiler', (key: string) => `||${key}||`],
    ['in a link', (key: string) => `https://example.com/?key=${key}&x=1`],
    ['in bold italics', (key: string) => `***${key}***`],
    ['underlined', (key: string) => `__${key}__`],
    ['glued to other words', (key: string) => `key=${key}and more`],
    ['as a header', (key: string) => `Authorization: Bearer ${key}`],
    ['as the name of a pair', (key: string) => `.set ${key} value`],
    ['as a value', (key: string) => `.set name ${key}`],
    ['behind an unknown command', (key: string) => `.unknown ${key}`],
    ['among many pairs', (key: string) => `.mset\na b\nc ${key}`],
  ])('in a server is worthless at once, and its owner gets another: %s', async (_, write) => {
    const old = await world.key(me)
    say(me, write(old))
    const fresh = keyOf(await toPerson(me))
    expect([await owner(old), await owner(fresh)]).toEqual([401, me])
    expect((await world.json(`/v1/users/${me}`)).data.kv).toEqual({})
  })

  test.each([
    ['as a nickname', (key: string) => world.simulator.world.updateMember(world.guildId, me, { nick: key })],
    [
      'as a custom status',
      (key: string) => {
        const activities = [{ id: 'custom', type: 4, name: 'Custom Status', state: `key: ${key}`, created_at: 1 }]
        world.simulator.world.setPresence(other, { status: 'online', activities })
      },
    ],
    [
      'as the title of a thread',
      (key: string) => {
        const thread = { id: world.simulator.world.snowflake(), guild_id: world.guildId, type: 11, name: key }
        world.simulator.raw('THREAD_CREATE', { ...thread, newly_created: true })
      },
    ],
    ['with its underscore escaped', (key: string) => void say(me, key.replaceAll('_', '\\_'))],
    ['with zero-width spaces', (key: string) => void say(me, [...key].join('\u200b'))],
    ['without its prefix', (key: string) => void say(me, `${key.slice('exoix_'.length)}`)],
    ['in a direct message', (key: string) => void world.simulator.sendMessage({ authorId: me, content: `so: ${key}` })],
    ['in an edit', (key: string) => void world.simulator.editMessage(say(me, 'hello').id, { content: key })],
    ['in the message of somebody else', (key: string) => void say(other, `found ${key}`)],
    ['in an embed', (key: string) => void say(me, '', { embeds: [{ type: 'rich', description: key }] })],
    [
      'in a forwarded message',
      (key: string) => void say(me, '', { message_snapshots: [{ message: { content: key } }] }),
    ],
    ['in a reply', (key: string) => void say(me, key, { replyTo: say(other, 'what is it?').id })],
  ])('%s is too', async (_, show) => {
    const old = await world.key(me)
    show(old)
    const fresh = keyOf(await toPerson(me))
    expect([await owner(old), await owner(fresh)]).toEqual([401, me])
  })

  test('with closed direct messages is worthless all the same, and the channel is told without it', async () => {
    const old = await world.key(me)
    world.simulator.closeDms(me)
    const { content } = await world.ask(other, `look: ${old}`, world.guildId)
    expect(content).toMatch(/revoked/)
    expect(content).not.toContain('exoix_')
    expect(await owner(old)).toBe(401)
  })

  test('together with another person’s ends both, and each gets their own', async () => {
    const [mine, theirs] = [await world.key(me), await world.key(other)]
    say(me, `${mine}${theirs}`)
    const [toMe, toOther] = await Promise.all([toPerson(me), toPerson(other)])
    expect([await owner(mine), await owner(theirs)]).toEqual([401, 401])
    expect([await owner(keyOf(toMe)), await owner(keyOf(toOther))]).toEqual([me, other])
  })

  test('in an option of a slash command is worthless, and nothing is stored', async () => {
    const old = await world.key(me)
    const options = { key: 'a', value: `x ${old}` }
    const someone = { kind: 'command', userId: me, guildId: world.guildId } as const
    const outcome = await world.simulator.interact({ ...someone, command: 'kv set', options })
    expect((await outcome.reply()).content).not.toContain('exoix_')
    expect(await owner(old)).toBe(401)
    expect((await world.json(`/v1/users/${me}`)).data.kv).toEqual({})
  })

  test('does not in what the bot itself sends', async () => {
    const key = await world.key(me)
    await world.settled()
    expect(await owner(key)).toBe(me)
  })
})

describe('what is kept', () => {
  test('of keys is a hash: neither file nor log ever holds one, and it works after a restart', async () => {
    using folder = temporaryFolder()
    const databasePath = join(folder.path, 'exoix.db')
    const lines: string[] = []
    const log = createLog({ level: 'debug', format: 'text', write: line => lines.push(line) })
    let key: string
    let ada: string
    {
      await using first = await startReadyWorld({ config: { databasePath }, log })
      ada = first.people.ada
      await first.key(ada)
      key = await first.key(ada)
      await first.get('/v1/users/@me/kv/a', { method: 'PUT', body: 'x', headers: { authorization: key } })
    }
    const secret = key.slice('exoix_'.length)
    const files = () => readdirSync(folder.path).map(name => readFileSync(join(folder.path, name), 'latin1'))
    for (const text of [...files(), lines.join('\n')]) expect(text.includes(secret)).toBe(false)
    const hash = createHash('sha256').update(key).digest()
    expect(files().some(text => text.includes(hash.toString('hex')) || text.includes(hash.toString('latin1')))).toBe(
      true,
    )
    await using second = await startWorld({ config: { databasePath }, log })
    const headers = { authorization: key }
    expect((await second.json('/v1/users/@me', { headers })).data).toMatchObject({
      discord_user: { id: ada },
      kv: { a: 'x' },
    })
  })

  test('of somebody who had everything erased is nothing: no byte of a value, a key’s name or a key’s hash', async () => {
    using folder = temporaryFolder()
    const databasePath = join(folder.path, 'exoix.db')
    const files = () =>
      readdirSync(folder.path, { withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(({ name }) => readFileSync(join(folder.path, name), 'latin1'))
    const found = (text: string) => files().some(content => content.includes(text))
    const [name, value, long] = ['a_name_nobody_has', 'a value nobody has', 'a long value nobody has '.repeat(400)]
    await using own = await startReadyWorld({ config: { databasePath } })
    const { ada, bob } = own.people
    const key = await own.key(ada)
    const headers = { authorization: key }
    const hash = createHash('sha256').update(key).digest()
    const hashes = [hash.toString('hex'), hash.toString('latin1')]
    const body = JSON.stringify({ [name]: value, long, kept: 'until overwritten by nobody' })
    expect((await own.get('/v1/users/@me/kv', { method: 'PATCH', body, headers })).status).toBe(204)
    await own.ask(ada, `.set ${name} overwritten by nobody`)
    await own.ask(bob, '.set mine stays of bob')
    expect([found(name), found('overwritten by nobody'), hashes.some(found)]).toEqual([true, true, true])
    await own.ask(ada, '.privacy delete confirm')
    // What is written next waits until the file has been cleaned.
    await own.ask(bob, '.set more of bob')
    for (const text of [name, value, 'a long value nobody', 'by nobody', ...hashes])
      expect([text, found(text)]).toEqual([text, false])
    expect(found('stays of bob')).toBe(true)
    expect((await own.get('/v1/users/@me', { headers })).status).toBe(401)
    expect((await own.json(`/v1/users/${ada}`)).data.kv).toEqual({})
  })

  test('in the log is no key of all those made here', () => {
    expect(logged.length).toBeGreaterThan(0)
    expect(logged.join('\n')).not.toMatch(/exoix_[\w-]{20}/)
  })
})

test('keys are random: none of twenty begins like another', async () => {
  const starts = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const id = world.simulator.world.addMember(world.guildId, {}).id
    starts.add((await world.key(id)).slice(0, 14))
  }
  expect(starts.size).toBe(20)
})

describe('a key that its owner is about to publish as a pair', () => {
  const put = (key: string, path: string, body: string, method = 'PUT') =>
    world.get(`/v1/users/@me/kv${path}`, { method, body, headers: { authorization: key } })

  test.each([
    ['as a value', (key: string) => put(key, '/a', key)],
    ['within a value', (key: string) => put(key, '/a', `{"Authorization":"Bearer ${key}"}`)],
    ['without its prefix', (key: string) => put(key, '/a', key.slice('exoix_'.length))],
    ['with zero-width spaces', (key: string) => put(key, '/a', [...key].join('\u200b'))],
    ['at the end of a long value', (key: string) => put(key, '/a', `${'long '.repeat(5900)}${key}`)],
    [
      'among many pairs',
      (key: string) => {
        const others = Array.from({ length: 200 }, (_, at) => [`k${at}`, 'some value '.repeat(2000)])
        return put(key, '', JSON.stringify({ ...Object.fromEntries(others), b: `see ${key}` }), 'PATCH')
      },
    ],
  ])('is refused and worthless at once, and they get another: %s', async (_, write) => {
    const key = await world.key(me)
    const answer = await write(key)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ success: false, error: { code: 'invalid_kv_value' } })
    expect(await owner(key)).toBe(401)
    const fresh = keyOf(await toPerson(me))
    expect(await owner(fresh)).toBe(me)
    expect((await world.json(`/v1/users/${me}`)).data.kv).toEqual({})
  })

  test('is revoked when somebody else publishes it, and theirs stays valid', async () => {
    const [mine, theirs] = [await world.key(me), await world.key(other)]
    expect((await put(theirs, '/a', `found: ${mine}`)).status).toBe(400)
    expect([await owner(mine), await owner(theirs)]).toEqual([401, other])
  })

  test('and that is not valid any more is text like any other', async () => {
    const old = await world.key(me)
    // The first of two: while a key is being handed over the one before it may still come back.
    await world.key(me)
    const key = await world.key(me)
    expect((await put(key, '/a', old)).status).toBe(204)
    expect(await owner(key)).toBe(me)
  })
})

test('a script that goes on writing leaves nothing behind an erasure', async () => {
  const key = await world.key(me)
  let stopped = false
  const statuses = new Set<number>()
  async function script(name: string): Promise<void> {
    for (let count = 0; !stopped; count++) {
      const init = { method: 'PUT', body: String(count), headers: { authorization: key } }
      statuses.add((await world.get(`/v1/users/@me/kv/${name}`, init)).status)
    }
  }
  const scripts = ['a', 'b', 'c', 'd'].map(script)
  const { content } = await world.ask(me, '.privacy delete confirm')
  const left = (await world.json(`/v1/users/${me}`)).data.kv
  stopped = true
  await Promise.all(scripts)
  expect(content).toStartWith('Erased:')
  expect([left, (await world.json(`/v1/users/${me}`)).data.kv]).toEqual([{}, {}])
  expect(await owner(key)).toBe(401)
  for (const status of statuses) expect([204, 401]).toContain(status)
})
