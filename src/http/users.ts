import { Elysia } from 'elysia'
import { noPermission, starting, userNotMonitored } from '../errors.ts'
import type { Keys } from '../keys.ts'
import type { PresenceStore, Snapshot } from '../presence-store.ts'
import type { Readiness } from '../readiness.ts'
import { keyOwner } from './auth.ts'
import { envelope, failure } from './envelope.ts'
import { JSON_TYPE } from './headers.ts'
import { answer, type ContentHeaders, type Representation, represent } from './representation.ts'

export interface UserDeps {
  readonly presences: PresenceStore
  readonly keys: Keys
  readonly readiness: () => Readiness
}

// Pollers may keep an answer, and must ask whether it still holds.
const PUBLIC: ContentHeaders = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'public, no-cache' }
const OWN: ContentHeaders = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'private, no-cache', Vary: 'Authorization' }

/** Presences over REST. Reads touch memory only and send what was made for the first of them. */
export function userRoutes({ presences, keys, readiness }: UserDeps) {
  const shared = new WeakMap<Snapshot, Representation>()

  function presence(request: Request, id: string): Response | Promise<Response> {
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return id === '@me' ? own(request) : failure(unknownUser(id))
    const made = shared.get(snapshot)
    if (made !== undefined) return answer(made, request)
    const making = represent(() => bytes(snapshot), PUBLIC)
    shared.set(snapshot, making)
    return answer(making, request)
  }

  function own(request: Request): Response | Promise<Response> {
    const id = keyOwner(request, keys)
    if (id === undefined) return failure(noPermission())
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return failure(unknownUser(id))
    return answer(
      represent(() => bytes(snapshot), OWN),
      request,
    )
  }

  function unknownUser(id: string) {
    return readiness() === 'starting' && !presences.isHidden(id) ? starting() : userNotMonitored()
  }

  return new Elysia({ name: 'users' })
    .get('/v1/users/:id', ({ request, params: { id } }) => presence(request, id))
    .get('/v1/users/@me', ({ request }) => own(request))
}

const bytes = (snapshot: Snapshot) => Buffer.from(envelope(snapshot.json))
