import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { rateLimited, upgradeFailed } from '../domain/errors.ts'
import { failure } from './envelope.ts'
import { operation } from './operation.ts'

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

const SOCKET = operation({
  tag: 'Socket',
  summary: 'Presences as they change, over a WebSocket',
  description: `Not for a plain request: connect with a WebSocket client. The server sends
\`{"op":1,"d":{"heartbeat_interval":30000}}\`; the client answers with op 2 and whom to follow:
\`{"op":2,"d":{"subscribe_to_id":"…"}}\`, \`{"op":2,"d":{"subscribe_to_ids":["…","…"]}}\` or
\`{"op":2,"d":{"subscribe_to_all":true}}\`. It gets \`{"op":0,"seq":1,"t":"INIT_STATE","d":…}\` with what is known and then
\`{"op":0,"seq":2,"t":"PRESENCE_UPDATE","d":…}\` for every change. \`{"op":3}\` every 30 seconds keeps the connection,
\`{"op":4,"d":{"unsubscribe_from_id":"…"}}\` ends a subscription.

Close codes: 4004 unknown_opcode, 4005 requires_data_object, 4006 invalid_payload, 4008 rate_limited.`,
  parameters: [
    {
      name: 'compression',
      in: 'query',
      description: 'Makes every message of the server a binary frame with one zlib stream of JSON',
      schema: Type.Literal('zlib_json'),
    },
  ],
  answers: [{ status: 101, description: 'The connection is a WebSocket now' }],
  failures: [upgradeFailed()],
})

export function socketRoute({ sockets, server, addressOf, original }: SocketRouteDeps) {
  function open(request: Request): Response {
    if (!isHandshake(request.headers)) return failure(upgradeFailed())
    const address = addressOf(request)
    if (!sockets.admits(address)) return failure(rateLimited(TOO_MANY))
    const upgraded = sockets.upgrade(request, server(), address)
    return upgraded ? new Response(null, { status: SWITCHED }) : failure(upgradeFailed())
  }

  return new Elysia({ name: 'socket' }).get('/socket', ({ request }) => open(original(request)), SOCKET)
}

/** Another version than 13, the only one ever standardised, Bun would refuse by itself, outside of our envelope. */
function isHandshake(headers: Headers): boolean {
  return headers.get('Upgrade')?.toLowerCase() === 'websocket' && headers.get('Sec-WebSocket-Version') === '13'
}
