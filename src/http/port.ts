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
