import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { treaty } from '@elysiajs/eden'
import { Value } from '@sinclair/typebox/value'
import type { Api, ServerFrame } from 'exoix/client'
import { FAILURE, HARMY, HEALTH, INFO, PAIRS, PRESENCE, successOf } from '../../src/http/schema.ts'
import { NOBODY, startReadyWorld, type World } from '../conformance/support.ts'

let world: World
let api: ReturnType<typeof connect>
let ada = ''
let headers = { authorization: '' }

const connect = (url: string) => treaty<Api>(url, { parseDate: false })
/** Where a value is not what the schema, and with it the type, says. */
const problems = (schema: Parameters<typeof Value.Errors>[0], value: unknown) => [...Value.Errors(schema, value)]

beforeAll(async () => {
  world = await startReadyWorld()
  ada = world.people.ada
  api = connect(world.url)
  headers = { authorization: await world.key(ada) }
})
afterAll(() => world[Symbol.asyncDispose]())

describe('Eden Treaty', () => {
  test('reads a presence, bare and with the key of its owner', async () => {
    const { data, error } = await api.v1.users({ id: ada }).get()
    expect(error).toBeNull()
    expect(problems(successOf(PRESENCE), data)).toEqual([])
    expect(data?.data.discord_user.username).toBe('ada')
    const own = await api.v1.users['@me'].get({ headers })
    expect(own.data?.data.discord_user.id).toBe(ada)
  })

  test('tells failures by status, each in the envelope', async () => {
    const unknown = await api.v1.users({ id: NOBODY }).get()
    expect([unknown.data, unknown.error?.status]).toEqual([null, 404])
    expect(unknown.error?.value).toMatchObject({ success: false, error: { code: 'user_not_monitored' } })
    expect(problems(FAILURE, unknown.error?.value)).toEqual([])
    const strange = await api.v1.users['@me'].get({ headers: { authorization: 'no-key' } })
    expect([strange.error?.status, strange.error?.value]).toMatchObject([401, { error: { code: 'no_permission' } }])
  })

  test('writes pairs: a text as it is, many at once, and takes them away', async () => {
    const me = api.v1.users({ id: '@me' })
    const text = ' Oslo\n{"not":"parsed"} 2026-01-01 '
    const put = await me.kv({ key: 'place' }).put(text, { headers })
    expect([put.status, put.data, put.error]).toEqual([204, '', null])
    await me.kv.patch({ mood: 'calm', number: '42' }, { headers })
    const { data } = await api.v1.users({ id: ada }).kv.get()
    expect(problems(successOf(PAIRS), data)).toEqual([])
    expect(data?.data).toEqual({ place: text, mood: 'calm', number: '42' })
    expect((await api.v1.users({ id: ada }).kv({ key: 'mood' }).get()).data).toBe('calm')
    // What the type Text says of values that are read alone.
    expect((await api.v1.users({ id: ada }).kv({ key: 'number' }).get()).data).toBe(42)
    await me.kv({ key: 'mood' }).delete(undefined, { headers })
    expect((await api.v1.users({ id: ada }).kv({ key: 'mood' }).get()).error).toMatchObject({ status: 404 })
    await me.kv.delete(undefined, { headers })
    expect((await api.v1.users({ id: ada }).get()).data?.data.kv).toEqual({})
  })

  test('is told why a pair was refused', async () => {
    const key = 'k'.repeat(256)
    const { error } = await api.v1.users({ id: ada }).kv({ key }).put('x', { headers })
    expect(error).toMatchObject({ status: 400, value: { error: { code: 'kv_validation_failed' } } })
  })

  test('reads everything else that is text or JSON', async () => {
    const [harmy, front, health] = [await api.user({ id: ada }).get(), await api.get(), await api.health.get()]
    expect(problems(HARMY, harmy.data)).toEqual([])
    expect(problems(successOf(INFO), front.data)).toEqual([])
    expect(problems(successOf(HEALTH), health.data)).toEqual([])
    const card = await api.v1.users({ id: ada })['card.svg'].get({ query: { theme: 'light' } })
    expect(card.data).toStartWith('<svg')
    expect((await api.swagger.json.get()).data).toHaveProperty('openapi')
  })

  test('follows somebody over server-sent events', async () => {
    const stopping = new AbortController()
    const { data } = await api.v1.users({ id: ada }).events.get({ fetch: { signal: stopping.signal } })
    const first = await data?.next()
    if (first === undefined || first.done) throw new Error('no event')
    expect(problems(PRESENCE, first.value.data)).toEqual([])
    await api.v1.users({ id: ada }).kv.patch({ sse: 'yes' }, { headers })
    const second = await data?.next()
    stopping.abort()
    expect(second?.value?.data?.kv.sse).toBe('yes')
    await api.v1.users({ id: ada }).kv.delete(undefined, { headers })
  })

  test('follows somebody over the socket', async () => {
    const socket = api.socket.subscribe()
    const frames: ServerFrame[] = []
    const updated = new Promise<ServerFrame>(resolve => {
      socket.subscribe(({ data }) => {
        frames.push(data)
        if (data.op === 0 && data.t === 'INIT_STATE') void api.v1.users({ id: ada }).kv.patch({ a: '1' }, { headers })
        if (data.op === 0 && data.t === 'PRESENCE_UPDATE') resolve(data)
      })
    })
    socket.on('open', () => socket.send({ op: 2, d: { subscribe_to_id: ada } }))
    const update = await updated
    socket.close()
    expect(frames.map(frame => frame.op)).toEqual([1, 0, 0])
    if (update.op !== 0 || update.t !== 'PRESENCE_UPDATE') throw new Error('no update')
    expect(problems(PRESENCE, update.d)).toEqual([])
    expect(update.d.discord_user.id).toBe(ada)
  })
})
