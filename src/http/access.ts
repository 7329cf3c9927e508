import { type ApiError, noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { Keys } from '../domain/keys.ts'
import type { PresenceStore, Snapshot } from '../domain/presence-store.ts'
import type { Readiness } from '../domain/presences.ts'
import type { Bytes } from './compression.ts'
import { answer, type ContentHeaders, failure, JSON_TYPE, represent } from './response.ts'

/**
 * The person whose key is in the `Authorization` header, raw or as `Bearer <key>`. Undefined when the header is missing,
 * blank or no live key: those never match anybody.
 */
export function keyOwner(request: Request, keys: Keys): string | undefined {
  const header = request.headers.get('Authorization')?.trim() ?? ''
  const key = header.replace(/^bearer\s+/i, '')
  return keys.owner(key)
}

/**
 * The id a route means, `@me` resolved, once the key proves to be its owner's.
 * @throws ApiError 401 `no_permission` for a missing, unknown or other person's key
 */
export function requireOwner(request: Request, id: string, keys: Keys): string {
  const owner = keyOwner(request, keys)
  if (owner === undefined || (id !== '@me' && id !== owner)) throw noPermission()
  return owner
}

export interface MonitoredDeps {
  readonly presences: PresenceStore
  readonly keys: Keys
  readonly readiness: () => Readiness
}

/** Pollers may keep an answer, and must ask whether it still holds. */
export const PUBLIC: ContentHeaders = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'public, no-cache' }
const OWN: ContentHeaders = { 'Content-Type': JSON_TYPE, 'Cache-Control': 'private, no-cache', Vary: 'Authorization' }

/** Why there is nothing to tell about somebody: not monitored, or not yet. */
export function whyUnknown(
  { presences, readiness }: Pick<MonitoredDeps, 'presences' | 'readiness'>,
  id: string,
): ApiError {
  return readiness() === 'starting' && !presences.isHidden(id) ? starting() : userNotMonitored()
}

/** What every way to read about one person has in common. */
export function createMonitored(deps: MonitoredDeps, body: (snapshot: Snapshot) => Bytes) {
  const { presences, keys } = deps
  const unknown = (id: string) => whyUnknown(deps, id)

  return {
    unknown,

    /** Tells the key's owner about themselves. */
    own(request: Request): Response | Promise<Response> {
      const id = keyOwner(request, keys)
      if (id === undefined) return failure(noPermission())
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return failure(unknown(id))
      return answer(
        represent(() => body(snapshot), OWN),
        request,
      )
    },
  }
}
