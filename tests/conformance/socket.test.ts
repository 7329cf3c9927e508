import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { TEST_EDGE } from '../support/app.ts'
import {
  type Body,
  type Client,
  closeOf,
  type Frame,
  inflateWhole,
  NOBODY,
  PRESENCE_KEYS,
  request,
  startReadyWorld,
  upgradeHead,
  type World,
  wireFrame,
} from './support.ts'

const HELLO = { op: 1, d: { heartbeat_interval: 30000 } }

let world: World
let ada: string
let bob: string
let key: string

beforeAll(async () => {
  world = await startReadyWorld()
  ;({ ada, bob } = world.people)
  key = await world.key(ada)
})
afterAll(() => world[Symbol.asyncDispose]())

let number = 0
beforeEach(async () => {
  for (const id of [ada, bob]) world.simulator.world.setPresence(id, { status: 'online', at: 1 })
  await world.settled()
})

/** A change nobody has seen before. */
function play(id: string): string {
  const name = `game ${++number}`
  world.simulator.world.setPresence(id, { activities: [{ name, type: 0, id: 'g' }], at: 1 })
  return name
}

const presence = async (id: string): Promise<Body> => (await world.json(`/v1/users/${id}`)).data
const games = (frames: readonly Frame[]) => frames.map(({ d }) => d.activities[0]?.name)

/** Everything that came because of what Discord sent up to now. */
async function heard(client: Client): Promise<Frame[]> {
  await world.settled()
  return client.soFar()
}

async function put(name: string, value: string): Promise<void> {
  const answer = await world.get(`/v1/users/@me/kv/${name}`, {
    method: 'PUT',
    body: value,
    headers: { authorization: key },
  })
  expect(answer.status).toBe(204)
}

describe('the upgrade', () => {
  const lines = (...headers: string[]) => `${['GET /socket HTTP/1.1', 'Host: x', ...headers].join('\r\n')}\r\n\r\n`
  const UPGRADE = 'Upgrade: websocket'
  const CONNECTION = 'Connection: Upgrade'
  const VERSION = 'Sec-WebSocket-Version: 13'
  const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='

  test.each([
    ['in its usual form', [UPGRADE, CONNECTION, VERSION, KEY]],
    [
      'in other cases',
      [
        'upgrade: WebSocket',
        'CONNECTION: upgrade',
        'sec-websocket-version: 13',
        KEY.toLowerCase().replace('dghlihnhbxbszsbub25jzq==', 'dGhlIHNhbXBsZSBub25jZQ=='),
      ],
    ],
    ['as Firefox writes it', [UPGRADE, 'Connection: keep-alive, Upgrade', VERSION, KEY, 'Pragma: no-cache']],
    ['from a page', [UPGRADE, CONNECTION, VERSION, KEY, 'Origin: https://example.com', 'Cookie: a=b']],
    ['with a key of the service', [UPGRADE, CONNECTION, VERSION, KEY, 'Authorization: anything']],
    [
      'with compression offered',
      [UPGRADE, CONNECTION, VERSION, KEY, 'Sec-WebSocket-Extensions: permessage-deflate, x'],
    ],
  ])('works %s', async (_, headers) => {
    const raw = world.rawSocket(lines(...headers))
    const response = await raw.response
    expect(response).toStartWith('HTTP/1.1 101')
    expect(response).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(response.toLowerCase()).not.toContain('sec-websocket-extensions')
    expect(JSON.parse((await raw.next()).payload.toString())).toEqual(HELLO)
    raw.close()
  })

  test.each(['/socket', '/socket/', '//socket', '/socket?', '/socket?v=1&encoding=json'])('works at %s', async path => {
    const raw = world.rawSocket(upgradeHead([], path))
    expect(await raw.response).toStartWith('HTTP/1.1 101')
    const hello = await raw.next()
    expect([hello.opcode, JSON.parse(hello.payload.toString())]).toEqual([1, HELLO])
    raw.close()
  })

  test.each([
    ['without anything of it', []],
    ['without a key', [UPGRADE, CONNECTION, VERSION]],
    ['with a key that is none', [UPGRADE, CONNECTION, VERSION, 'Sec-WebSocket-Key: short']],
    ['without a version', [UPGRADE, CONNECTION, KEY]],
    ['with a version nobody speaks', [UPGRADE, CONNECTION, KEY, 'Sec-WebSocket-Version: 12']],
    ['to something else', ['Upgrade: h2c', CONNECTION, VERSION, KEY]],
  ])('is refused in the envelope %s', async (_, headers) => {
    const answer = await world.raw(
      lines(...headers.filter(header => header !== CONNECTION), 'Connection: Upgrade, close'),
    )
    expect(answer.status).toBe(400)
    expect(answer.json).toEqual({
      success: false,
      error: { code: 'upgrade_failed', message: 'Request failed to upgrade' },
    })
  })

  test('is no way into other routes, nor with other methods', async () => {
    const headers = [UPGRADE, VERSION, KEY]
    expect((await world.raw(request(`GET /v1/users/${ada}`, headers))).json.data.discord_user.id).toBe(ada)
    expect((await world.raw(request('POST /socket', headers))).json.error.code).toBe('not_found')
    expect((await world.raw(request('GET /nope', headers))).json.error.code).toBe('not_found')
  })
})

