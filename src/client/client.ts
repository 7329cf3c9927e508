import { type Following, type FollowOptions, followAt } from './follow.ts'

export type { Following, FollowOptions } from './follow.ts'
export type { Activity, Presence, State } from './presence.ts'

/** Follows one person by their id, several, or everybody with `all`. */
export function follow(target: string | readonly string[], options: FollowOptions = {}): Following {
  const host = options.host ?? new URL('.', import.meta.url).href
  const address = /^https?:/i.test(host) ? host : `https://${host}`
  return followAt(address.replace(/\/*$/, '/'), target, options)
}
