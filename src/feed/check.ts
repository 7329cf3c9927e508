import { readFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Finding, ok, wrong } from '../domain/operator.ts'
import { SECOND } from '../lib/clock.ts'
import { addressOf, type RedisSettings } from './link.ts'
import { namesOf } from './message.ts'

const TOPIC = 'Redis'
const PATIENCE = 3 * SECOND
/** The oldest that has all that is used. */
const OLDEST = [6, 2] as const

/**
 * Looks whether hub and edges would find each other over Redis, and says what to mend where not. The client that is used
 * otherwise says "Connection closed" of every cause, so this speaks to it by hand. Changes nothing there.
 */
export async function examineRedis(settings: RedisSettings | undefined): Promise<readonly Finding[]> {
  if (settings === undefined) return []
  try {
    return [await examine(settings)]
  } catch (error) {
    return [wrong(TOPIC, explain(error, settings))]
  }
}

async function examine(settings: RedisSettings): Promise<Finding> {
  const url = new URL(await addressOf(settings))
  const place = `${url.hostname}:${url.port || 6379}`
  using wire = await Wire.open(url, settings.caFile)
  const greeting = await wire.ask(...login(url))
  if (greeting.startsWith('-')) return wrong(TOPIC, refused(greeting, place))
  const version = /(\d+)\.(\d+)\.\d+/.exec(greeting)
  const found = version === null ? 'an engine' : `version ${version[0]}`
  if (version !== null && isOlder(Number(version[1]), Number(version[2])))
    return wrong(TOPIC, `${place} is ${found}: version ${OLDEST.join('.')} or newer is needed.`)
  const { log } = namesOf(settings.prefix)
  const read = await wire.ask('XREVRANGE', log, '+', '-', 'COUNT', '1')
  if (read.startsWith('-')) return wrong(TOPIC, refused(read, place))
  return ok(TOPIC, `${found} answers at ${place}`)
}

const isOlder = (major: number, minor: number) => major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])

/** Says who it is, where the address does. */
function login({ username, password }: URL): readonly string[] {
  if (password === '') return ['HELLO', '3']
  return ['HELLO', '3', 'AUTH', decodeURIComponent(username) || 'default', decodeURIComponent(password)]
}

/** What the engine says against it, as what to do. */
function refused(answer: string, place: string): string {
  if (answer.startsWith('-WRONGPASS')) return `${place} refuses the user or the password in REDIS_URL.`
  if (answer.startsWith('-NOAUTH')) return `${place} wants a password: put it into REDIS_URL (redis://:password@host).`
  if (answer.startsWith('-NOPERM'))
    return `the user in REDIS_URL may not do what is needed at ${place}: see the ACL line in the operator's page.`
  if (answer.startsWith('-LOADING')) return `${place} is still loading what it keeps: try again in a moment.`
  if (/AUTH.*without any password configured/i.test(answer))
    return `${place} wants no password, and REDIS_URL has one: leave it out.`
  return `${place} answers ${JSON.stringify(answer.slice(1, 200))}.`
}

function explain(error: unknown, { url }: RedisSettings): string {
  const { hostname, port, protocol } = new URL(url)
  const place = `${hostname}:${port || 6379}`
  const { code = '', message = '' } = error instanceof Error ? (error as Error & { code?: string }) : {}
  if (code === 'ECONNREFUSED') return `nothing listens at ${place}: start Redis there, or mend REDIS_URL.`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `there is no host ${JSON.stringify(hostname)}: mend REDIS_URL.`
  if (code === 'ENOENT' || code === 'EACCES') return 'REDIS_CA_FILE cannot be read.'
  if (/CERT|SELF_SIGNED|UNABLE_TO|certificate/i.test(`${code} ${message}`))
    return `the certificate of ${place} is signed by nobody this machine knows: name its signer's in REDIS_CA_FILE.`
  if (/sentinel/.test(message)) return `${message}: mend REDIS_SENTINEL.`
  if (protocol === 'rediss:') return `${place} does not speak TLS, or not now: try redis:// if it is plain.`
  return `${place} does not answer as Redis does: if it wants TLS, write rediss://.`
}

/** A conversation with the engine by hand. */
class Wire implements Disposable {
  readonly #socket: Socket
  #heard = ''
  #wake = Promise.withResolvers<void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', data => {
      this.#heard += data.toString('latin1')
      this.#wake.resolve()
    })
    for (const end of ['close', 'error'] as const) socket.on(end, () => this.#wake.reject(new Error('closed')))
    this.#wake.promise.catch(() => {})
  }

  static async open(url: URL, caFile: string | undefined): Promise<Wire> {
    const place = { host: url.hostname, port: Number(url.port || 6379), timeout: PATIENCE }
    const ca = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const socket =
      url.protocol === 'rediss:'
        ? connectTls({ ...place, ...ca, servername: url.hostname }, resolve)
        : connectPlain(place, resolve)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed')))
    socket.on('timeout', () => socket.destroy(new Error('no answer')))
    await promise
    return new Wire(socket)
  }

  /** The beginning of the answer: enough to know an error, or a version, by. */
  async ask(...words: readonly string[]): Promise<string> {
    this.#heard = ''
    this.#wake = Promise.withResolvers<void>()
    this.#socket.write(
      `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    )
    await this.#wake.promise
    return this.#heard
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
