import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { examineRedis } from '../../src/feed/check.ts'
import { temporaryFolder } from '../support/executable.ts'
import { freePort, hasRedis, type RedisServer, startRedis } from '../support/redis.ts'

const installed = hasRedis('how a failing connection is explained')
const look = async (url: string, more: object = {}) => {
  const findings = await examineRedis({ url, prefix: 'x', ...more })
  return findings.map(({ level, text }) => `${level} ${text}`).join('\n')
}

test('without a Redis in the settings there is nothing to say', async () => {
  expect(await examineRedis(undefined)).toEqual([])
})

test('where nothing listens, or there is no such host, that is said', async () => {
  const port = freePort()
  expect(await look(`redis://127.0.0.1:${port}`)).toContain(`nothing listens at 127.0.0.1:${port}`)
  expect(await look('redis://nowhere.invalid')).toContain('there is no host "nowhere.invalid"')
  expect(await look(`redis://x:${port}`, { sentinel: { hosts: [`127.0.0.1:${port}`], name: 'mine' } })).toContain(
    'no sentinel knows where "mine" is: mend REDIS_SENTINEL',
  )
})

test('what is no Redis is told from one', async () => {
  using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  expect(await look(`redis://127.0.0.1:${server.port}`)).toMatch(/^WRONG/)
})

describe.skipIf(!installed)('of a Redis', () => {
  let redis: RedisServer
  let open: RedisServer
  const folder = temporaryFolder()
  beforeAll(async () => {
    redis = await startRedis('--requirepass', 'pass')
    const client = new RedisClient(at(':pass@'))
    await client.send('ACL', ['SETUSER', 'reader', 'on', '>secret', '~*', '+hello', '+ping'])
    client.close()
    open = await startRedis()
  })
  afterAll(async () => {
    await Promise.all([redis.stop(), open.stop()])
    folder[Symbol.dispose]()
  })
  const at = (login: string, { port } = redis) => `redis://${login}127.0.0.1:${port}`

  test('that is as it should be, the version and the place are told', async () => {
    expect(await look(at('', open))).toMatch(/^ok version \d+\.\d+\.\d+ answers at 127\.0\.0\.1:\d+$/)
    expect(await look(at(':pass@'))).toMatch(/^ok/)
  })

  test('a missing, a wrong and a needless password are told apart, and never repeated', async () => {
    expect(await look(at(''))).toContain('wants a password')
    expect(await look(at(':wrong@'))).toContain('refuses the user or the password')
    expect(await look(at(':wrong@'))).not.toContain('wrong@')
    expect(await look(at('nobody:x@'))).toContain('refuses the user or the password')
  })

  test('a user who may not do what is needed is told of', async () => {
    expect(await look(at('reader:secret@'))).toContain('may not do what is needed')
  })

  test('that speaks no TLS, and a file that cannot be read, are told of', async () => {
    expect(await look(`rediss://127.0.0.1:${open.port}`)).toContain('does not speak TLS')
    const caFile = join(folder.path, 'none.pem')
    expect(await look(`rediss://127.0.0.1:${open.port}`, { caFile })).toContain('REDIS_CA_FILE cannot be read')
  })
})
