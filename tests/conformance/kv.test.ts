import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { TEST_EDGE } from '../support/app.ts'
import { temporaryFolder } from '../support/executable.ts'
import { type Body, type Client, request, startReadyWorld, startWorld, type World } from './support.ts'

let world: World
let ada: string
let key: string

beforeAll(async () => {
  world = await startReadyWorld()
  ada = world.people.ada
  key = await world.key(ada)
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  expect(await write('DELETE', '/v1/users/@me/kv')).toBe(204)
})

type Payload = string | Uint8Array<ArrayBuffer> | undefined

const send = (method: string, path: string, body?: Payload, headers: Record<string, string> = {}) =>
  world.get(path, { method, body, headers: { authorization: key, ...headers } })
const write = async (method: string, path: string, body?: Payload, headers: Record<string, string> = {}) =>
  (await send(method, path, body, headers)).status
const put = (name: string, body: Payload, headers: Record<string, string> = {}) =>
  send('PUT', `/v1/users/@me/kv/${name}`, body, headers)
const patch = (body: Payload, headers: Record<string, string> = {}) => send('PATCH', '/v1/users/@me/kv', body, headers)
const pairs = async (): Promise<Record<string, string>> => (await world.json(`/v1/users/${ada}`)).data.kv

async function refusal(response: Response): Promise<[number, string, string]> {
  const { success, error } = (await response.json()) as Body
  expect(success).toBe(false)
  return [response.status, error.code, error.message]
}

const TOO_MANY = [
  400,
  'kv_validation_failed',
  'request would exceed key limit (512), please delete keys first',
] as const
const TOO_LONG = [400, 'kv_validation_failed', 'value must be 30000 characters or less'] as const
const LONG_KEY = [400, 'kv_validation_failed', 'key must be 255 characters or less'] as const
const BAD_KEY = [400, 'kv_validation_failed', 'key must be alphanumeric (a-zA-Z0-9_)'] as const

