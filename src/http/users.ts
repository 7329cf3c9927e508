import { Type } from '@sinclair/typebox'
import { type AnyElysia, Elysia } from 'elysia'
import { ME } from '../domain/calls.ts'
import { invalidIds, noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { Interest } from '../domain/interest.ts'
import type { Snapshot } from '../domain/presences.ts'
import { Lru } from '../lib/lru.ts'
import { createMonitored, type MonitoredDeps, PUBLIC, whyUnknown } from './access.ts'
import type { Charge } from './admission.ts'
import { queryOf } from './normalize.ts'
import { IF_NONE_MATCH, operation, USER_ID } from './openapi.ts'
import { answer, type Representation, represent } from './representation.ts'
import { envelope, failure } from './response.ts'
import { PRESENCE_EXAMPLE, successOf } from './schema.ts'

const ANSWERS = [
  {
    description: 'The presence. Every key is always there',
    content: { 'application/json': successOf(Type.Ref('#/components/schemas/Presence')) },
    example: { success: true, data: PRESENCE_EXAMPLE },
  },
  { status: 304, description: 'Nothing has changed since the given ETag' },
]

const READ = operation({
  tag: 'Presence',
  summary: "A person's presence",
  description: 'As it is this moment: status, activities, music, profile and pairs.',
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [userNotMonitored(), starting()],
})

const READ_OWN = operation({
  tag: 'Presence',
  summary: "The presence of the key's owner",
  description: 'For programs that have a key and no id.',
  parameters: [IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [noPermission(), userNotMonitored(), starting()],
  key: true,
})

/** Ids that may be asked for at once. */
const MOST_IDS = 50
/** Characters of presences that are sent at once. Whose pairs are that long are read one by one. */
const LONGEST = 16 * 1024 * 1024
/** What is made for sets of people somebody asks for again and again, in bytes. */
const KEPT = 32 * 1024 * 1024
/** People in one answer that cost about as much as one request of its own. */
const PEOPLE_A_REQUEST = 10

const WRONG_IDS = `ids must be 1 to ${MOST_IDS} user ids, separated by commas`
const TOO_LONG = 'these presences are too long together, please ask for fewer'

const READ_MANY = operation({
  tag: 'Presence',
  summary: 'The presences of several people',
  description: `A map from id to presence, in the order of \`ids\`, without those nobody knows of. It counts as one request for
every ${PEOPLE_A_REQUEST} people.`,
  parameters: [
    {
      name: 'ids',
      in: 'query',
      description: `1 to ${MOST_IDS} Discord ids, separated by commas`,
      schema: Type.String({ examples: [PRESENCE_EXAMPLE.discord_user.id] }),
      required: true,
    },
    IF_NONE_MATCH,
  ],
  answers: [
    {
      description: 'The presences by id',
      content: {
        'application/json': successOf(Type.Record(Type.String(), Type.Ref('#/components/schemas/Presence'))),
      },
      example: { success: true, data: { [PRESENCE_EXAMPLE.discord_user.id]: PRESENCE_EXAMPLE } },
    },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
  failures: [invalidIds(WRONG_IDS)],
})

interface UsersDeps extends MonitoredDeps {
  readonly charge: Charge
  readonly interest: Pick<Interest, 'look'>
}

/** What was made for some people, and of which of their presences. */
interface MadeOfMany {
  readonly snapshots: readonly Snapshot[]
  readonly representation: Representation
  readonly bytes: number
}

/** Presences over REST. Reads touch memory only and send what was made for the first of them. */
export class Users {
  readonly #deps: UsersDeps
  readonly #own: (request: Request) => Promise<Response>
  readonly #made = new WeakMap<Snapshot, Representation>()
  /** The compressed forms stand beside the plain one. */
  readonly #madeOfMany = new Lru<MadeOfMany>(KEPT, ({ bytes, snapshots }) => 2 * bytes + 100 * snapshots.length)

  constructor(deps: UsersDeps) {
    this.#deps = deps
    this.#own = createMonitored(deps, bytes).own
  }

  routes(): AnyElysia {
    return new Elysia({ name: 'users' })
      .get('/v1/users/:id', ({ request, params: { id } }) => this.read(request, id), READ)
      .get('/v1/users/@me', ({ request }) => this.#own(request), READ_OWN)
      .get('/v1/users', ({ request }) => this.#many(request), READ_MANY)
  }

  /** Answers `GET /v1/users/:id`, for a route of Bun's own in front of Elysia's, too. */
  read(request: Request, id: string): Response | Promise<Response> {
    if (id === ME) return this.#own(request)
    const { presences } = this.#deps
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return failure(whyUnknown(presences))
    this.#deps.interest.look(snapshot.id)
    const made = this.#made.get(snapshot)
    if (made !== undefined) return answer(made, request)
    const making = represent(() => bytes(snapshot), PUBLIC)
    this.#made.set(snapshot, making)
    return answer(making, request)
  }

  /** @throws ApiError 400 `invalid_ids`, 429 `rate_limited` */
  #many(request: Request): Response {
    const ids = readIds(request)
    this.#deps.charge(request, Math.ceil(ids.length / PEOPLE_A_REQUEST) - 1)
    const snapshots = ids.flatMap(id => this.#deps.presences.snapshot(id) ?? [])
    for (const { id } of snapshots) this.#deps.interest.look(id)
    const key = ids.join(',')
    const known = this.#madeOfMany.get(key)
    if (known !== undefined && isSame(known.snapshots, snapshots)) return answer(known.representation, request)
    const length = snapshots.reduce((sum, { json }) => sum + json.length, 0)
    if (snapshots.length > 1 && length > LONGEST) throw invalidIds(TOO_LONG)
    const body = bytesOfMany(snapshots)
    const representation = represent(() => body, PUBLIC)
    this.#madeOfMany.set(key, { snapshots, representation, bytes: body.byteLength })
    return answer(representation, request)
  }
}

/** Each once, in the order in which they are asked for. */
function readIds(request: Request): readonly string[] {
  const lists = new URLSearchParams(queryOf(request)).getAll('ids')
  const ids = new Set(lists.flatMap(list => list.split(',').map(id => id.trim())))
  ids.delete('')
  if (ids.size === 0 || ids.size > MOST_IDS) throw invalidIds(WRONG_IDS)
  return [...ids]
}

const isSame = (some: readonly Snapshot[], others: readonly Snapshot[]) =>
  some.length === others.length && some.every((snapshot, at) => snapshot === others[at])

const bytes = (snapshot: Snapshot) => Buffer.from(envelope(snapshot.json))

const bytesOfMany = (snapshots: readonly Snapshot[]) =>
  Buffer.from(envelope(`{${snapshots.map(({ id, json }) => `"${id}":${json}`).join(',')}}`))
