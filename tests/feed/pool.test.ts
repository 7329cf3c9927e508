import { afterEach, describe, expect, test } from 'bun:test'
import { type Config, readConfig } from '../../src/config.ts'
import { LocalCalls } from '../../src/domain/calls.ts'
import { FatalError } from '../../src/domain/errors.ts'
import { WorkerPool } from '../../src/feed/pool.ts'
import { probePort } from '../../src/http/port.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import type { Body } from '../conformance/support.ts'
import { startTruth } from '../domain/serving-contract.ts'
import { openClient } from '../live/support.ts'
import { issueKey } from '../support/keys.ts'

const ANN = '100000000000000001'
const WORKER = new URL('../../src/worker.ts', import.meta.url)

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** A truth with one person, served by threads at a port of their own. */
async function startPool({ size = 2, config = {} }: { size?: number; config?: Partial<Config> } = {}) {
  const truth = startTruth()
  truth.presences.setReadiness('ready')
  truth.presences.putMember('1', { nick: 'Annie', user: { id: ANN, username: 'ann' } }, { status: 'online' })
  const logged: string[] = []
  const workers: Worker[] = []
  const metrics = createMetrics()
  const port = probePort('127.0.0.1', 0)
  const pool = new WorkerPool({
    config: { ...readConfig({}), host: '127.0.0.1', port, ...config },
    size,
    spawn() {
      const worker = new Worker(WORKER)
      workers.push(worker)
      return worker
    },
    source: truth.presences,
    calls: new LocalCalls(truth),
    metrics,
    log: createLog({ level: 'info', format: 'text', write: line => void logged.push(line) }),
  })
  open.push(async () => {
    await pool.stop()
    await truth[Symbol.asyncDispose]()
  })
  truth.presences.copies.add(pool)
  await pool.start()
  const url = `http://127.0.0.1:${port}`
  return {
    ...truth,
    pool,
    logged,
    workers,
    url,
    port,
    /** Each over a connection of its own, so that every thread gets some. */
    get: (path: string, init: RequestInit = {}) =>
      fetch(url + path, { ...init, headers: { ...init.headers, Connection: 'close' } }),
    key: async () => issueKey(truth.keys, ANN),
    show: (status: string) => truth.presences.patchPresence({ user: { id: ANN }, status, activities: [] }),
    ended: (worker: Worker) => new Promise<void>(resolve => worker.addEventListener('close', () => resolve())),
  }
}

const MANY = Array.from({ length: 24 }, (_, index) => String(index))