describe('a write that was answered with 204', () => {
  test('is in every answer from then on, and in one update to each kind of follower', async () => {
    const [one, many, all] = (await Promise.all([
      world.socket(),
      world.socket('?compression=zlib_json'),
      world.socket(),
    ])) as [Client, Client, Client]
    await one.follow({ subscribe_to_id: ada })
    await many.follow({ subscribe_to_ids: [ada] })
    await all.follow({ subscribe_to_all: true })
    const answer = await world.raw(
      request(`PUT /v1/users/${ada}/kv/mood`, [`Authorization: ${key}`, 'Content-Type: text/plain'], 'fine'),
    )
    expect([answer.status, answer.bytes.length, answer.header('content-type')]).toEqual([204, 0, undefined])
    expect(await pairs()).toEqual({ mood: 'fine' })
    expect((await world.json(`/v1/users/${ada}/kv`)).data).toEqual({ mood: 'fine' })
    const value = await world.get(`/v1/users/${ada}/kv/mood`)
    expect(value.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(await value.text()).toBe('fine')
    for (const client of [one, many, all]) {
      const frame = await client.next()
      expect([frame.op, frame.t, frame.d.kv]).toEqual([0, 'PRESENCE_UPDATE', { mood: 'fine' }])
      expect(frame.d.user_id).toBe(client === one ? undefined : ada)
      expect(await client.soFar()).toEqual([])
      client.close()
    }
  })

  test('is an update of its own, however many arrive at once', async () => {
    const clients = await Promise.all([world.socket(), world.socket('?compression=zlib_json')])
    for (const client of clients) await client.follow({ subscribe_to_id: ada })
    const names = Array.from({ length: 50 }, (_, i) => `k${i}`)
    const statuses = await Promise.all(names.map(async name => (await put(name, name)).status))
    expect(new Set(statuses)).toEqual(new Set([204]))
    expect(Object.keys(await pairs()).sort()).toEqual(names.toSorted())
    for (const client of clients) {
      const frames = await client.soFar()
      expect(frames.map(({ d }) => Object.keys(d.kv).length)).toEqual(names.map((_, i) => i + 1))
      expect(frames.every(({ seq }, i) => i === 0 || seq > (frames[i - 1]?.seq ?? 0))).toBe(true)
      client.close()
    }
  })

  test('is an update even when the value was the same before', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_ids: [ada] })
    for (let i = 0; i < 3; i++) await put('same', 'value')
    expect(await patch('{"same":"value"}').then(({ status }) => status)).toBe(204)
    expect((await client.soFar()).map(({ d }) => d.kv)).toEqual(Array(4).fill({ same: 'value' }))
    client.close()
  })

  test('is one update for a PATCH of many, and none where nothing was stored or removed', async () => {
    await put('old', 'x')
    const client = await world.socket()
    await client.follow({ subscribe_to_ids: [ada] })
    expect(await write('PATCH', '/v1/users/@me/kv', '{"a":"1","b":"2"}')).toBe(204)
    expect(await write('PATCH', '/v1/users/@me/kv', '{}')).toBe(204)
    expect(await write('DELETE', '/v1/users/@me/kv/absent')).toBe(204)
    expect(await write('DELETE', '/v1/users/@me/kv/not-a-key')).toBe(204)
    expect(await write('DELETE', '/v1/users/@me/kv/old')).toBe(204)
    expect(await write('DELETE', '/v1/users/@me/kv')).toBe(204)
    expect(await write('DELETE', '/v1/users/@me/kv')).toBe(204)
    const kinds = (await client.soFar()).map(({ d }) => d.kv)
    expect(kinds).toEqual([{ old: 'x', a: '1', b: '2' }, { a: '1', b: '2' }, {}])
    client.close()
  })

  test('of the bot shows in REST, and the other way round', async () => {
    await world.ask(ada, '.set said over discord', world.guildId)
    expect(await pairs()).toEqual({ said: 'over discord' })
    await put('said', 'over http')
    expect((await world.ask(ada, '.get said')).content).toContain('over http')
  })

  test.skipIf(TEST_EDGE)('outlives the process, whatever characters are in it', async () => {
    using folder = temporaryFolder()
    const databasePath = join(folder.path, 'exoix.db')
    const values = ['', 'a\0b', '\0', '\u2028', '\ufeffx', '"\\\n', '👩‍👩‍👧', '\u{10ffff}', '{"a":1}', ' x '].map(
      (value, i) => [`v${i}`, value],
    )
    let userId: string
    {
      await using first = await startReadyWorld({ config: { databasePath } })
      userId = first.people.bob
      const headers = { authorization: await first.key(userId) }
      const body = JSON.stringify(Object.fromEntries(values))
      expect((await first.get('/v1/users/@me/kv', { method: 'PATCH', body, headers })).status).toBe(204)
    }
    // Nobody is waited for: what was saved is served at once.
    await using second = await startWorld({ config: { databasePath } })
    expect((await second.json(`/v1/users/${userId}`)).data.kv).toEqual(Object.fromEntries(values))
  })
})

describe('paths of pairs', () => {
  test.each([
    ['PUT', '/v1/users/ADA/kv/a/', 'x'],
    ['PUT', '//v1//users//ADA//kv//a', 'x'],
    ['PUT', '/v1/users/@me/kv/a?ignored=1', 'x'],
    ['PUT', '/v1/users/%40me/kv/%61', 'x'],
    ['PATCH', '/v1/users/ADA/kv/', '{"a":"x"}'],
    ['PATCH', '/v1/users/@me/kv//', '{"a":"x"}'],
    ['PATCH', '//v1/users/@me/kv', '{"a":"x"}'],
  ])('may have a slash or an escape too many: %s %s', async (method, path, body) => {
    const answer = await world.raw(request(`${method} ${path.replace('ADA', ada)}`, [`Authorization: ${key}`], body))
    expect(answer.status).toBe(204)
    expect(await pairs()).toEqual({ a: 'x' })
  })

  test('of other people are out of reach', async () => {
    const bobs = await world.key(world.people.bob)
    const others = [
      ['PUT', `/v1/users/${ada}/kv/a`, 'x'],
      ['PATCH', `/v1/users/${ada}/kv`, '{"a":"x"}'],
      ['DELETE', `/v1/users/${ada}/kv/a`, undefined],
      ['DELETE', `/v1/users/${ada}/kv`, undefined],
    ] as const
    for (const [method, path, body] of others) {
      for (const authorization of [bobs, '', `${key}, ${bobs}`]) {
        expect(await refusal(await send(method, path, body, { authorization }))).toEqual([
          401,
          'no_permission',
          'You do not have permission to access this resource',
        ])
      }
    }
    expect(await pairs()).toEqual({})
  })
})

