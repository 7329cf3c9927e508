import type { Config } from '../config.ts'
import { FatalError } from '../domain/errors.ts'
import { type Finding, note, ok, wrong } from '../domain/operator.ts'
import { findExoix } from './probe.ts'
import { listening, PortTaken } from './server.ts'

/** Whether Exoix could listen where it is told to; when it could not, who does. An Exoix that runs is no mistake. */
export async function examinePort({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Finding> {
  try {
    probePort(host, port)
    return ok('port', port === 0 ? `any free one on ${host}` : `${host}:${port} is free`)
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    const state = error instanceof PortTaken ? await findExoix(error) : null
    if (state === null) return wrong('port', error.message)
    return note(
      'port',
      `an Exoix answers on ${host}:${port} already (${state}); before you start another, stop that one`,
    )
  }
}

/**
 * Opens the port alone for a moment: so that nobody else has it, not even one who would share it. Returns which one it
 * is, any free one where it is 0.
 * @throws FatalError when it cannot be opened
 */
export function probePort(host: string, port: number): number {
  const open = () => Bun.serve({ hostname: host, port, reusePort: false, fetch: () => new Response() })
  const server = listening(host, port, open)
  const found = server.port ?? port
  // It is closed when this returns; what is waited for are requests, of which there are none.
  void server.stop(true)
  return found
}