describe('serving threads', () => {
  test('answer what the truth knows: the wire text, other services’ shapes, cards and health', async () => {
    const { presences, get } = await startPool()
    const [presence, harmy, card, health] = await Promise.all(
      [`/v1/users/${ANN}`, `/user/${ANN}`, `/v1/users/${ANN}/card.svg`, '/health'].map(path => get(path)),
    )
    expect(await presence?.text()).toBe(`{"success":true,"data":${presences.snapshot(ANN)?.json}}`)
    expect(await harmy?.json()).toMatchObject({ presence: { server_name: 'Annie', status: 'online' } })
    expect(await card?.text()).toContain('<svg')
    expect(await health?.json()).toMatchObject({ data: { status: 'ready', monitored_user_count: 1 } })
  })

  test('share the connections, and each tells its sockets every change in order', async () => {
    const { url, show, pool, workers } = await startPool()
    const clients = await Promise.all(MANY.map(() => openClient(`${url.replace('http', 'ws')}/socket`)))
    await Promise.all(clients.map(client => client.follow({ subscribe_to_id: ANN })))
    expect(new Set(workers).size).toBe(2)
    const statuses = ['idle', 'dnd', 'online', 'idle', 'dnd']
    for (const status of statuses) show(status)
    await pool.spread()
    const heard = await Promise.all(clients.map(client => client.soFar()))
    for (const frames of heard) expect(frames.map(({ d }) => d.discord_status)).toEqual(statuses)
    const numbers = await pool.numbers()
    expect(numbers).toContain(`exoix_connected_sessions ${MANY.length}\n`)
    expect(numbers).toContain('exoix_workers 2\n')
    for (const client of clients) client.close()
  })

  test('show a write to whoever asks after its answer, over any connection', async () => {
    const { get, key } = await startPool()
    const headers = { Authorization: await key() }
    for (const value of MANY.slice(0, 8)) {
      const put = await get('/v1/users/@me/kv/a', { method: 'PUT', body: value, headers })
      expect(put.status).toBe(204)
      const seen = await Promise.all(MANY.map(() => get(`/v1/users/${ANN}/kv/a`).then(answer => answer.text())))
      expect(new Set(seen)).toEqual(new Set([value]))
    }
  })

  test('refuse a key from the moment it is revoked, and say no more than one thread does', async () => {
    const { get, key, keys } = await startPool()
    const headers = { Authorization: await key() }
    expect((await get('/v1/users/@me', { headers })).status).toBe(200)
    await keys.revoke(ANN)
    const answers = await Promise.all(MANY.map(() => get('/v1/users/@me/kv/a', { method: 'PUT', body: 'x', headers })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect(await answers[0]?.json()).toMatchObject({ success: false, error: { code: 'no_permission' } })
  })

  test('hide somebody everywhere before that is said', async () => {
    const { get, presences, pool } = await startPool()
    presences.setHidden(ANN, true)
    await pool.spread()
    const answers = await Promise.all(MANY.map(() => get(`/v1/users/${ANN}`)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]))
  })

  test('count together what an address asks for and has open, and forget what one of them had when it dies', async () => {
    const config = { rateLimitPerMinute: 12, maxSocketsPerAddress: 6, trustedProxies: ['127.0.0.1'] }
    const { get, url, workers, pool, ended } = await startPool({ config })
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } })
    const answers = await Promise.all(MANY.map(() => get('/health', from('203.0.113.1'))))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(12)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(12)

    const open = async () => {
      const response = await fetch(`${url}/v1/users/${ANN}/events`, from('203.0.113.2'))
      const reader = response.body?.getReader()
      // A stream that is being read is there, and is counted.
      await reader?.read()
      return { status: response.status, reader }
    }
    const streams = await Promise.all(MANY.slice(0, 6).map(open))
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await open()).status).toBe(429)
    const ends = workers.map(ended)
    for (const worker of workers) worker.terminate()
    await Promise.all(ends)
    while (!(await pool.numbers()).includes('exoix_workers 2\n')) await new Promise(setImmediate)
    expect((await open()).status).toBe(200)
    // Held until here: a response that nobody holds ends its stream.
    expect(streams).toHaveLength(6)
  })

  test('are started anew when they end, complete, while the others serve; what they counted stays', async () => {
    const { get, show, workers, pool, ended, logged } = await startPool({ config: { rateLimitPerMinute: 0 } })
    await Promise.all(MANY.map(() => get('/health')))
    const before = Number(/exoix_2xx_responses\S* (\d+)/.exec(await pool.numbers())?.[1])
    expect(before).toBeGreaterThanOrEqual(MANY.length)
    const [first] = workers
    const end = ended(first as Worker)
    first?.terminate()
    await end
    show('dnd')
    expect((await get(`/v1/users/${ANN}`)).status).toBe(200)
    while (workers.length < 3 || !(await pool.numbers()).includes('exoix_workers 2\n')) await get('/health')
    const answers = await Promise.all(
      MANY.map(() => get(`/v1/users/${ANN}`).then(answer => answer.json() as Promise<Body>)),
    )
    expect(new Set(answers.map(({ data }) => data.discord_status))).toEqual(new Set(['dnd']))
    const numbers = await pool.numbers()
    expect(numbers).toContain('exoix_worker_restarts_total 1\n')
    expect(logged.join('')).toContain('a serving thread ended; another takes its place')
  })

  test('close their sockets with 1001 when everything stops, and let the port go', async () => {
    const { url, port, pool } = await startPool()
    const clients = await Promise.all(MANY.slice(0, 6).map(() => openClient(`${url.replace('http', 'ws')}/socket`)))
    await pool.stop()
    const closes = await Promise.all(clients.map(client => client.closed))
    expect(new Set(closes.map(({ code }) => code))).toEqual(new Set([1001]))
    expect(probePort('127.0.0.1', port)).toBe(port)
  })

  test('that cannot open their door end the start with one sentence', async () => {
    await expect(startPool({ config: { host: '203.0.113.7' } })).rejects.toBeInstanceOf(FatalError)
  })
})
