import { askHealth, healthUrl, type Place } from '../http/probe.ts'
import { describeError } from '../lib/log.ts'

/** Asks the server on this machine's port for its health; says what it answered. Resolves with whether it is ready. */
export async function health(place: Place, say: (text: string) => void): Promise<boolean> {
  try {
    const { ready, state, message } = await askHealth(place)
    say(ready ? 'ready' : `${state ?? 'not ready'}: ${message}`)
    return ready
  } catch (error) {
    say(`no answer from ${healthUrl(place)}: ${reason(error)}`)
    return false
  }
}

function reason(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'ECONNREFUSED' || code === 'ConnectionRefused') return 'nothing listens there'
  return error instanceof Error ? error.message : describeError(error)
}
