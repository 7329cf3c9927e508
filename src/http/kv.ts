import { Elysia } from 'elysia'
import { invalidKvValue, kvNotFound } from '../domain/errors.ts'
import type { Keys } from '../domain/keys.ts'
import type { Kv } from '../domain/kv.ts'
import { kvJson } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Readiness } from '../domain/presences.ts'
import { requireOwner } from './auth.ts'
import type { BodyLimit } from './body.ts'
import { envelope, noContent } from './envelope.ts'
import { JSON_TYPE } from './headers.ts'
import { KV_OPERATIONS } from './kv-docs.ts'
import { whyUnknown } from './monitored.ts'
import { answer, type ContentHeaders, type Representation, represent } from './representation.ts'
import { createUploads } from './uploads.ts'

export interface KvRoutesDeps {
  readonly presences: PresenceStore
  readonly kv: Kv
  readonly keys: Keys
  readonly readiness: () => Readiness
}

const VALUE_BODY = { bytes: 128 * 1024, name: '128 KiB' }
const PAIRS_BODY = { bytes: 8 * 1024 * 1024, name: '8 MiB' }

/** A value is kept as it came: a byte order mark is part of it. */
const VALUE_TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const JSON_TEXT = new TextDecoder('utf-8', { fatal: true })

const PLAIN_TYPE = 'text/plain; charset=utf-8'
const PUBLIC = { 'Cache-Control': 'public, no-cache' } as const
const OWN = { 'Cache-Control': 'private, no-cache', Vary: 'Authorization' } as const

/** The body is read by the handlers, after the key has been checked and up to a limit. */
const UNPARSED = { parse: 'none' } as const

/** Pairs over REST: reads are public like the presence they are part of, writes need the owner's key. */
export function kvRoutes({ presences, kv, keys, readiness }: KvRoutesDeps) {
  const owner = (request: Request, id: string) => requireOwner(request, id, keys)
  const upload = createUploads()
  const lists = { public: createLists(PUBLIC), own: createLists(OWN) }

  /** With `@me` people may read their own pairs while they are not shown to anybody. */
  function readable(request: Request, id: string): ReadonlyMap<string, string> {
    if (id === '@me') return presences.kv(owner(request, id))
    if (presences.has(id)) return presences.kv(id)
    throw whyUnknown({ presences, readiness }, id)
  }

  /** A body may take as long as its sender likes, and a key that was revoked meanwhile must not write any more. */
  async function receive(request: Request, id: string, limit: BodyLimit) {
    const body = await upload(owner(request, id), request, limit)
    return { userId: owner(request, id), body }
  }

  return new Elysia({ name: 'kv' })
    .get(
      '/v1/users/:id/kv',
      ({ request, params: { id } }) => {
        const list = id === '@me' ? lists.own : lists.public
        return answer(list(readable(request, id)), request)
      },
      KV_OPERATIONS.list,
    )
    .get(
      '/v1/users/:id/kv/:key',
      ({ request, params: { id, key } }) => {
        const value = readable(request, id).get(key)
        if (value === undefined) throw kvNotFound()
        return show(request, id, value)
      },
      KV_OPERATIONS.read,
    )
    .put(
      '/v1/users/:id/kv/:key',
      async ({ request, params: { id, key } }) => {
        const { userId, body } = await receive(request, id, VALUE_BODY)
        await kv.put(userId, key, readValue(body))
        return noContent()
      },
      { ...UNPARSED, ...KV_OPERATIONS.put },
    )
    .patch(
      '/v1/users/:id/kv',
      async ({ request, params: { id } }) => {
        const { userId, body } = await receive(request, id, PAIRS_BODY)
        await kv.merge(userId, readJson(body))
        return noContent()
      },
      { ...UNPARSED, ...KV_OPERATIONS.merge },
    )
    .delete(
      '/v1/users/:id/kv/:key',
      async ({ request, params: { id, key } }) => {
        await kv.delete(owner(request, id), key)
        return noContent()
      },
      { ...UNPARSED, ...KV_OPERATIONS.remove },
    )
    .delete(
      '/v1/users/:id/kv',
      async ({ request, params: { id } }) => {
        await kv.clear(owner(request, id))
        return noContent()
      },
      { ...UNPARSED, ...KV_OPERATIONS.clear },
    )
}

/** Compressed, and not sent again to a client that has it. */
function show(request: Request, id: string, value: string): Response | Promise<Response> {
  const body = Buffer.from(value)
  const reach = id === '@me' ? OWN : PUBLIC
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

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(JSON_TEXT.decode(bytes))
  } catch {
    throw invalidKvValue('body must be an object')
  }
}
