import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  closeOf,
  join,
  numbers,
  type RawClient,
  setNumber,
  startServer,
  type TestServer,
  wireFrame,
} from './support.ts'

// Generous, because a machine may be busy with much else.
setDefaultTimeout(30_000)

const ALICE = '94490510688792576'

let server: TestServer
beforeEach(() => {
  server = startServer()
  join(server.presences, ALICE)
})
afterEach(() => server.stop())

/** The close that answers these bytes, sent behind the hello. */
async function closeAfter(raw: RawClient, ...bytes: Buffer[]) {
  await raw.next()
  raw.write(...bytes)
  return closeOf(await raw.next())
}

describe('a client is closed', () => {
  test.each([
    ['not json', 4006, 'invalid_payload'],
    ['[]', 4006, 'invalid_payload'],
    ['', 4006, 'invalid_payload'],
    ['{}', 4004, 'unknown_opcode'],
    ['{"op":"2"}', 4004, 'unknown_opcode'],
    ['{"op":1}', 4004, 'unknown_opcode'],
    ['{"op":9,"d":null}', 4004, 'unknown_opcode'],
    ['{"op":2}', 4005, 'requires_data_object'],
    ['{"op":2,"d":[]}', 4005, 'requires_data_object'],
    ['{"op":2,"d":{}}', 4005, 'requires_data_object'],
    ['{"op":2,"d":{"x":1}}', 4006, 'invalid_payload'],
    ['{"op":2,"d":{"subscribe_to_all":false}}', 4006, 'invalid_payload'],
    ['{"op":2,"d":{"subscribe_to_ids":"1"}}', 4006, 'invalid_payload'],
  ])('for %s with %d %s', async (text, code, reason) => {
    const client = await server.client()
    client.send(text)
    expect(await client.closed).toEqual({ code, reason })
  })

  test('for a text frame that is not UTF-8 with 1007, for a binary one with 4006', async () => {
    const bytes = Buffer.from([...Buffer.from('{"op":3,"x":"'), 0xff, 0xfe, ...Buffer.from('"}')])
    expect((await closeAfter(server.raw(), wireFrame(1, bytes))).code).toBe(1007)
    const halves = [wireFrame(1, bytes.subarray(0, 14), false), wireFrame(0, bytes.subarray(14))]
    expect((await closeAfter(server.raw(), ...halves)).code).toBe(1007)
    for (const binary of [bytes, Buffer.from([0xff]), Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from([0, 1, 2])]) {
      const wrong = await closeAfter(server.raw(), wireFrame(2, binary))
      expect(wrong).toEqual({ code: 4006, reason: 'invalid_payload' })
    }
  })

  test('for a message over 64 KiB with 1009, in one frame or several', async () => {
    const tooMuch = `{"op":3,"x":"${'x'.repeat(65_536)}"}`
    expect((await closeAfter(server.raw(), wireFrame(1, tooMuch))).code).toBe(1009)
    const halves = [wireFrame(1, tooMuch.slice(0, 40_000), false), wireFrame(0, tooMuch.slice(40_000))]
    expect((await closeAfter(server.raw(), ...halves)).code).toBe(1009)
  })

  test('for more than 120 frames at once with 4008, and not for 120', async () => {
    const calm = await server.client()
    for (let i = 0; i < 119; i++) calm.send({ op: 3 })
    expect(await calm.soFar()).toEqual([])
    const hasty = await server.client()
    for (let i = 0; i < 130; i++) hasty.send({ op: 3 })
    expect(await hasty.closed).toEqual({ code: 4008, reason: 'rate_limited' })
  })

  /** As many names as fit in a frame, all different. */
  const names = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => String(10n ** 17n + BigInt(from + i)))

  test('not for naming 20,000 people at once, in as many frames as that takes', async () => {
    const client = await server.client()
    for (let from = 0; from < 20_000; from += 2_900) {
      client.send({ op: 2, d: { subscribe_to_ids: names(from, Math.min(2_900, 20_000 - from)) } })
    }
    for (let from = 0; from < 20_000; from += 2_900) expect((await client.next()).d).toEqual({})
    expect(await client.soFar()).toEqual([])
  })

  test.each([
    ['followed', (ids: string[]) => ({ op: 2, d: { subscribe_to_ids: ids } })],
    ['not followed any more', (ids: string[]) => ({ op: 4, d: { unsubscribe_from_ids: ids } })],
  ])('for many frames of many names that are %s with 4008: each counts one more for every 256', async (_, frame) => {
    const [within, beyond] = [await server.client(), await server.client()]
    for (const [client, frames] of [
      [within, 9],
      [beyond, 11],
    ] as const) {
      for (let i = 0; i < frames; i++) client.send(frame(names(0, 2_816))) // eleven times 256
    }
    expect((await within.soFar()).every(({ t }) => t === 'INIT_STATE')).toBe(true)
    expect(await beyond.closed).toEqual({ code: 4008, reason: 'rate_limited' })
  })

  test.each([
    ['pings', 9],
    ['pongs', 10],
  ])('for too many %s like for too many messages', async (_, opcode) => {
    const raw = server.raw()
    await raw.next()
    raw.write(...Array.from({ length: 130 }, () => wireFrame(opcode, '')))
    let frame = await raw.next()
    while (frame.opcode === 10) frame = await raw.next()
    expect(closeOf(frame)).toEqual({ code: 4008, reason: 'rate_limited' })
  })

  test('alone: its frames behind the wrong one are ignored, other clients unaffected', async () => {
    const other = await server.client()
    await other.follow({ subscribe_to_all: true })
    const raw = server.raw()
    const wrong = wireFrame(1, '{"op":7}')
    const close = await closeAfter(raw, wrong, wireFrame(1, '{"op":2,"d":{"subscribe_to_all":true}}'))
    expect(close.code).toBe(4004)
    await expect(raw.next()).rejects.toThrow()
    setNumber(server.presences, ALICE, 1)
    expect(numbers(await other.soFar())).toEqual([1])
    expect(server.metrics.render()).toContain('exoix_subscriptions{to="everybody"} 1\n')
  })
})
