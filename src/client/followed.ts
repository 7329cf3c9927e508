import type { Presence, State } from './presence.ts'

/** What an adapter gives a component: how somebody is, and how it stands with them. */
export interface Followed {
  /** The last one known, also while the connection is lost; undefined before the first, and of whom nothing is known. */
  readonly presence: Presence | undefined
  readonly state: State
}

export const CONNECTING: Followed = { presence: undefined, state: 'connecting' }

/** The same with what is new. */
export function next(last: Followed, news: Partial<Followed>): Followed {
  const followed = { ...last, ...news }
  return followed.state === 'unknown' ? { ...followed, presence: undefined } : followed
}
