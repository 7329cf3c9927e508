import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { RedisClient } from 'bun'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { importLanyard } from '../../src/store/lanyard-import.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { issueKey } from '../support/keys.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { scratch, silent } from './support/files.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const CLEO = '100000000000000003'
const ANN_KEY = '0123456789abcdef0123456789abcdef'
const BEN_KEY = 'lnyd_ffeeddccbbaa99887766554433221100'
const CLEO_KEY = 'cccccccccccccccccccccccccccccccc'

const installed = Bun.which('redis-server') !== null
if (!installed) console.warn('redis-server is not installed: the import from Lanyard is not tested')

describe.skipIf(!installed)('an import from a Lanyard’s Redis', () => {
  let server: RedisServer
  let redis: RedisClient
  let space: ReturnType<typeof scratch>
  let file: string

  beforeAll(async () => {
    server = await startRedis()
    redis = new RedisClient(server.url)
  })
  afterAll(async () => {
    redis.close()
    await server.stop()
  })
  beforeEach(async () => {
    space = scratch()
    file = space.file()
    await redis.send('FLUSHALL', [])
  })
  afterEach(() => space[Symbol.dispose]())

  const hset = (userId: string, ...fieldsAndValues: string[]) =>
    redis.send('HSET', [`lanyard_kv:${userId}`, ...fieldsAndValues])
  const giveKey = async (userId: string, key: string) => {
    await redis.set(`api_key:${key}`, userId)
    await redis.set(`user_api_key:${userId}`, key)
  }

  async function inspect() {
    const store = openStore(file, { log: silent, patience: 0 })
    const pairs = Object.fromEntries(Array.from(store.loadPairs(), ([id, own]) => [id, Object.fromEntries(own)]))
    const keys = new Keys(store)
    const owner = (key: string) => keys.ownerOf(hashKey(key))
    await store.close()
    return { pairs, owner }
  }

  async function dump(): Promise<string> {
    const names = ((await redis.send('KEYS', ['*'])) as string[]).sort()
    const dumps = await Promise.all(names.map(async name => [name, await redis.send('TYPE', [name])]))
    return JSON.stringify([dumps, await redis.send('INFO', ['keyspace'])])
  }

  test('takes over pairs and keys, and Lanyard’s keys go on working', async () => {
    await hset(ANN, 'a', '1', 'text', 'ünï \u{1f600}\n', 'empty', '', '__proto__', 'p')
    await hset(BEN, 'b', '\ufffd is meant')
    await giveKey(ANN, ANN_KEY)
    await giveKey(BEN, BEN_KEY)
    await redis.set('unrelated', 'x')
    const before = await dump()

    expect(await importLanyard(server.url, file)).toBe('Took over 5 pairs and 2 keys.')

    const { pairs, owner } = await inspect()
    expect(pairs).toEqual({
      [ANN]: JSON.parse('{"a":"1","text":"ünï \u{1f600}\\n","empty":"","__proto__":"p"}'),
      [BEN]: { b: '\ufffd is meant' },
    })
    expect([ANN_KEY, BEN_KEY].map(owner)).toEqual([ANN, BEN])
    expect(await dump()).toBe(before)
  })

  test('run again changes nothing, and says so', async () => {
    await hset(ANN, 'a', '1')
    await giveKey(ANN, ANN_KEY)
    await importLanyard(server.url, file)
    const before = await inspect()
    expect(await importLanyard(server.url, file)).toBe('Took over 0 pairs and 0 keys.\nHere already: 1 pair and 1 key.')
    expect((await inspect()).pairs).toEqual(before.pairs)
  })

  test('run again never undoes what was done in Exoix since', async () => {
    await hset(ANN, 'a', 'lanyard', 'b', 'lanyard')
    await giveKey(ANN, ANN_KEY)
    await giveKey(BEN, BEN_KEY)
    await importLanyard(server.url, file)
    const store = openStore(file, { log: silent })
    const keys = new Keys(store)
    const made = await issueKey(keys, ANN)
    await keys.revoke(BEN)
    await store.changePairs(ANN, { kind: 'put', pairs: new Map([['a', 'exoix']]) })
    await store.close()

    expect(await importLanyard(server.url, file)).toBe(
      [
        'Took over 0 pairs and 0 keys.',
        'Here already: 1 pair and 0 keys.',
        'Left as they are in Exoix, with another value than in Lanyard: 1 pair.',
        'Left out, their owners have made or revoked a key in Exoix: 2 keys.',
      ].join('\n'),
    )
    const { pairs, owner } = await inspect()
    expect(pairs).toEqual({ [ANN]: { a: 'exoix', b: 'lanyard' } })
    expect([made, ANN_KEY, BEN_KEY].map(owner)).toEqual([ANN, undefined, undefined])
  })

  test('follows a key that was renewed in Lanyard between two runs', async () => {
    await giveKey(ANN, ANN_KEY)
    await importLanyard(server.url, file)
    await redis.del(`api_key:${ANN_KEY}`)
    await giveKey(ANN, CLEO_KEY)
    await importLanyard(server.url, file)
    const { owner } = await inspect()
    expect([ANN_KEY, CLEO_KEY].map(owner)).toEqual([undefined, ANN])
  })

  test('names every pair and key it refuses and why, without a value or a key', async () => {
    await hset(ANN, 'good', '1', 'bad-key', 'v', '', 'v', 'long', 'x'.repeat(30_001), 'k'.repeat(256), 'v')
    await redis.send('EVAL', [
      "redis.call('HSET', KEYS[1], 'bytes', '\\255\\254', 'cut', '\\240\\159\\152')",
      '1',
      `lanyard_kv:${BEN}`,
    ])
    await hset('not-a-user', 'a', '1')
    await redis.set(`lanyard_kv:${CLEO}`, 'a string')
    await giveKey(ANN, 'short')
    await giveKey(BEN, `${BEN_KEY} with blanks`)
    await redis.set(`api_key:${CLEO_KEY}`, 'nobody at all')
    await redis.set(`user_api_key:${CLEO}`, 'deaddeaddeaddeaddeaddeaddeaddead')
    await hset('4', ...Array.from({ length: 514 }, (_, at) => [`k${at}`, 'v']).flat())

    const report = await importLanyard(server.url, file)
    const [first = '', second = '', ...refused] = report.split('\n')
    expect(first).toBe('Took over 513 pairs and 0 keys.')
    expect(second).toBe('Refused 14:')
    expect(refused.map(line => line.trim()).sort()).toEqual(
      [
        `pair "bad-key" of ${ANN}: key must be alphanumeric (a-zA-Z0-9_)`,
        `pair "" of ${ANN}: key must be alphanumeric (a-zA-Z0-9_)`,
        `pair long of ${ANN}: value must be 30000 characters or less`,
        `pair "${'k'.repeat(80)}…" of ${ANN}: key must be 255 characters or less`,
        `pair bytes of ${BEN}: value is not UTF-8`,
        `pair cut of ${BEN}: value is not UTF-8`,
        'all pairs of "not-a-user": not the id of a Discord user',
        `all pairs of ${CLEO}: not a hash in Redis`,
        `a key of ${ANN}: it is too short to be safe, or has characters that keys do not have`,
        `a key of ${BEN}: it is too short to be safe, or has characters that keys do not have`,
        'a key of nobody: its owner is not the id of a Discord user',
        `the current key of ${CLEO}: it does not work in Lanyard either`,
        'pair k98 of 4: more than 512 keys',
        'pair k99 of 4: more than 512 keys',
      ].sort(),
    )
    for (const secret of ['short', BEN_KEY, CLEO_KEY, 'deaddead', 'xxxx']) {
      expect(report.replaceAll('too short', '')).not.toContain(secret)
    }
  })

  test('reads thousands of people, each once, from the database the URL names', async () => {
    await redis.send('SELECT', ['1'])
    const people = Array.from({ length: 5000 }, (_, at) => String(at + 1))
    await Promise.all(people.map(userId => hset(userId, 'id', userId)))
    await redis.send('SELECT', ['0'])
    expect(await importLanyard(`${server.url}/1`, file)).toBe('Took over 5000 pairs and 0 keys.')
    const { pairs } = await inspect()
    expect(
      Object.values(pairs)
        .map(own => own.id)
        .sort(),
    ).toEqual(people.sort())
  })

  test('says what is wrong when there is no Redis, and does not repeat a password', async () => {
    for (const password of ['hunter2', 'hunter2/w:rd', 'hunter2@x', '?hunter2#']) {
      const attempt = importLanyard(`redis://user:${password}@127.0.0.1:1`, file)
      await expect(attempt).rejects.toThrow('Redis cannot be reached')
      await expect(attempt).rejects.not.toThrow('hunter2')
    }
    expect(existsSync(file)).toBe(false)
  })

  test.each(['p@ss/w:rd', 'a#b?c[d]', 'p%40ss%2Fw:rd', 'plain'])(
    'takes a password as it was pasted: %s',
    async pasted => {
      await redis.send('CONFIG', ['SET', 'requirepass', pasted.includes('%') ? decodeURIComponent(pasted) : pasted])
      try {
        const report = await importLanyard(server.url.replace('redis://', `redis://default:${pasted}@`), file)
        expect(report).toBe('Took over 0 pairs and 0 keys.')
      } finally {
        await redis.send('CONFIG', ['SET', 'requirepass', ''])
      }
    },
  )

  test('takes over more at once than may wait to be written', async () => {
    const people = Array.from({ length: 300 }, (_, at) => String(at + 1))
    const value = 'x'.repeat(30_000)
    await Promise.all(people.map(userId => hset(userId, 'a', value, 'b', value, 'c', value, 'd', value)))
    expect(await importLanyard(server.url, file)).toBe('Took over 1200 pairs and 0 keys.')
  })

  test('takes over no more than all pairs may take, and names what is left out', async () => {
    await hset(ANN, ...Array.from({ length: 40 }, (_, at) => [`k${10 + at}`, 'x'.repeat(30_000)]).flat())
    const report = await importLanyard(server.url, file, 1)
    expect(report).toStartWith('Took over 34 pairs and 0 keys.\nRefused 6:\n')
    expect(report).toContain(`pair k44 of ${ANN}: more than all pairs may take (MAX_PAIRS_MIB)`)
  })

  test('is refused while a server has the database', async () => {
    const store = openStore(file, { log: silent })
    await expect(importLanyard(server.url, file)).rejects.toThrow('is in use by another Exoix process')
    await store.close()
  })
})