describe.each([
  ['a plain socket', ''],
  ['a compressed socket', '?compression=zlib_json'],
])('%s', (_, query) => {
  test('is greeted, answered and told of changes in frames of one kind', async () => {
    const raw = world.rawSocket(upgradeHead([], `/socket${query}`))
    raw.send({ op: 2, d: { subscribe_to_ids: [ada] } })
    const [hello, init] = [await raw.next(), await raw.next()]
    await put('n', '1')
    const update = await raw.next()
    const read = query === '' ? (bytes: Buffer) => bytes.toString() : inflateWhole
    const frames = [hello, init, update].map(frame => JSON.parse(read(frame.payload)))
    expect([hello, init, update].map(({ opcode, rsv }) => [opcode, rsv])).toEqual(
      Array(3).fill([query === '' ? 1 : 2, 0]),
    )
    expect(frames[0]).toEqual(HELLO)
    expect(Object.keys(frames[1])).toEqual(['op', 'seq', 't', 'd'])
    expect(Object.keys(frames[2])).toEqual(['op', 'seq', 't', 'd'])
    expect([frames[1].op, frames[1].t, frames[2].op, frames[2].t]).toEqual([0, 'INIT_STATE', 0, 'PRESENCE_UPDATE'])
    expect(frames[2].seq).toBeGreaterThan(frames[1].seq)
    raw.close()
  })

  test('gets what REST shows: bare for one id, by id for many, with user_id in updates of many', async () => {
    const [one, many, all] = [await world.socket(query), await world.socket(query), await world.socket(query)]
    expect((await one.follow({ subscribe_to_id: ada })).d).toEqual(await presence(ada))
    expect((await many.follow({ subscribe_to_ids: [ada, NOBODY, bob] })).d).toEqual({
      [ada]: await presence(ada),
      [bob]: await presence(bob),
    })
    const everybody = (await all.follow({ subscribe_to_all: true })).d
    expect(everybody[ada]).toEqual(await presence(ada))
    expect(Object.keys(everybody).length).toBe((await world.json('/')).data.monitored_user_count)
    const game = play(ada)
    for (const client of [one, many, all]) {
      const { t, d } = await client.next()
      const { user_id, ...shown } = d
      expect([t, user_id, games([{ d } as Frame])]).toEqual([
        'PRESENCE_UPDATE',
        client === one ? undefined : ada,
        [game],
      ])
      expect(Object.keys(shown).sort()).toEqual(PRESENCE_KEYS)
      expect(shown).toEqual(await presence(ada))
      expect(await heard(client)).toEqual([])
      client.close()
    }
  })

  test('has rising sequence numbers over everything it is sent', async () => {
    const client = await world.socket(query)
    const seqs: number[] = []
    for (const d of [
      { subscribe_to_id: ada },
      { subscribe_to_all: true },
      { subscribe_to_ids: [bob] },
      { subscribe_to_all: true },
    ]) {
      seqs.push((await client.follow(d)).seq)
      const other = await world.socket()
      await other.follow({ subscribe_to_all: true })
      other.close()
      play(ada)
      play(bob)
      seqs.push(...(await heard(client)).map(({ seq }) => seq))
    }
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    expect(seqs.length).toBe(4 + 1 + 2 + 2 + 2)
    client.close()
  })

  test('misses nothing and gets nothing twice when it subscribes amid changes', async () => {
    let running = true
    const churn = async () => {
      for (let n = 0; running; n++) {
        await put('n', String(n))
      }
    }
    const churning = churn()
    for (const d of [{ subscribe_to_id: ada }, { subscribe_to_ids: [ada] }, { subscribe_to_all: true }]) {
      const client = await world.socket(query)
      const init = (await client.follow(d)).d
      const first = Number(('kv' in init ? init : init[ada]).kv.n ?? -1)
      for (let n = first + 1; n < first + 11; n++) expect((await client.next()).d.kv.n).toBe(String(n))
      client.close()
    }
    running = false
    await churning
  })
})

