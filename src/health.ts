import type { Config } from './config.ts'
import { describeError } from './log.ts'
import { isObject } from './presence.ts'

/** A health check must answer before its orchestrator gives up. Milliseconds. */
const TIMEOUT = 4_000

/** Asks the server on this machine's port for its health; says what it answered. Resolves with whether it is ready. */
export async function health(
  { host, port }: Pick<Config, 'host' | 'port'>,
  say: (text: string) => void,
): Promise<boolean> {
  const url = `http://${reachable(host)}:${port}/health`
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) })
    const body: unknown = await response.json()
    say(response.ok ? 'ready' : problem(body))
    return response.ok
  } catch (error) {
    say(`no answer from ${url} (${describeError(error)})`)
    return false
  }
}

/** A server that listens on every address is asked on the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function problem(body: unknown): string {
  const error = isObject(body) && isObject(body.error) ? body.error : {}
  return `${error.code ?? 'not ready'}: ${error.message ?? 'the answer was not understood'}`
}
