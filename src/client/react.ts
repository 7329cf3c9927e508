import { type DetailedHTMLProps, type HTMLAttributes, useEffect, useState } from 'react'
import { type FollowOptions, follow } from './client.ts'
import type { DiscordPresenceAttributes, DiscordPresenceElement } from './element.ts'
import { CONNECTING, type Followed, next } from './followed.ts'

/**
 * Somebody's presence in a React component, which is drawn anew at every change: `const { presence, state } =
 * usePresence('94490510688792576', 'https://presence.example')`. Without an id nobody is followed.
 */
export function usePresence(
  id: string | undefined,
  host?: string,
  compression?: FollowOptions['compression'],
): Followed {
  const [followed, setFollowed] = useState<Followed>(CONNECTING)
  useEffect(() => {
    setFollowed(CONNECTING)
    if (id === undefined) return
    const following = follow(id, {
      host,
      compression,
      onPresence: presence => setFollowed(last => next(last, { presence })),
      onState: state => setFollowed(last => next(last, { state })),
    })
    return () => following.close()
  }, [id, host, compression])
  return followed
}

type ElementProps = DetailedHTMLProps<HTMLAttributes<DiscordPresenceElement>, DiscordPresenceElement>

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'discord-presence': ElementProps & DiscordPresenceAttributes
    }
  }
}