describe('an op 2', () => {
  test('follows ids before an id before everybody', async () => {
    for (const [d, expected] of [
      [{ subscribe_to_all: true, subscribe_to_id: bob, subscribe_to_ids: [ada] }, [ada]],
      [{ subscribe_to_all: true, subscribe_to_ids: [] }, []],
      [{ subscribe_to_id: bob, subscribe_to_ids: [] }, []],
    ] as const) {
      const client = await world.socket()
      expect(Object.keys((await client.follow(d)).d)).toEqual([...expected])
      play(ada)
      play(bob)
      expect((await heard(client)).map(frame => frame.d.user_id)).toEqual([...expected])
      client.close()
    }
    const client = await world.socket()
    expect((await client.follow({ subscribe_to_all: true, subscribe_to_id: bob })).d).toEqual(await presence(bob))
    play(ada)
    expect(await heard(client)).toEqual([])
    client.close()
  })

  test('takes ids that are no strings, or nobody’s, as unknown', async () => {
    const client = await world.socket()
    for (const id of [Number(ada), 1, null, true, [ada], {}, '', 'x', '__proto__', 'constructor', `${ada} `, NOBODY]) {
      expect((await client.follow({ subscribe_to_id: id })).d).toEqual({})
    }
    const odd = [Number(ada), null, [bob], { id: ada }, true, 'hasOwnProperty', '__proto__', NOBODY, ada, ada]
    const { d } = await client.follow({ subscribe_to_ids: odd })
    expect(d).toEqual({ [ada]: await presence(ada) })
    play(bob)
    const game = play(ada)
    expect(games(await heard(client))).toEqual([game])
    client.close()
  })

  test('adds to those before; the same person is one message, with user_id once among many', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_id: ada })
    play(ada)
    expect((await heard(client)).map(({ d }) => 'user_id' in d)).toEqual([false])
    await client.follow({ subscribe_to_id: ada })
    await client.follow({ subscribe_to_ids: [ada, bob] })
    play(ada)
    play(bob)
    expect((await heard(client)).map(({ d }) => d.user_id)).toEqual([ada, bob])
    await client.follow({ subscribe_to_all: true })
    await client.follow({ subscribe_to_id: bob })
    play(ada)
    play(bob)
    expect((await heard(client)).map(({ d }) => d.user_id)).toEqual([ada, bob])
    client.close()
  })

  test('may come in a binary frame, in fragments, with blanks, any numeral for 2 and keys it does not know', async () => {
    const d = { subscribe_to_id: ada }
    const said = [
      wireFrame(2, JSON.stringify({ op: 2, d })),
      Buffer.concat([
        wireFrame(1, '{"op":2,', false),
        wireFrame(0, `"d":${JSON.stringify(d)}`, false),
        wireFrame(0, '}'),
      ]),
      wireFrame(1, ` \r\n{ "d" : ${JSON.stringify({ ...d, extra: { deep: [] } })} , "op" : 2.0 , "s":1 }\t`),
      wireFrame(1, `{"op":3,"op":2,"d":{},"d":${JSON.stringify(d)}}`),
      Buffer.concat([wireFrame(1, '{"op":2,', false), wireFrame(9, 'ping'), wireFrame(0, `"d":${JSON.stringify(d)}}`)]),
    ]
    for (const bytes of said) {
      const raw = world.rawSocket(Buffer.concat([Buffer.from(upgradeHead()), bytes]))
      const frames: Body[] = []
      while (frames.length < 2) {
        const { opcode, payload } = await raw.next()
        if (opcode === 1) frames.push(JSON.parse(payload.toString()))
      }
      expect(frames[0]).toEqual(HELLO)
      expect([frames[1].t, frames[1].d.discord_user.id]).toEqual(['INIT_STATE', ada])
      raw.close()
    }
  })
})

