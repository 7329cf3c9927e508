import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { noPermission, rateLimited, starting, upgradeFailed, userNotMonitored } from '../domain/errors.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { keyHolder, type MonitoredDeps, whyUnknown } from './access.ts'
import { operation, USER_ID } from './openapi.ts'
import { COMMON_HEADERS, failure } from './response.ts'
import { PRESENCE_EXAMPLE, TEXT } from './schema.ts'

/** The way in to the sockets: whoever speaks WebSocket stands behind it. */
export interface SocketDoor {
  readonly websocket: Bun.WebSocketHandler<unknown>
  /** Takes the connection over. False when the request cannot be upgraded. */
  upgrade(request: Request, server: Bun.Server<unknown>, address: string): boolean
  /** Whether this address may open one more socket. */
  admits(address: string): boolean
}

interface SocketRouteDeps {
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

/** Where event streams come from. */
export interface EventStreams {
  /** The body of an answer that begins with how the person is now and goes on with every change. */
  open(id: string, address: string): ReadableStream
}

interface EventRoutesDeps extends MonitoredDeps {
  readonly streams: EventStreams
  readonly addresses: Pick<Addresses, 'admits'>
  readonly addressOf: (request: Request) => string
}

const HEADERS = {
  ...COMMON_HEADERS,
  'Content-Type': 'text/event-stream; charset=utf-8',
  // A proxy that compresses or gathers would hold events back.
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
}

const DESCRIPTION = `For \`EventSource\`, or anything that reads a body as it comes. The first event is how the person is now,
then one comes for every change: its data is the whole presence on one line, its id a number that rises and may skip.
Events have no name. Who reads too slowly is told the newest state, not every state on the way. Lines that begin with a
colon keep the connection alive. Reconnecting begins with how the person is then, whatever \`Last-Event-ID\` says. Somebody
who leaves or hides causes no event; the stream goes on when they come back.`

const EVENTS = [
  {
    description: 'Events, until the client leaves',
    content: { 'text/event-stream': TEXT },
    example: `retry: 2719\nid: 7\ndata: ${JSON.stringify(PRESENCE_EXAMPLE)}\n\n`,
  },
]

const FOLLOW = operation({
  tag: 'Socket',
  summary: "A person's presence as it changes, as server-sent events",
  description: DESCRIPTION,
  parameters: [USER_ID],
  answers: EVENTS,
  failures: [userNotMonitored(), starting()],
})

const FOLLOW_OWN = operation({
  tag: 'Socket',
  summary: "The presence of the key's owner as it changes, as server-sent events",
  description: 'As by id. `EventSource` sends no key: this is for programs that read the body themselves.',
  answers: EVENTS,
  failures: [noPermission(), userNotMonitored(), starting()],
  key: true,
})

/** Presences for those who cannot hold a WebSocket. */
export function eventRoutes(deps: EventRoutesDeps) {
  const { presences, calls, streams, addresses, addressOf } = deps

  function follow(request: Request, id: string): Response {
    if (!presences.has(id)) return failure(whyUnknown(presences))
    const address = addressOf(request)
    if (!addresses.admits(address)) return failure(rateLimited(TOO_MANY))
    // The answer to HEAD is made the same way: nothing is begun before the server asks for the body.
    return new Response(streams.open(id, address), { headers: HEADERS })
  }

  async function own(request: Request): Promise<Response> {
    const holder = await keyHolder(request, calls)
    return holder === undefined ? failure(noPermission()) : follow(request, holder.userId)
  }

  return new Elysia({ name: 'events' })
    .get(
      '/v1/users/:id/events',
      ({ request, params: { id } }) => (id === '@me' ? own(request) : follow(request, id)),
      FOLLOW,
    )
    .get('/v1/users/@me/events', ({ request }) => own(request), FOLLOW_OWN)
}
