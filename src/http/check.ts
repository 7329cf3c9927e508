import type { Config } from '../config.ts'
import { FatalError } from '../domain/errors.ts'
import { type Finding, note, ok, wrong } from '../domain/operator.ts'
import { PortTaken, probePort } from './port.ts'
import { findExoix } from './probe.ts'

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