describe('a key', () => {
  test.each([['a'], ['_'], ['0'], ['A_z09'], ['__proto__'], ['constructor'], ['k'.repeat(255)]])(
    'may be %p',
    async name => {
      expect((await put(name, 'x')).status).toBe(204)
      const answer = await world.get(`/v1/users/${ada}`)
      expect(await answer.text()).toContain(`"kv":{${JSON.stringify(name)}:"x"}`)
      expect(await (await world.get(`/v1/users/${ada}/kv/${name}`)).text()).toBe('x')
    },
  )

  test.each([
    ['k'.repeat(256), LONG_KEY],
    ['-'.repeat(256), LONG_KEY],
    ['a%0A', BAD_KEY],
    ['%0Aa', BAD_KEY],
    ['a%0D%0A', BAD_KEY],
    ['a%00', BAD_KEY],
    ['a-b', BAD_KEY],
    ['a.b', BAD_KEY],
    ['a%20b', BAD_KEY],
    ['a+b', BAD_KEY],
    ['a%2Fb', BAD_KEY],
    ['%C3%A9', BAD_KEY],
    ['%D9%A1', BAD_KEY],
    ['%EF%BC%A1', BAD_KEY],
    ['%F0%9F%98%80', BAD_KEY],
    ['%', BAD_KEY],
    ['%zz', BAD_KEY],
    ['%FF', BAD_KEY],
    ['@me', BAD_KEY],
    ['$', BAD_KEY],
  ])('may not be %s', async (name, expected) => {
    const answer = await world.raw(request(`PUT /v1/users/@me/kv/${name}`, [`Authorization: ${key}`], 'x'))
    const { code, message } = answer.json.error
    expect([answer.status, code, message]).toEqual([...expected])
    expect(await pairs()).toEqual({})
  })

  test.each([
    ['', BAD_KEY],
    ['a\n', BAD_KEY],
    ['a b', BAD_KEY],
    ['é', BAD_KEY],
    ['\ud800', BAD_KEY],
    ['k'.repeat(256), LONG_KEY],
  ])('may not be %p in a PATCH either, and nothing of it is kept', async (name, expected) => {
    const body = JSON.stringify({ fine: 'x', [name]: 'y' })
    expect(await refusal(await patch(body))).toEqual([...expected])
    expect(await pairs()).toEqual({})
  })
})

