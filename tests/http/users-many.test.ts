import { describe, expect, test } from 'bun:test'
import { codeOf, startServer } from './harness.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const NOBODY = '999999999999999999'
const numbered = (count: number) => Array.from({ length: count }, (_, at) => String(200000000000000000n + BigInt(at)))

function startTwo(options: Parameters<typeof startServer>[0] = {}) {
  const server = startServer(options)
  for (const [id, username] of Object.entries({ [ANN]: 'ann', [BEN]: 'ben' })) {
    server.presences.putMember('1', { user: { id, username } }, { status: 'online' })
  }
  const many = (ids: string) => server.get(`/v1/users?ids=${ids}`)
  return { ...server, many, data: async (ids: string) => ((await (await many(ids)).json()) as { data: object }).data }
}

describe('the presences of several people', () => {
  test('are a map by id, each as it is alone, in the order they were asked for', async () => {
    await using server = startTwo()
    const alone = async (id: string) => ((await (await server.get(`/v1/users/${id}`)).json()) as { data: object }).data
    expect(Object.entries(await server.data(`${BEN},${ANN}`))).toEqual([
      [BEN, await alone(BEN)],
      [ANN, await alone(ANN)],
    ])
  })

  test('are without those nobody knows of, what is no id, and those who hide', async () => {
    await using server = startTwo()
    server.presences.setHidden(BEN, true)
    expect(Object.keys(await server.data(`${NOBODY},${ANN},x,@me,__proto__,${BEN},1.5`))).toEqual([ANN])
    expect(await server.data(BEN)).toEqual({})
    server.presences.setReadiness('starting')
    expect(await server.data(`${BEN},${NOBODY}`)).toEqual({})
  })

  test.each([
    ['', 1],
    ['?ids=', 1],
    ['?ids=,,', 1],
    ['?ids=%20', 1],
    ['?id=1', 1],
    [`?ids=${numbered(51)}`, 1],
    [`?ids=${numbered(50)}&ids=1`, 1],
  ])('are not told for %s', async query => {
    await using server = startTwo()
    const response = await server.get(`/v1/users${query}`)
    expect([response.status, await codeOf(response)]).toEqual([400, 'invalid_ids'])
  })

  test.each([
    [`?ids=${ANN},${ANN}, ${BEN} ,`, [ANN, BEN]],
    [`?ids=${ANN}&ids=${BEN}`, [ANN, BEN]],
    [`?ids=${numbered(48)},${ANN},${BEN},${ANN}`, [ANN, BEN]],
    [`?ids=${ANN}%2C${BEN}`, [ANN, BEN]],
  ])('take each id once: %s', async (query, ids) => {
    await using server = startTwo()
    const { data } = (await (await server.get(`/v1/users${query}`)).json()) as { data: object }
    expect(Object.keys(data)).toEqual(ids)
  })

  test('are compressed, and not sent again to who has them until one of them changes', async () => {
    await using server = startTwo()
    server.presences.setKv(ANN, new Map([['text', 'x'.repeat(2000)]]))
    const ask = (headers: Record<string, string>) => server.get(`/v1/users?ids=${ANN},${BEN}`, headers)
    const first = await ask({ 'accept-encoding': 'gzip' })
    expect(first.headers.get('content-encoding')).toBe('gzip')
    expect(first.headers.get('cache-control')).toBe('public, no-cache')
    const known = { 'if-none-match': first.headers.get('etag') ?? '' }
    expect((await ask(known)).status).toBe(304)
    server.presences.patchPresence({ user: { id: BEN }, status: 'dnd' })
    const second = await ask(known)
    expect([second.status, await second.json()]).toMatchObject([200, { data: { [BEN]: { discord_status: 'dnd' } } }])
    server.presences.setHidden(ANN, true)
    expect(Object.keys(((await (await ask({})).json()) as { data: object }).data)).toEqual([BEN])
  })

  test('count as one request for every ten people', async () => {
    const config = { rateLimitPerMinute: 7, trustedProxies: ['127.0.0.1'] }
    await using server = startTwo({ config })
    const from = { 'x-forwarded-for': '203.0.113.1' }
    const ask = async (count: number) => (await server.get(`/v1/users?ids=${numbered(count)}`, from)).status
    expect([await ask(50), await ask(10), await ask(11), await ask(1), await ask(1)]).toEqual([200, 200, 429, 429, 429])
  })

  test('are refused together when they are very long, and told one by one', async () => {
    await using server = startTwo()
    const pairs = (letter: string) =>
      new Map(Array.from({ length: 300 }, (_, at) => [`k${at}`, letter.repeat(30_000)] as const))
    for (const id of [ANN, BEN]) server.presences.setKv(id, pairs('x'))
    const together = await server.many(`${ANN},${BEN}`)
    expect([together.status, await codeOf(together)]).toEqual([400, 'invalid_ids'])
    expect(Object.keys(await server.data(ANN))).toEqual([ANN])
  })
})
