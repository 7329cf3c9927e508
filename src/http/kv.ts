import { Elysia } from 'elysia'
import { type Calls, ME } from '../domain/calls.ts'
import {
  invalidKvValue,
  kvNotFound,
  kvValidationFailed,
  noPermission,
  payloadTooLarge,
  starting,
  storageFull,
  storageUnavailable,
  userNotMonitored,
} from '../domain/errors.ts'
import { keyLimitExceeded } from '../domain/kv.ts'
import { KV_LIMITS, KV_MESSAGES } from '../domain/kv-limits.ts'
import { kvJson } from '../domain/presence.ts'
import type { Presences } from '../domain/presences.ts'
import { requireOwner, whyUnknown } from './access.ts'
import type { Charge } from './admission.ts'
import { type BodyLimit, requireListener, Uploads } from './body.ts'
import { IF_NONE_MATCH, OWNER_ID, operation, PAIR_KEY } from './openapi.ts'
import { readPairs } from './pairs-body.ts'
import { answer, type ContentHeaders, type Representation, represent } from './representation.ts'
import { envelope, JSON_TYPE, noContent } from './response.ts'
import { PAIRS, successOf, TEXT } from './schema.ts'

const LOCATION = { location: 'Berlin' }
const STORED = [{ status: 204, description: 'Done' }]
const UNCHANGED = { status: 304, description: 'Nothing has changed since the given ETag' }
const READ_FAILURES = [userNotMonitored(), noPermission(), starting()]
const WRITE_FAILURES = [noPermission(), storageUnavailable()]
const STORE_FAILURES = [...WRITE_FAILURES, storageFull(256)]

const LENGTH = KV_LIMITS.valueLength.toLocaleString('en')

/** How the API document shows the routes of key-value pairs. */
const KV_OPERATIONS = {
  list: operation({
    tag: 'KV',
    summary: 'All pairs of a person',
    description: 'Public, like the presence they are part of. Only `@me` needs a key.',
    parameters: [OWNER_ID, IF_NONE_MATCH],
    answers: [
      {
        description: 'The pairs',
        content: { 'application/json': successOf(PAIRS) },
        example: { success: true, data: LOCATION },
      },
      UNCHANGED,
    ],
    failures: READ_FAILURES,
  }),
  read: operation({
    tag: 'KV',
    summary: 'One value',
    description: 'Public as all pairs are, and plain text as it was stored.',
    parameters: [OWNER_ID, PAIR_KEY, IF_NONE_MATCH],
    answers: [
      { description: 'The value as it was stored', content: { 'text/plain': TEXT }, example: 'Berlin' },
      UNCHANGED,
    ],
    failures: [...READ_FAILURES, kvNotFound()],
  }),
  put: operation({
    tag: 'KV',
    summary: 'Sets one pair',
    description: `The body is the value, kept verbatim whatever its content type: at most ${LENGTH} characters of UTF-8.`,
    parameters: [OWNER_ID, PAIR_KEY],
    body: { description: 'The value', content: { 'text/plain': TEXT } },
    answers: STORED,
    failures: [
      ...STORE_FAILURES,
      kvValidationFailed(KV_MESSAGES.valueTooLong),
      invalidKvValue('body must be UTF-8 text'),
      payloadTooLarge('128 KiB'),
    ],
    key: true,
  }),
  merge: operation({
    tag: 'KV',
    summary: 'Sets many pairs, all or nothing',
    description: 'Pairs that are not named stay as they are.',
    parameters: [OWNER_ID],
    body: { description: 'The pairs', content: { 'application/json': PAIRS } },
    answers: STORED,
    failures: [...STORE_FAILURES, keyLimitExceeded(), invalidKvValue(KV_MESSAGES.noObject), payloadTooLarge('8 MiB')],
    key: true,
  }),
  remove: operation({
    tag: 'KV',
    summary: 'Removes one pair',
    description: 'Also when it was not there.',
    parameters: [OWNER_ID, PAIR_KEY],
    answers: STORED,
    failures: WRITE_FAILURES,
    key: true,
  }),
  clear: operation({
    tag: 'KV',
    summary: 'Removes all pairs',
    description: 'Also when there was none.',
    parameters: [OWNER_ID],
    answers: STORED,
    failures: WRITE_FAILURES,
    key: true,
  }),
}

interface KvRoutesDeps {
  readonly presences: Presences
  readonly calls: Calls
  readonly charge: Charge
  /** Milliseconds in which the body of a request must have arrived. */
  readonly bodyPatience?: number
}

const VALUE_BODY = { bytes: 128 * 1024, name: '128 KiB' }
const PAIRS_BODY = { bytes: 8 * 1024 * 1024, name: '8 MiB' }

/** A value is kept as it came: a byte order mark is part of it. */
const VALUE_TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const PLAIN_TYPE = 'text/plain; charset=utf-8'
const PUBLIC = { 'Cache-Control': 'public, no-cache' } as const
const OWN = { 'Cache-Control': 'private, no-cache', Vary: 'Authorization' } as const

/** Characters of pairs that are sent along with a write as part of the presence, and cost as much as a request. */
const SENT_FOR_ONE = 1024 * 1024

/** The body is read by the handlers, after the key has been checked and up to a limit. */
const UNPARSED = { parse: 'none' } as const