describe('a value', () => {
  const form = new FormData()
  form.set('a', 'b')
  const bodies: [string, string, string | undefined][] = [
    ['nothing', '', undefined],
    ['JSON', '{"a": 1 }', 'application/json'],
    ['broken JSON', '{"a": ', 'application/json'],
    ['a form', 'a=b%20c&d=+', 'application/x-www-form-urlencoded'],
    ['broken multipart', '--x\r\nnonsense', 'multipart/form-data; boundary=x'],
    ['multipart without a boundary', 'x', 'multipart/form-data'],
    ['text in another charset than it says', 'é', 'text/plain; charset=iso-8859-1'],
    ['bytes', 'x', 'application/octet-stream'],
    ['a type nobody knows', 'x', 'nonsense'],
    ['a byte order mark', '\ufeffx', undefined],
    ['CRLF', 'a\r\nb\r\n', 'text/plain'],
    ['blanks around', ' \t x \n', undefined],
    ['control characters', '\0\x01\x7f\x85', undefined],
    ['line separators', '\u2028\u2029', undefined],
    ['non-characters', '\uffff\ufffe\u{1fffe}', undefined],
    ['a replacement character', '\ufffd', undefined],
    ['an emoji made of many', '👩‍❤️‍💋‍👨🏴󠁧󠁢󠁥󠁮󠁧󠁿', undefined],
    ['quotes and backslashes', '"\\"\\u0041\\', 'application/json'],
    ['HTML', '<script>alert(1)</script>', 'text/html'],
  ]

  test.each(bodies)('is kept verbatim when it is %s', async (_, value, type) => {
    const answer = await put('a', value, type === undefined ? {} : { 'content-type': type })
    expect(answer.status).toBe(204)
    expect(await pairs()).toEqual({ a: value })
    expect(Buffer.from(await (await world.get(`/v1/users/${ada}/kv/a`)).arrayBuffer())).toEqual(Buffer.from(value))
  })

  test('that is a whole multipart body is that body', async () => {
    const encoded = new Response(form)
    const type = encoded.headers.get('content-type') ?? ''
    const text = await encoded.text()
    expect((await put('a', text, { 'content-type': type })).status).toBe(204)
    expect(await pairs()).toEqual({ a: text })
  })

  test('may come in chunks, the last one empty, or with Expect: 100-continue', async () => {
    const target = 'PUT /v1/users/@me/kv/a'
    const own = `Authorization: ${key}`
    const chunked = [own, 'Transfer-Encoding: chunked']
    for (const [headers, body, value] of [
      [chunked, '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'],
      [chunked, '1\r\n\xc3\r\n1\r\n\xa9\r\n0\r\n\r\n', 'é'],
      [chunked, '0\r\n\r\n', ''],
      [[own], '', ''],
      [[own, 'Content-Length: 0'], '', ''],
    ] as const) {
      const answer = await world.raw(request(target, headers, Buffer.from(body, 'latin1')))
      expect(answer.status).toBe(204)
      expect(await pairs()).toEqual({ a: value })
    }
    const expecting = await world.raw(request(target, [own, 'Expect: 100-continue'], 'asked first'))
    expect(expecting.status).toBe(100)
    expect(expecting.text).toStartWith('HTTP/1.1 204 ')
    expect(await pairs()).toEqual({ a: 'asked first' })
  })

  test.each([
    ['a stray byte', [0xff]],
    ['a cut character', [0x61, 0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a whole surrogate pair in six bytes', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['more than Unicode has', [0xf4, 0x90, 0x80, 0x80]],
    ['UTF-16', [0xff, 0xfe, 0x61, 0x00]],
    ['gzip', [...Bun.gzipSync(Buffer.from('hello'))]],
  ])('that is not UTF-8 is refused: %s', async (_, bytes) => {
    await put('a', 'before')
    const [status, code] = await refusal(await put('a', new Uint8Array(bytes)))
    expect([status, code]).toEqual([400, 'invalid_kv_value'])
    expect(await pairs()).toEqual({ a: 'before' })
  })

  test.each([
    ['a', 'one byte'],
    ['é', 'two bytes'],
    ['€', 'three bytes'],
    ['😀', 'four bytes and two units'],
    ['e\u0301', 'a letter and its accent'],
  ])('of 30,000 code points is taken, and of one more is not: %s', async letter => {
    const unit = [...letter].length
    const longest = letter.repeat(30_000 / unit)
    expect((await put('a', longest)).status).toBe(204)
    expect((await pairs()).a).toBe(longest)
    expect(await refusal(await put('a', `${longest}b`))).toEqual([...TOO_LONG])
    expect((await patch(JSON.stringify({ a: longest, b: longest }))).status).toBe(204)
    expect(await refusal(await patch(JSON.stringify({ c: 'x', a: `${longest}b` })))).toEqual([...TOO_LONG])
    expect(await pairs()).toEqual({ a: longest, b: longest })
  })
})

describe('a PATCH', () => {
  test.each([
    '',
    ' ',
    'null',
    'true',
    '1',
    '"text"',
    '[]',
    '[{"a":"x"}]',
    '[["a","x"]]',
    '{"a":1}',
    '{"a":null}',
    '{"a":true}',
    '{"a":["x"]}',
    '{"a":{"b":"x"}}',
    '{"fine":"x","a":0}',
    '{"a":"x"',
    '{"a":"x"}}',
    "{'a':'x'}",
    '{a:"x"}',
    '{"a":"x",}',
    'a=x',
    '{"a":"\u0001"}'.replace('\u0001', '\\x01'),
    'undefined',
    '<a>x</a>',
  ])('of %p is refused: body must be an object', async body => {
    await put('before', 'x')
    expect(await refusal(await patch(body, { 'content-type': 'application/json' }))).toEqual([
      400,
      'invalid_kv_value',
      'body must be an object',
    ])
    expect(await pairs()).toEqual({ before: 'x' })
  })

  test('needs no content type, or any', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
      expect((await patch(`{"type":"${type}"}`, { 'content-type': type })).status).toBe(204)
      expect(await pairs()).toEqual({ type })
    }
    const bare = await world.raw(request('PATCH /v1/users/@me/kv', [`Authorization: ${key}`], '{"type":"none"}'))
    expect(bare.status).toBe(204)
    expect(await pairs()).toEqual({ type: 'none' })
  })

  test('may hold escapes, blanks around and the same key twice: the last one wins', async () => {
    expect((await patch('\r\n { "\\u0061" : "1" , "b":"\\ud83d\\ude00", "a":"2" } \n')).status).toBe(204)
    expect(await pairs()).toEqual({ a: '2', b: '😀' })
    expect((await patch('{"__proto__":"x","constructor":"y","toString":"z"}')).status).toBe(204)
    const text = await (await world.get(`/v1/users/${ada}/kv`)).text()
    for (const pair of ['"__proto__":"x"', '"constructor":"y"', '"toString":"z"']) expect(text).toContain(pair)
  })

  test.each(['"\\ud800"', '"x\\udc00y"', '"\\udc00\\ud800"'])(
    'with the half character %s is refused whole, and nothing breaks for readers',
    async value => {
      await put('before', 'x')
      const [status, code] = await refusal(await patch(`{"fine":"x","a":${value}}`))
      expect([status, code]).toEqual([400, 'invalid_kv_value'])
      expect(await pairs()).toEqual({ before: 'x' })
      const client = await world.socket()
      const { d } = await client.follow({ subscribe_to_all: true })
      expect(d[ada].kv).toEqual({ before: 'x' })
      client.close()
    },
  )

  test('that is not UTF-8 is refused', async () => {
    for (const bytes of [
      [0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d],
      [...Buffer.from('{"a":"x"}', 'utf16le')],
    ]) {
      const [status, code] = await refusal(await patch(new Uint8Array(bytes)))
      expect([status, code]).toEqual([400, 'invalid_kv_value'])
    }
    expect(await pairs()).toEqual({})
  })

  test('is all or nothing, whichever pair is wrong', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'x']))
    for (const wrong of [{ 'k-1': 'x' }, { [`k${'x'.repeat(255)}`]: 'x' }, { k: 'x'.repeat(30_001) }, { k: 1 }]) {
      expect((await patch(JSON.stringify({ ...many, ...wrong }))).status).toBe(400)
      expect((await patch(JSON.stringify({ ...wrong, ...many }))).status).toBe(400)
    }
    expect(await pairs()).toEqual({})
  })
})

