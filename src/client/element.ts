import type { Presence, State } from './presence.ts'

// Types of `<discord-presence>`, which `/embed.js` of a service defines: for TypeScript, and for JSX of React.

/** What an element on a page tells scripts. It fires `presence` with a presence and `state` with a state as `detail`. */
export interface DiscordPresenceElement extends HTMLElement {
  /** As it was last told, or undefined. */
  readonly presence: Presence | undefined
  readonly state: State
}

/** Pieces that are left out with `hide`, separated by blanks. */
export type Piece =
  | 'activities'
  | 'avatar'
  | 'badges'
  | 'banner'
  | 'custom'
  | 'decoration'
  | 'links'
  | 'platforms'
  | 'seen'
  | 'spotify'
  | 'tag'

export interface DiscordPresenceAttributes {
  /** Id of the person. */
  user?: string | undefined
  /** Address of another service than the one the script comes from. */
  host?: string | undefined
  layout?: 'card' | 'compact' | 'music' | 'pill' | undefined
  /** What is shown beside the usual: the person's pairs. */
  show?: 'kv' | undefined
  /** {@link Piece}s that are left out, separated by blanks. */
  hide?: Piece | (string & {}) | undefined
  theme?: 'light' | 'dark' | undefined
}

declare global {
  interface HTMLElementTagNameMap {
    'discord-presence': DiscordPresenceElement
  }
}
