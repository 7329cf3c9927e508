import type { Config } from '../config.ts'
import { isObject } from '../domain/presence.ts'
import { describeError } from '../lib/log.ts'

type Place = Pick<Config, 'host' | 'port'>

/** A health check must answer before its orchestrator gives up. Milliseconds. */
const TIMEOUT = 4_000

/** Asks the server on this machine's port for its health; says what it answered. Resolves with whether it is ready. */
export async function health(place: Place, say: (text: string) => void): Promise<boolean> {
  try {
    const { ok, body } = await ask(place)
    say(ok ? 'ready' : problem(body))
    return ok
  } catch (error) {
    say(`no answer from ${healthUrl(place)} (${describeError(error)})`)
    return false
  }
}

/** `ready`, `starting` or `reconnecting` when it is an Exoix that answers there; null when it is another program or none. */
export async function findExoix(place: Place): Promise<string | null> {
  const body = await ask(place).then(
    answer => answer.body,
    () => null,
  )
  if (!isObject(body)) return null
  const told = body.success === true ? dataOf(body).status : errorOf(body).code
  return typeof told === 'string' && STATES.includes(told) ? told : null
}

const STATES: readonly string[] = ['ready', 'starting', 'reconnecting']

async function ask(place: Place): Promise<{ ok: boolean; body: unknown }> {
  const response = await fetch(healthUrl(place), { signal: AbortSignal.timeout(TIMEOUT) })
  return { ok: response.ok, body: await response.json() }
}

const healthUrl = ({ host, port }: Place) => `http://${reachable(host)}:${port}/health`

/** A server that listens on every address is asked on the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

const dataOf = ({ data }: Record<string, unknown>) => (isObject(data) ? data : {})
const errorOf = ({ error }: Record<string, unknown>) => (isObject(error) ? error : {})

function problem(body: unknown): string {
  const error = isObject(body) ? errorOf(body) : {}
  return `${error.code ?? 'not ready'}: ${error.message ?? 'the answer was not understood'}`
}