describe('a client is closed', () => {
  test.each([
    ['', 4006],
    ['hello', 4006],
    ['{"op":3', 4006],
    ['null', 4006],
    ['2', 4006],
    ['"{}"', 4006],
    ['[]', 4006],
    ['[{"op":3}]', 4006],
    ['{"op":2,"d":{"subscribe_to_all":true}}x', 4006],
    ["{'op':3}", 4006],
    ['\ufeff{"op":3}', 4006],
    ['{}', 4004],
    ['{"d":{"subscribe_to_all":true}}', 4004],
    ['{"op":null}', 4004],
    ['{"op":"2","d":{"subscribe_to_all":true}}', 4004],
    ['{"op":true}', 4004],
    ['{"op":[2]}', 4004],
    ['{"op":{}}', 4004],
    ['{"op":0}', 4004],
    ['{"op":1}', 4004],
    ['{"op":5}', 4004],
    ['{"op":-2}', 4004],
    ['{"op":2.5,"d":{}}', 4004],
    ['{"op":1e400}', 4004],
    ['{"op":9007199254740993}', 4004],
    ['{"OP":3}', 4004],
    ['{"op":7,"d":null}', 4004],
    ['{"op":2}', 4005],
    ['{"op":2,"d":null}', 4005],
    ['{"op":2,"d":"x"}', 4005],
    ['{"op":2,"d":1}', 4005],
    ['{"op":2,"d":false}', 4005],
    ['{"op":2,"d":[]}', 4005],
    ['{"op":2,"d":["1"]}', 4005],
    ['{"op":2,"d":{}}', 4005],
    ['{"op":2,"D":{"subscribe_to_all":true}}', 4005],
    ['{"op":2,"d":{"x":1}}', 4006],
    ['{"op":2,"d":{"subscribe_to_all":false}}', 4006],
    ['{"op":2,"d":{"subscribe_to_all":"true"}}', 4006],
    ['{"op":2,"d":{"subscribe_to_all":1}}', 4006],
    ['{"op":2,"d":{"subscribe_to_all":null}}', 4006],
    ['{"op":2,"d":{"subscribe_to_ids":"1"}}', 4006],
    ['{"op":2,"d":{"subscribe_to_ids":null}}', 4006],
    ['{"op":2,"d":{"subscribe_to_ids":{}}}', 4006],
    ['{"op":2,"d":{"subscribe_to_ids":1,"subscribe_to_all":true}}', 4006],
    ['{"op":2,"d":{"unsubscribe_from_all":true}}', 4006],
  ])('for %p with %d', async (text, code) => {
    const reason = { 4004: 'unknown_opcode', 4005: 'requires_data_object', 4006: 'invalid_payload' }[code] as string
    for (const opcode of [1, 2]) {
      const raw = world.rawSocket(Buffer.concat([Buffer.from(upgradeHead()), wireFrame(opcode, text)]))
      expect(JSON.parse((await raw.next()).payload.toString())).toEqual(HELLO)
      expect(closeOf(await raw.next())).toEqual({ code, reason })
      raw.close()
    }
  })

  test('with 1007 for text that is not UTF-8, 4006 for such binary, 1009 for more than 64 KiB, 4008 for a flood; not a frame before', async () => {
    const filler = (bytes: number) => Buffer.concat([Buffer.from('{"op":3}'), Buffer.alloc(bytes - 8, ' ')])
    const flood = (frames: number) => Buffer.concat(Array.from({ length: frames }, () => wireFrame(1, '{"op":3}')))
    const question = wireFrame(1, JSON.stringify({ op: 2, d: { subscribe_to_id: ada } }))
    for (const [bytes, expected] of [
      [wireFrame(1, Buffer.from([0x7b, 0xff, 0x7d])), 1007],
      [wireFrame(2, Buffer.from([0x7b, 0xff, 0x7d])), 4006],
      [wireFrame(1, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 1007],
      [wireFrame(1, filler(65_537)), 1009],
      [wireFrame(1, filler(200_000)), 1009],
      [Buffer.concat([wireFrame(1, filler(65_000), false), wireFrame(0, Buffer.alloc(65_000, ' '))]), 1009],
      [flood(140), 4008],
      [Buffer.concat([wireFrame(1, filler(65_536)), question]), 'INIT_STATE'],
      [Buffer.concat([flood(119), question]), 'INIT_STATE'],
    ] as const) {
      const raw = world.rawSocket()
      await raw.next()
      raw.write(bytes)
      const frame = await raw.next()
      expect(frame.opcode === 8 ? closeOf(frame).code : JSON.parse(frame.payload.toString()).t).toBe(expected)
      raw.close()
    }
  })

  test('as it asked, when it closes first', async () => {
    for (const code of [1000, 1001, 4000]) {
      const raw = world.rawSocket()
      await raw.next()
      raw.write(wireFrame(8, Buffer.from([code >> 8, code & 0xff])))
      expect(closeOf(await raw.next()).code).toBe(code)
      await raw.closed
    }
  })

  test.skipIf(TEST_EDGE)('with 1001 when the service stops', async () => {
    const ending = await startReadyWorld()
    const clients = [await ending.socket(), await ending.socket('?compression=zlib_json')]
    await clients[0]?.follow({ subscribe_to_all: true })
    await ending.app.stop()
    for (const { closed } of clients) expect((await closed).code).toBe(1001)
    await ending[Symbol.asyncDispose]()
  })
})

describe('silence', () => {
  test('is the answer to heartbeats, unsubscriptions of every shape, and changes nobody asked for', async () => {
    const client = await world.socket()
    for (const d of ['', ',"d":null', ',"d":{}', ',"d":[]', ',"d":1']) {
      client.send(`{"op":3${d}}`)
      client.send(`{"op":4${d}}`)
    }
    for (const d of [
      { unsubscribe_from_all: false },
      { unsubscribe_from_ids: 'x' },
      { unsubscribe_from_ids: [1, null, {}] },
      { unsubscribe_from_id: 5 },
      { unsubscribe_from_id: NOBODY },
      { unsubscribe_from_all: true },
      { nonsense: 1 },
    ])
      client.send({ op: 4, d })
    play(ada)
    expect(await heard(client)).toEqual([])
    client.close()
  })

  test('follows an unsubscription, of one, of some, or of all', async () => {
    for (const [asked, dropped, left] of [
      [{ subscribe_to_ids: [ada, bob] }, { unsubscribe_from_id: ada }, [bob]],
      [{ subscribe_to_ids: [ada, bob] }, { unsubscribe_from_ids: [ada, bob, NOBODY] }, []],
      [{ subscribe_to_ids: [ada, bob] }, { unsubscribe_from_all: true }, []],
      [{ subscribe_to_ids: [ada, bob] }, { unsubscribe_from_ids: [] }, [ada, bob]],
      [{ subscribe_to_ids: [ada, bob] }, { unsubscribe_from_ids: ada }, [ada, bob]],
      [{ subscribe_to_all: true }, { unsubscribe_from_all: true }, []],
      [{ subscribe_to_all: true }, { unsubscribe_from_ids: [ada] }, [bob]],
      [{ subscribe_to_all: true }, { unsubscribe_from_id: bob }, [ada]],
    ] as const) {
      const client = await world.socket()
      await client.follow(asked)
      client.send({ op: 4, d: dropped })
      // An answer to what was sent after it says that it was heard.
      await client.follow({ subscribe_to_ids: [] })
      play(ada)
      play(bob)
      expect((await heard(client)).map(({ d }) => d.user_id)).toEqual([...left])
      client.close()
    }
  })

  test('of some, after everybody was followed, holds for them alone, comes and goes, until they are named again', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_all: true })
    client.send({ op: 4, d: { unsubscribe_from_ids: [ada] } })
    await client.soFar()
    world.simulator.world.removeMember(world.guildId, ada)
    await world.join(ada)
    const newcomer = await world.join({ username: 'newcomer' })
    play(ada)
    expect((await heard(client)).map(({ d }) => d.user_id)).toEqual([newcomer])
    expect(Object.keys((await client.follow({ subscribe_to_ids: [ada] })).d)).toEqual([ada])
    play(ada)
    play(bob)
    expect((await heard(client)).map(({ d }) => d.user_id)).toEqual([ada, bob])
    client.close()
  })

  test('is all that follows a presence which did not change', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_all: true })
    for (let i = 0; i < 3; i++) world.simulator.world.setPresence(ada, { status: 'online', at: i })
    expect(await heard(client)).toEqual([])
    client.close()
  })
})

