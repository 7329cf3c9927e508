import { describe, expect, test } from 'bun:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Budget } from '../../src/github/budget.ts'
import { GithubClient } from '../../src/github/client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { USER_AGENT } from '../../src/lib/upstream.ts'
import { type Give, startUpstream } from '../support/upstream.ts'

/** A client on that server, over a real connection. */
function open(url: string) {
  const budget = new Budget(systemClock)
  const config = { githubApiUrl: `${url}api`, githubUrl: url.slice(0, -1), githubToken: 'ghp_secret' }
  const signal = new AbortController().signal
  return { budget, client: new GithubClient({ config, budget, metrics: createMetrics(), clock: systemClock, signal }) }
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'it did not reject',
    (error: Error) => error,
  )

const BOMB = Buffer.alloc(64 * 1024 * 1024)
const packed = (bytes: Uint8Array, encoding: string) =>
  new Response(Buffer.from(bytes), { headers: { 'content-type': 'application/json', 'content-encoding': encoding } })

describe('an answer of GitHub', () => {
  test.each<[string, string, Give]>([
    ['packed with gzip', 'compressed', () => packed(gzipSync(BOMB), 'gzip')],
    ['packed with zstd', 'compressed', () => packed(zstdCompressSync(BOMB), 'zstd')],
    ['larger than any', 'too large', () => new Response(Buffer.alloc(3 * 1024 * 1024, ' '))],
    ['moved for good', 'redirect', () => new Response(null, { status: 301, headers: { Location: '/user/1' } })],
    ['moved for now', 'redirect', () => new Response(null, { status: 307, headers: { Location: '/user/1' } })],
  ])('is none when it is %s, whoever is asked for', async (_, reason, give) => {
    await using github = startUpstream(give)
    const { client } = open(github.url)
    const asking = [client.get('/user/1'), client.getAs('token', '/user'), client.post('/login/device/code', {})]
    for (const failure of await Promise.all(asking.map(failureOf))) expect(failure).toMatchObject({ reason })
    expect(github.asked).toHaveLength(3)
  })

  test('that points to another host is not looked for there', async () => {
    await using other = startUpstream(() => Response.json({ id: 1, login: 'ann' }))
    await using github = startUpstream(() => new Response(null, { status: 302, headers: { Location: other.url } }))
    expect(await failureOf(open(github.url).client.get('/user/1'))).toMatchObject({ reason: 'redirect' })
    expect(other.asked).toEqual([])
  })

  test('is asked for under our name', async () => {
    await using github = startUpstream(() => Response.json({}))
    await open(github.url).client.get('/user/1')
    expect(github.asked[0]?.headers.get('user-agent')).toBe(USER_AGENT)
  })

  test.each<[string, number, Record<string, string>, object | string]>([
    ['nothing usable', 429, {}, '<html>'],
    ['zero', 429, { 'Retry-After': '0' }, {}],
    ['a date', 403, { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}],
    ['a negative figure', 429, { 'Retry-After': '-1' }, {}],
    ['30 days', 429, { 'Retry-After': '2592000' }, {}],
    ['more than there is', 403, { 'Retry-After': '9'.repeat(400) }, {}],
  ])('that wants to be left alone for %s makes a pause, of a day at most', async (_, status, headers, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    await using github = startUpstream(() => new Response(text, { status, headers }))
    const { client, budget } = open(github.url)
    await client.get('/user/1')
    expect(budget.wait()).toBeGreaterThan(30_000)
    expect(budget.wait()).toBeLessThanOrEqual(24 * 3_600_000)
  })
})
