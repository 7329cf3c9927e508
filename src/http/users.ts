import { Type } from '@sinclair/typebox'
import { type AnyElysia, Elysia } from 'elysia'
import { noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { Snapshot } from '../domain/presences.ts'
import { createMonitored, type MonitoredDeps, PUBLIC, whyUnknown } from './access.ts'
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
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [userNotMonitored(), starting()],
})

const READ_OWN = operation({
  tag: 'Presence',
  summary: "The presence of the key's owner",
  parameters: [IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [noPermission(), userNotMonitored(), starting()],
  key: true,
})

export interface Users {
  readonly routes: AnyElysia
  /** Answers `GET /v1/users/:id`, for a route of Bun's own in front of Elysia's. */
  read(request: Request, id: string): Response | Promise<Response>
}

/** Presences over REST. Reads touch memory only and send what was made for the first of them. */
export function createUsers(deps: MonitoredDeps): Users {
  const { presences } = deps
  const { own } = createMonitored(deps, bytes)
  const shared = new WeakMap<Snapshot, Representation>()

  function presence(request: Request, id: string): Response | Promise<Response> {
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return failure(whyUnknown(presences))
    const made = shared.get(snapshot)
    if (made !== undefined) return answer(made, request)
    const making = represent(() => bytes(snapshot), PUBLIC)
    shared.set(snapshot, making)
    return answer(making, request)
  }

  const read = (request: Request, id: string) => (id === '@me' ? own(request) : presence(request, id))

  return {
    routes: new Elysia({ name: 'users' })
      .get('/v1/users/:id', ({ request, params: { id } }) => read(request, id), READ)
      .get('/v1/users/@me', ({ request }) => own(request), READ_OWN),
    read,
  }
}

const bytes = (snapshot: Snapshot) => Buffer.from(envelope(snapshot.json))