describe('people who come and go', () => {
  test('reach everybody’s followers once, and those who named them before', async () => {
    const id = world.simulator.world.addUser({ username: 'later' }).id
    const [one, many, all] = [await world.socket(), await world.socket(), await world.socket()]
    expect((await one.follow({ subscribe_to_id: id })).d).toEqual({})
    expect((await many.follow({ subscribe_to_ids: [id, ada] })).d[id]).toBeUndefined()
    await all.follow({ subscribe_to_all: true })
    await world.join(id)
    for (const client of [one, many, all]) {
      const frames = await heard(client)
      expect(frames.map(({ t, d }) => [t, d.user_id, d.discord_user.username])).toEqual([
        ['PRESENCE_UPDATE', client === one ? undefined : id, 'later'],
      ])
    }
    world.simulator.world.removeMember(world.guildId, id)
    for (const client of [one, many, all]) expect(await heard(client)).toEqual([])
    expect((await one.follow({ subscribe_to_id: id })).d).toEqual({})
    await world.join(id)
    for (const client of [one, many, all]) {
      expect((await heard(client)).map(({ d }) => d.discord_user.id)).toEqual([id])
      client.close()
    }
  })

  test('in two servers are told of once, and stay until they left both', async () => {
    const second = world.simulator.world.addGuild({ members: [{ user: ada }] })
    await world.settled()
    const client = await world.socket()
    await client.follow({ subscribe_to_ids: [ada] })
    const game = play(ada)
    expect(games(await heard(client))).toEqual([game])
    world.simulator.world.removeMember(second.id, ada)
    expect(await heard(client)).toEqual([])
    const again = play(ada)
    expect(games(await heard(client))).toEqual([again])
    world.simulator.world.removeGuild(second.id)
    await world.settled()
    expect((await world.get(`/v1/users/${ada}`)).status).toBe(200)
    client.close()
  })

  test('of a server with an outage stay; those of a server that is left go, without a frame', async () => {
    const other = world.simulator.world.addGuild({
      members: [{ user: { username: 'far' }, presence: { status: 'dnd' } }],
    })
    const far = other.members.keys().toArray()[1] as string
    await world.settled()
    const client = await world.socket()
    expect((await client.follow({ subscribe_to_ids: [far] })).d[far].discord_status).toBe('dnd')
    world.simulator.world.makeGuildUnavailable(other.id)
    await world.settled()
    expect((await world.get(`/v1/users/${far}`)).status).toBe(200)
    world.simulator.world.makeGuildAvailable(other.id)
    await world.settled()
    world.simulator.world.removeGuild(other.id)
    expect(await heard(client)).toEqual([])
    expect((await world.get(`/v1/users/${far}`)).status).toBe(404)
    client.close()
  })

  test('who hide are gone at once and say nothing; who show themselves are back with one frame', async () => {
    const { cyd } = world.people
    const [one, all] = [await world.socket(), await world.socket()]
    await one.follow({ subscribe_to_id: cyd })
    await all.follow({ subscribe_to_all: true })
    await world.ask(cyd, '.privacy hide')
    play(cyd)
    await world.ask(cyd, '.set a hidden')
    expect(await heard(one)).toEqual([])
    expect(await heard(all)).toEqual([])
    expect((await one.follow({ subscribe_to_id: cyd })).d).toEqual({})
    expect((await all.follow({ subscribe_to_all: true })).d[cyd]).toBeUndefined()
    expect((await world.get(`/v1/users/${cyd}`)).status).toBe(404)
    await world.ask(cyd, '.privacy show')
    for (const client of [one, all]) {
      expect((await heard(client)).map(({ d }) => d.kv)).toEqual([{ a: 'hidden' }])
      client.close()
    }
  })
})

