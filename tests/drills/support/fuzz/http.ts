import type { Socket } from 'bun'
import type { Random } from '../../../../src/simulator/random.ts'
import { hold } from '../drill.ts'
import { createMutator, type Mutator } from './mutate.ts'

/** Whom the requests are about, and a key that is good. */
export interface Target {
  readonly url: string
  readonly id: string
  readonly key: string
}

const METHODS = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'PATCH',
  'DELETE',
  'POST',
  'TRACE',
  'PROPFIND',
  'get',
  '',
]
const CLIENTS = 8
/** Milliseconds for an answer. Whoever promised a body and did not send it gets none. */
const PATIENCE = 300

/** Any bytes on a connection get a proper answer or none; never a 5xx, and nobody else notices. */
export async function fuzzRequests(cases: number, random: Random, target: Target): Promise<void> {
  const mutate = createMutator(random)
  let left = cases
  async function client(): Promise<void> {
    while (left-- > 0) {
      const request = makeRequest(random, mutate, target)
      checkAnswer(await ask(target.url, request), request)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

function makeRequest(random: Random, mutate: Mutator, { id, key }: Target): Buffer {
  const paths = ['/', '/v1/users/@me', `/v1/users/${id}`, `/v1/users/${id}/kv`, `/v1/users/${id}/kv/a`, `/user/${id}`]
  const others = [
    '/health',
    '/metrics',
    '/swagger',
    '/swagger/json',
    '/socket',
    '/discord',
    '/1.png',
    `//${id}.png?x=1`,
    `/v1/users/${id}/card.svg?bg=fff&idleMessage=%3Cb%3E%26%22`,
  ]
  const path = random.pick([...paths, ...others])
  const body = random.chance(0.3) ? mutate.text('{"a":"1","b":"2"}') : ''
  const headers = [
    'Host: localhost',
    'Connection: close',
    `Content-Length: ${random.chance(0.01) ? random.int(0, 1e6) : Buffer.byteLength(body)}`,
    `Authorization: ${random.pick([key, `Bearer ${key}`, 'exoix_', '', mutate.text(key)])}`,
    ...(random.chance(0.5) ? [randomHeader(random, mutate)] : []),
  ]
  const line = `${random.pick(METHODS)} ${random.chance(0.6) ? mutate.text(path) : path} HTTP/1.1`
  const text = `${[line, ...headers].join('\r\n')}\r\n\r\n${body}`
  return Buffer.from(random.chance(0.1) ? mutate.bytes(Buffer.from(text)) : Buffer.from(text))
}

function randomHeader(random: Random, mutate: Mutator): string {
  const good = random.pick([
    'Accept: text/html;q=0.5, */*',
    'Accept-Encoding: gzip;q=0, zstd, identity;q=1',
    'If-None-Match: W/"abc"',
    'Origin: https://example.org',
    'Access-Control-Request-Headers: authorization, x-a',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'X-Forwarded-For: 1.2.3.4, ::1',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
    'Range: bytes=0-5',
    'Content-Encoding: gzip',
  ])
  return random.chance(0.5) ? good : mutate.text(good)
}

/** Sends bytes and reads until the server ends the connection, or nothing comes any more. */
function ask(url: string, request: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { hostname, port } = new URL(url)
  let answer = ''
  let socket: Socket | undefined
  const patience = setTimeout(() => socket?.terminate(), PATIENCE)
  function end(): void {
    clearTimeout(patience)
    resolve(answer)
  }
  void Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(opened) {
        socket = opened
        opened.write(request)
      },
      data(_socket, chunk) {
        answer += chunk.toString('latin1')
      },
      close: end,
      error: end,
      connectError: end,
    },
  }).catch(end)
  return promise
}

function checkAnswer(answer: string, request: Buffer): void {
  if (answer === '') return
  const asked = () => `${JSON.stringify(request.toString('latin1').slice(0, 300))} → ${answer.slice(0, 300)}`
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
  // A body where none was announced is the next request to the server, which answers it too.
  const [, body = ''] = answer.replace(/\r\n\r\nHTTP\/1\.1 .*/s, '\r\n\r\n').split('\r\n\r\n')
  // What the runtime's parser refuses never becomes a request: its answer is empty, 505 for a strange version of HTTP.
  hold(status < 500 || (status === 505 && body === ''), asked())
  if (status < 400 || body === '') return
  hold(/\{"success":false,"error":\{"code":"[a-z_]+","message":"[^"]+"\}\}/.test(body), asked())
}

/** Any key and any value: what is taken is given back as it was, what is not is refused in words. */
export async function fuzzPairs(cases: number, random: Random, target: Target): Promise<void> {
  const mutate = createMutator(random)
  let left = cases
  async function client(): Promise<void> {
    while (left-- > 0) await write(random, mutate, target)
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

async function write(random: Random, mutate: Mutator, { url, id, key }: Target): Promise<void> {
  const name = random.chance(0.5) ? `k${random.int(0, 99)}` : mutate.text('a_key')
  const whole = random.chance(0.3)
  const text = mutate.text(random.pick(['value', '{"a":"1"}', '😀'.repeat(40), '{"__proto__":"x","a":"y"}']))
  const body = random.chance(0.2) ? mutate.bytes(Buffer.from(text)) : Buffer.from(text)
  const path = `${url}/v1/users/${id}/kv${whole ? '' : `/${encodeURIComponent(name.toWellFormed())}`}`
  const headers = { Authorization: key }
  const response = await fetch(path, { method: whole ? 'PATCH' : 'PUT', headers, body: Buffer.from(body) })
  const told = `${path} ${JSON.stringify(text)} → ${response.status}`
  if (response.status === 204) {
    if (random.chance(0.02)) await fetch(path.replace(/\/kv.*/, '/kv'), { method: 'DELETE', headers })
    return
  }
  const { success, error } = (await response.json()) as { success: unknown; error: { code: unknown } }
  hold([400, 404, 413].includes(response.status) && success === false && typeof error.code === 'string', told)
}
