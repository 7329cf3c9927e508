import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'

/** Another program listens where this one was told to. */
export class PortTaken extends FatalError {
  constructor(
    readonly host: string,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(HINTS.portTaken(host, port), options)
  }
}

/** Runs what opens the port; says in one sentence what the operator has to change when it cannot be opened. */
export function listening<T>(host: string, port: number, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw new PortTaken(host, port, { cause: error })
    throw new FatalError(explain(error, host, port), { cause: error })
  }
}

function explain(error: unknown, host: string, port: number): string {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return `This user may not open port ${port}: set PORT to one above 1023, or grant the permission.`
    default:
      return `HOST ${JSON.stringify(host)} is no address this machine can listen on: set it to 0.0.0.0, :: or one of its own addresses.`
  }
}

const codeOf = (error: unknown) => (error as { code?: unknown } | null)?.code

/** An address people can open: every interface also means this machine. */
export function reachableUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