describe('many people', () => {
  test('are one INIT_STATE: one message in one frame, plain or compressed', async () => {
    await using crowd = await startReadyWorld({ world: simulator => void simulator.world.addGuild({ members: 2500 }) })
    const count = (await crowd.json('/')).data.monitored_user_count
    expect(count).toBe(2506)
    for (const query of ['', '?compression=zlib_json']) {
      const raw = crowd.rawSocket(upgradeHead([], `/socket${query}`))
      raw.send({ op: 2, d: { subscribe_to_all: true } })
      await raw.next()
      const frame = await raw.next()
      expect(frame.opcode).toBe(query === '' ? 1 : 2)
      const text = query === '' ? frame.payload.toString() : inflateWhole(frame.payload)
      expect(Object.keys(JSON.parse(text).d).length).toBe(count)
      raw.close()
    }
  })
})

describe('clients as people use them', () => {
  test('that send op 2 as soon as they are open, before they have read anything, are served', async () => {
    const socket = new WebSocket(world.socketUrl)
    const frames: Body[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.onopen = () => socket.send(JSON.stringify({ op: 2, d: { subscribe_to_id: ada } }))
    socket.onmessage = ({ data }) => {
      frames.push(JSON.parse(String(data)))
      if (frames.length === 2) resolve()
    }
    await promise
    expect(frames.map(({ op, t }) => t ?? op)).toEqual([1, 'INIT_STATE'])
    socket.close()
  })

  test('that keep what d holds, whatever the event, have the whole presence after each', async () => {
    const client = await world.socket()
    let kept = (await client.follow({ subscribe_to_id: ada })).d
    expect(Object.keys(kept).sort()).toEqual(PRESENCE_KEYS)
    play(ada)
    kept = (await client.next()).d
    expect(Object.keys(kept).sort()).toEqual(PRESENCE_KEYS)
    expect(kept).toEqual(await presence(ada))
    client.close()
  })

  test('that keep a map by user_id have it right after joins, changes and pairs', async () => {
    const client = await world.socket('?compression=zlib_json')
    const map = (await client.follow({ subscribe_to_all: true })).d
    const newcomer = await world.join({ username: 'mapped' })
    play(bob)
    await put('mapped', 'yes')
    for (const { d } of await heard(client)) {
      const { user_id, ...shown } = d
      map[user_id] = shown
    }
    for (const id of [newcomer, bob, ada]) expect(map[id]).toEqual(await presence(id))
    client.close()
  })
})
