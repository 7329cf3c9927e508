import { noPermission } from '../domain/errors.ts'
import type { Keys } from '../domain/keys.ts'

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
