import { get } from 'node:http'
import type { Config } from '../config.ts'
import { isObject } from '../domain/presence.ts'
import { localUrl } from '../lib/ip.ts'

/** Where a server on this machine was told to listen. */
export type Place = Pick<Config, 'host' | 'port'>

/** A health check must answer before its orchestrator gives up. Milliseconds. */
const TIMEOUT = 4_000
/** No answer about health is longer. Bytes. */
const LONGEST = 64 * 1024

export const healthUrl = ({ host, port }: Place) => `${localUrl(host, port)}/health`

/** What a server said about its health. */
export interface Health {
  readonly ready: boolean
  /** `ready`, `starting` or `reconnecting` where an Exoix answers; null: something else does. */
  readonly state: string | null
  /** What it said besides, for people. */
  readonly message: string
}

const STATES: readonly string[] = ['ready', 'starting', 'reconnecting']

/** Asks what listens there for its health. Rejects when nothing answers in time, or not over HTTP. */
export async function askHealth(place: Place): Promise<Health> {
  const { status, text } = await ask(healthUrl(place))
  const body = parse(text)
  const error = partOf(body, 'error')
  const told = partOf(body, 'data').status ?? error.code
  const state = typeof told === 'string' && STATES.includes(told) ? told : null
  const message = typeof error.message === 'string' ? error.message : 'the answer was not understood'
  return { ready: status === 200 && state === 'ready', state, message }
}

/** The state of the Exoix that answers there; null when another program does, or none. */
export async function findExoix(place: Place): Promise<string | null> {
  return askHealth(place).then(
    ({ state }) => state,
    () => null,
  )
}

/** Not by `fetch`, which would ask a proxy where HTTP_PROXY names one: this question is for this machine alone. */
function ask(url: string): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const signal = AbortSignal.timeout(TIMEOUT)
  const request = get(url, { agent: false, signal, headers: { connection: 'close' } }, response => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (part: string) => {
      text += part
      if (text.length > LONGEST) request.destroy(new Error('the answer is too long'))
    })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    response.on('error', reject)
  })
  request.on('error', error =>
    reject(signal.aborted ? new Error(`none in ${TIMEOUT / 1000} seconds`, { cause: error }) : error),
  )
  return promise
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function partOf(body: unknown, name: string): Record<string, unknown> {
  const part = isObject(body) ? body[name] : undefined
  return isObject(part) ? part : {}
}
