import { type Calls, ME } from '../domain/calls.ts'
import { type ApiError, noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import { hashKey } from '../domain/keys.ts'
import type { Presences, Snapshot } from '../domain/presences.ts'
import type { Bytes } from '../lib/bytes.ts'
import { answer, type ContentHeaders, represent } from './representation.ts'
import { failure, JSON_TYPE } from './response.ts'

/**
 * The hash of the key in the `Authorization` header, raw or as `Bearer <key>`. Undefined when the header is missing or
 * blank: that never matches anybody.
 */
function shownKey(request: Request): string | undefined {
  const header = request.headers.get('Authorization')?.trim() ?? ''
  const key = header.replace(/^bearer\s+/i, '')
  return key === '' ? undefined : hashKey(key)
}

/** Whose key a request shows, and its hash. */
export interface KeyHolder {
  readonly keyHash: string
  readonly userId: string
}

/** Undefined when the request shows no live key. */
export async function keyHolder(request: Request, calls: Calls): Promise<KeyHolder | undefined> {
  const keyHash = shownKey(request)
  const userId = keyHash && (await calls.ownerOf(keyHash))
  return keyHash === undefined || userId === undefined ? undefined : { keyHash, userId }
}

/**
 * Who shows the key of the person that a route means, {@link ME} or by id.
 * @throws ApiError 401 `no_permission` for a missing, unknown or other person's key
 */
export async function requireOwner(request: Request, id: string, calls: Calls): Promise<KeyHolder> {
  const holder = await keyHolder(request, calls)
  if (holder === undefined || (id !== ME && id !== holder.userId)) throw noPermission()
  return holder
}

export interface MonitoredDeps {
  readonly presences: Presences
  readonly calls: Calls
}

/** Pollers may keep an answer, and must ask whether it still holds. */
export const PUBLIC: ContentHeaders = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'public, no-cache' }
const OWN: ContentHeaders = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'private, no-cache', Vary: 'Authorization' }

/** Why there is nothing to tell about somebody: not monitored, or not yet. Hidden people are not told from others. */
export function whyUnknown({ readiness }: Pick<Presences, 'readiness'>): ApiError {
  return readiness === 'starting' ? starting() : userNotMonitored()
}

/** What every way to read about one person has in common. */
export function createMonitored(deps: MonitoredDeps, body: (snapshot: Snapshot) => Bytes) {
  const { presences, calls } = deps

  return {
    /** Tells the key's owner about themselves. */
    async own(request: Request): Promise<Response> {
      const holder = await keyHolder(request, calls)
      if (holder === undefined) return failure(noPermission())
      const snapshot = presences.snapshot(holder.userId)
      if (snapshot === undefined) return failure(whyUnknown(presences))
      return answer(
        represent(() => body(snapshot), OWN),
        request,
      )
    },
  }
}
