import { type FollowOptions, follow } from './client.ts'
import { CONNECTING, type Followed, next } from './followed.ts'

/** A store as Svelte's `$` reads it (Svelte docs, "Store contract"). */
export interface PresenceStore {
  subscribe(run: (followed: Followed) => void): () => void
}

/**
 * Somebody's presence as a store: `const ada = presenceOf('94490510688792576', 'https://presence.example')`, then
 * `$ada.presence` and `$ada.state`. They are followed while anybody is subscribed.
 */
export function presenceOf(id: string, host?: string, compression?: FollowOptions['compression']): PresenceStore {
  return {
    subscribe(run) {
      let followed = CONNECTING
      const tell = (news: Partial<Followed>) => {
        followed = next(followed, news)
        run(followed)
      }
      run(followed)
      const following = follow(id, {
        host,
        compression,
        onPresence: presence => tell({ presence }),
        onState: state => tell({ state }),
      })
      return () => following.close()
    },
  }
}
