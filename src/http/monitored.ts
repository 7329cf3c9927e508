import { type ApiError, noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { Keys } from '../domain/keys.ts'
import type { PresenceStore, Snapshot } from '../domain/presence-store.ts'
import type { Readiness } from '../domain/presences.ts'
import { keyOwner } from './auth.ts'
import type { Bytes } from './compression.ts'
import { failure } from './envelope.ts'
import { JSON_TYPE } from './headers.ts'
import { answer, type ContentHeaders, represent } from './representation.ts'

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
