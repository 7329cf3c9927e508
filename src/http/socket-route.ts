import { Elysia } from 'elysia'
import { rateLimited, upgradeFailed } from '../errors.ts'
import { failure } from './envelope.ts'

/** The way in to the sockets: whoever speaks WebSocket stands behind it. */
export interface SocketDoor {
  readonly websocket: Bun.WebSocketHandler<unknown>
  /** Takes the connection over. False when the request cannot be upgraded. */
  upgrade(request: Request, server: Bun.Server<unknown>, address: string): boolean
  /** Whether this address may open one more socket. */
  admits(address: string): boolean
}

export interface SocketRouteDeps {
  readonly sockets: SocketDoor
  readonly server: () => Bun.Server<unknown>
  readonly addressOf: (request: Request) => string
  /** The request as it arrived: only that one carries the connection. */
  readonly original: (request: Request) => Request
}

/** Seconds until somebody with too many sockets is told to try again. */
const TOO_MANY = 30
/** The answer of a request that is none any more. Never sent. */
const SWITCHED = 101

export function socketRoute({ sockets, server, addressOf, original }: SocketRouteDeps) {
  function open(request: Request): Response {
    if (request.headers.get('Upgrade')?.toLowerCase() !== 'websocket') return failure(upgradeFailed())
    const address = addressOf(request)
    if (!sockets.admits(address)) return failure(rateLimited(TOO_MANY))
    const upgraded = sockets.upgrade(request, server(), address)
    return upgraded ? new Response(null, { status: SWITCHED }) : failure(upgradeFailed())
  }

  return new Elysia({ name: 'socket' }).get('/socket', ({ request }) => open(original(request)))
}