describe('the limit of 512 keys', () => {
  const fill = (count: number, from = 0) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${from + i}`, 'x'])))

  test('counts keys, not writes: overwriting at 512 is fine, one more is not, and room can be made', async () => {
    expect((await patch(fill(512))).status).toBe(204)
    expect((await put('k0', 'y')).status).toBe(204)
    expect((await patch(fill(512))).status).toBe(204)
    expect(await refusal(await put('more', 'x'))).toEqual([...TOO_MANY])
    expect(await refusal(await patch('{"k1":"changed","more":"x"}'))).toEqual([...TOO_MANY])
    expect((await pairs()).k1).toBe('x')
    expect(await write('DELETE', '/v1/users/@me/kv/k511')).toBe(204)
    expect((await put('more', 'x')).status).toBe(204)
    expect(Object.keys(await pairs()).length).toBe(512)
  })

  test('holds against one PATCH of 513', async () => {
    expect(await refusal(await patch(fill(513)))).toEqual([...TOO_MANY])
    expect(await pairs()).toEqual({})
  })

  test('holds against writers who come at the same time', async () => {
    expect((await patch(fill(490))).status).toBe(204)
    const puts = Array.from({ length: 30 }, (_, i) => put(`extra${i}`, 'x').then(({ status }) => status))
    const patches = Array.from({ length: 5 }, (_, i) => patch(fill(2, 1000 + 2 * i)).then(({ status }) => status))
    const statuses = await Promise.all([...puts, ...patches])
    const stored = Object.keys(await pairs()).length
    const written = statuses.slice(0, 30).filter(status => status === 204).length
    const merged = statuses.slice(30).filter(status => status === 204).length
    expect(stored).toBeLessThanOrEqual(512)
    expect(stored).toBe(490 + written + 2 * merged)
    expect(stored).toBeGreaterThanOrEqual(511)
    expect(statuses.every(status => status === 204 || status === 400)).toBe(true)
  })
})

describe('bodies at their limits', () => {
  const KIB = 1024
  const own = () => `Authorization: ${key}`
  const chunked = (body: Buffer) => {
    const parts: Buffer[] = []
    for (let at = 0; at < body.length; at += 64 * KIB) {
      const part = body.subarray(at, at + 64 * KIB)
      parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
    }
    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
  }
  const padded = (bytes: number) => Buffer.from(`{"a":"x"}${' '.repeat(bytes - 9)}`)

  test('of 128 KiB are read, and refused for their characters; one byte more is too large', async () => {
    const target = 'PUT /v1/users/@me/kv/a'
    for (const form of ['sized', 'chunked'] as const) {
      const made = (size: number) => {
        const body = Buffer.alloc(size, 'x')
        return form === 'sized'
          ? request(target, [own()], body)
          : request(target, [own(), 'Transfer-Encoding: chunked'], chunked(body))
      }
      const fits = await world.raw(made(128 * KIB))
      expect([form, fits.status, fits.json.error.code]).toEqual([form, 400, 'kv_validation_failed'])
      const large = await world.raw(made(128 * KIB + 1))
      expect([form, large.status, large.json.error.code]).toEqual([form, 413, 'payload_too_large'])
    }
    expect(await pairs()).toEqual({})
  })

  test('of 8 MiB are merged; one byte more is too large', async () => {
    const target = 'PATCH /v1/users/@me/kv'
    const limit = 8 * KIB * KIB
    expect((await world.raw(request(target, [own()], padded(limit)))).status).toBe(204)
    const inChunks = request(target, [own(), 'Transfer-Encoding: chunked'], chunked(padded(limit)))
    expect((await world.raw(inChunks)).status).toBe(204)
    expect(await pairs()).toEqual({ a: 'x' })
    const large = await patch(padded(limit + 1))
    expect((await refusal(large)).slice(0, 2)).toEqual([413, 'payload_too_large'])
    const largeInChunks = request(target, [own(), 'Transfer-Encoding: chunked'], chunked(padded(limit + 1)))
    const answer = await world.raw(largeInChunks)
    expect([answer.status, answer.json.error.code]).toEqual([413, 'payload_too_large'])
  })

  test('that nobody could send are refused by their stated length, before they are sent', async () => {
    for (const length of ['131073', '99999999999']) {
      const answer = await world.raw(request('PUT /v1/users/@me/kv/a', [own(), `Content-Length: ${length}`]))
      expect([answer.status, answer.json.error.code]).toEqual([413, 'payload_too_large'])
    }
  })
})

describe('reading', () => {
  test('needs no key, and shows nothing of what is not there', async () => {
    await put('a', '1')
    expect((await world.json(`/v1/users/${ada}/kv`)).data).toEqual({ a: '1' })
    expect((await world.json('/v1/users/@me/kv', { headers: { authorization: key } })).data).toEqual({ a: '1' })
    for (const name of ['b', 'A', '__proto__', 'toString', 'a%0A', '%61%00']) {
      const [status, code] = await refusal(await world.get(`/v1/users/${ada}/kv/${name}`))
      expect([name, status, code]).toEqual([name, 404, 'kv_not_found'])
    }
  })

  test('of one value works as HEAD and never sniffs as something else', async () => {
    await put('page', '<html>')
    const head = await world.raw(request(`HEAD /v1/users/${ada}/kv/page`))
    expect([head.status, head.header('content-length'), head.bytes.length]).toEqual([200, '6', 0])
    expect(head.header('content-type')).toBe('text/plain; charset=utf-8')
    expect(head.header('x-content-type-options')).toBe('nosniff')
  })
})

describe('a key’s owner who left', () => {
  test('may write all the same, and it shows when they are back', async () => {
    const { eve } = world.people
    const headers = { authorization: await world.key(eve) }
    const client = await world.socket()
    await client.follow({ subscribe_to_ids: [eve, ada] })
    world.simulator.world.removeMember(world.guildId, eve)
    world.simulator.world.setPresence(ada, { status: 'dnd', at: 3 })
    expect((await client.next()).d.user_id).toBe(ada)
    await world.settled()
    expect((await world.get(`/v1/users/${eve}`)).status).toBe(404)
    expect((await world.get('/v1/users/@me', { headers })).status).toBe(404)
    expect((await world.get('/v1/users/@me/kv/away', { method: 'PUT', body: 'yes', headers })).status).toBe(204)
    expect((await world.get(`/v1/users/${eve}/kv`)).status).toBe(404)
    world.simulator.world.addMember(world.guildId, eve)
    const back = await client.next()
    expect([back.d.user_id, back.d.kv]).toEqual([eve, { away: 'yes' }])
    await world.settled()
    expect((await world.json(`/v1/users/${eve}`)).data.kv).toEqual({ away: 'yes' })
    client.close()
  })
})
