import { Elysia } from 'elysia'
import { noPermission, rateLimited, starting, userNotMonitored } from '../../domain/errors.ts'
import type { Addresses } from '../../lib/semaphore.ts'
import type { EventStreams } from '../../live/sse.ts'
import { keyOwner } from '../auth.ts'
import { failure } from '../envelope.ts'
import { COMMON_HEADERS } from '../headers.ts'
import { type MonitoredDeps, whyUnknown } from '../monitored.ts'
import { operation } from '../operation.ts'
import { PRESENCE_EXAMPLE, TEXT, USER_ID } from '../schema.ts'

export interface EventRoutesDeps extends MonitoredDeps {
  readonly streams: EventStreams
  readonly addresses: Pick<Addresses, 'admits'>
  readonly addressOf: (request: Request) => string
  /** The request as it arrived: only that one carries the connection. */
  readonly original: (request: Request) => Request
}

/** Seconds until somebody with too many connections is told to try again. */
const TOO_MANY = 30

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
  answers: EVENTS,
  failures: [noPermission(), userNotMonitored(), starting()],
  key: true,
})

/** Presences for those who cannot hold a WebSocket. */
export function eventRoutes(deps: EventRoutesDeps) {
  const { presences, keys, streams, addresses, addressOf, original } = deps

  function follow(request: Request, id: string): Response {
    if (!presences.has(id)) return failure(whyUnknown(deps, id))
    const address = addressOf(request)
    if (!addresses.admits(address)) return failure(rateLimited(TOO_MANY))
    // The answer to HEAD is made the same way: nothing is begun before the server asks for the body.
    return new Response(streams.open(id, address), { headers: HEADERS })
  }

  function own(request: Request): Response {
    const id = keyOwner(request, keys)
    return id === undefined ? failure(noPermission()) : follow(request, id)
  }

  return new Elysia({ name: 'events' })
    .get(
      '/v1/users/:id/events',
      ({ request, params: { id } }) => (id === '@me' ? own(original(request)) : follow(original(request), id)),
      FOLLOW,
    )
    .get('/v1/users/@me/events', ({ request }) => own(original(request)), FOLLOW_OWN)
}