/** Pairs over REST: reads are public like the presence they are part of, writes need the owner's key. */
export function kvRoutes(deps: KvRoutesDeps) {
  const pairs = new Pairs(deps)
  return new Elysia({ name: 'kv' })
    .get('/v1/users/:id/kv', ({ request, params: { id } }) => pairs.list(request, id), KV_OPERATIONS.list)
    .get(
      '/v1/users/:id/kv/:key',
      ({ request, params: { id, key } }) => pairs.read(request, id, key),
      KV_OPERATIONS.read,
    )
    .put('/v1/users/:id/kv/:key', ({ request, params: { id, key } }) => pairs.put(request, id, key), {
      ...UNPARSED,
      ...KV_OPERATIONS.put,
    })
    .patch('/v1/users/:id/kv', ({ request, params: { id } }) => pairs.merge(request, id), {
      ...UNPARSED,
      ...KV_OPERATIONS.merge,
    })
    .delete('/v1/users/:id/kv/:key', ({ request, params: { id, key } }) => pairs.remove(request, id, key), {
      ...UNPARSED,
      ...KV_OPERATIONS.remove,
    })
    .delete('/v1/users/:id/kv', ({ request, params: { id } }) => pairs.clear(request, id), {
      ...UNPARSED,
      ...KV_OPERATIONS.clear,
    })
}

/** What people do with their pairs. Each answers, or rejects with an ApiError. */
class Pairs {
  readonly #presences: Presences
  readonly #calls: Calls
  readonly #charge: Charge
  readonly #uploads: Uploads
  readonly #lists = { public: createLists(PUBLIC), own: createLists(OWN) }

  constructor({ presences, calls, charge, bodyPatience }: KvRoutesDeps) {
    this.#presences = presences
    this.#calls = calls
    this.#charge = charge
    this.#uploads = new Uploads(bodyPatience)
  }

  async list(request: Request, id: string): Promise<Response> {
    const list = id === ME ? this.#lists.own : this.#lists.public
    return answer(list(await this.#readable(request, id)), request)
  }

  async read(request: Request, id: string, key: string): Promise<Response> {
    const value = (await this.#readable(request, id)).get(key)
    if (value === undefined) throw kvNotFound()
    return show(request, id, value)
  }

  async put(request: Request, id: string, key: string): Promise<Response> {
    const { keyHash, body } = await this.#receive(request, id, VALUE_BODY)
    await this.#calls.put(keyHash, id, key, readValue(body))
    return noContent()
  }

  async merge(request: Request, id: string): Promise<Response> {
    const { keyHash, body } = await this.#receive(request, id, PAIRS_BODY)
    await this.#calls.merge(keyHash, id, readPairs(body))
    return noContent()
  }

  async remove(request: Request, id: string, key: string): Promise<Response> {
    await this.#calls.delete(await this.#writer(request, id), id, key)
    return noContent()
  }

  async clear(request: Request, id: string): Promise<Response> {
    await this.#calls.clear(await this.#writer(request, id), id)
    return noContent()
  }

  /** With `@me` people may read their own pairs while they are not shown to anybody. */
  async #readable(request: Request, id: string): Promise<ReadonlyMap<string, string>> {
    if (id === ME) return this.#calls.pairs((await requireOwner(request, id, this.#calls)).keyHash, id)
    if (this.#presences.has(id)) return this.#presences.kv(id)
    throw whyUnknown(this.#presences)
  }

  /** Who may write: a write is sent to all who follow its owner, and counts as what of their presence is sent again. */
  async #owner(request: Request, id: string) {
    const holder = await requireOwner(request, id, this.#calls)
    this.#charge(request, Math.floor(lengthOf(this.#presences.kv(holder.userId)) / SENT_FOR_ONE))
    return holder
  }

  /** A body may take as long as is allowed: the key is checked before it is read, and by the call again. */
  async #receive(request: Request, id: string, limit: BodyLimit) {
    const { keyHash, userId } = await this.#owner(request, id)
    const body = await this.#uploads.read(userId, request, limit)
    await requireListener(request)
    return { keyHash, body }
  }

  async #writer(request: Request, id: string): Promise<string> {
    const { keyHash } = await this.#owner(request, id)
    await requireListener(request)
    return keyHash
  }
}

function lengthOf(pairs: ReadonlyMap<string, string>): number {
  let length = 0
  for (const value of pairs.values()) length += value.length
  return length
}

/** Compressed, and not sent again to a client that has it. */
function show(request: Request, id: string, value: string): Response | Promise<Response> {
  const body = Buffer.from(value)
  const reach = id === ME ? OWN : PUBLIC
  return answer(
    represent(() => body, { 'Content-Type': PLAIN_TYPE, ...reach }),
    request,
  )
}

/**
 * All pairs of a person, made once per change. They may be megabytes, of which a copy for each client that is slow to
 * read them would fill memory.
 */
function createLists(
  reach: Omit<ContentHeaders, 'Content-Type'>,
): (pairs: ReadonlyMap<string, string>) => Representation {
  const shared = new WeakMap<ReadonlyMap<string, string>, Representation>()
  return pairs => {
    const known = shared.get(pairs)
    if (known !== undefined) return known
    const made = represent(() => Buffer.from(envelope(kvJson(pairs))), { 'Content-Type': JSON_TYPE, ...reach })
    shared.set(pairs, made)
    return made
  }
}

function readValue(bytes: Uint8Array): string {
  try {
    return VALUE_TEXT.decode(bytes)
  } catch {
    throw invalidKvValue('body must be UTF-8 text')
  }
}
