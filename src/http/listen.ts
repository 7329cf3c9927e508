import { FatalError } from '../errors.ts'

/** Runs what opens the port; says in one sentence what the operator has to change when it cannot be opened. */
export function listening<T>(host: string, port: number, open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw new FatalError(explain(error, host, port), { cause: error })
  }
}

function explain(error: unknown, host: string, port: number): string {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'EADDRINUSE':
      return `Port ${port} is already in use on ${host}: stop the program that has it, or set PORT to another one.`
    case 'EACCES':
    case 'EPERM':
      return `This user may not open port ${port}: set PORT to one above 1023, or grant the permission.`
    default:
      return `HOST ${JSON.stringify(host)} is no address this machine can listen on: set it to 0.0.0.0, :: or one of its own addresses.`
  }
}

/** An address people can open: every interface also means this machine. */
export function reachableUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
