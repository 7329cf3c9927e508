// What Exoix answers, for Eden Treaty (https://elysiajs.com/eden/treaty/overview). Written by "bun run client-types" from
// the API document: do not edit. It needs nothing but the types of elysia, which Eden brings along.

import type { Elysia } from 'elysia'

/** A text, as Eden gives it: `42`, `true` and JSON come as the number, boolean or object they look like. */
export type Text = string | number | boolean | object

export type Presence = {
  /** The user's own key-value pairs, 512 at most */
  kv: { [key: string]: string }
  /** Discord's user object as the gateway sent it, unknown keys included */
  discord_user: {
    /** A Discord id */
    id: string
    bot: boolean
    public_flags: number
    username?: string
    global_name?: string | null
    avatar?: string | null
    discriminator?: string
    /** Absent until known: asked for when somebody looks */
    banner?: string | null
    /** Likewise; 0xRRGGBB */
    accent_color?: number | null
    [key: string]: unknown
  }
  discord_status: 'online' | 'idle' | 'dnd' | 'offline'
  /** Active in a browser */
  active_on_discord_web: boolean
  /** Active in the desktop app */
  active_on_discord_desktop: boolean
  /** Active on a phone */
  active_on_discord_mobile: boolean
  /** Active on a console */
  active_on_discord_embedded: boolean
  /** Active in a headset */
  active_on_discord_vr: boolean
  listening_to_spotify: boolean
  /** The track that is playing */
  spotify: {
    track_id: string | null
    song: string | null
    /** Several are separated by semicolons */
    artist: string | null
    album: string | null
    album_art_url: string | null
    /** Unix time in milliseconds */
    timestamps: {
      start?: number
      end?: number
      [key: string]: unknown
    } | null
  } | null
  activities: Array<{
    id?: string
    name?: string
    /** 0 playing, 1 streaming, 2 listening, 3 watching, 4 custom, 5 competing */
    type?: number
    state?: string | null
    details?: string | null
    application_id?: string
    /** Unix time in milliseconds */
    created_at?: number
    /** Unix time in milliseconds */
    timestamps?: {
      start?: number
      end?: number
      [key: string]: unknown
    }
    assets?: {
      large_image?: string
      large_text?: string
      small_image?: string
      small_text?: string
      [key: string]: unknown
    }
    [key: string]: unknown
  }>
  /** When the person went offline, in Unix milliseconds; null while online, or unknown */
  last_seen_at: number | null
  /** What they listen to, wherever it plays */
  now_playing: {
    /** `spotify`, `youtube_music`, …: lower snake case */
    source: string | null
    song: string | null
    artist: string | null
    album: string | null
    album_art_url: string | null
    track_id: string | null
    track_url: string | null
    timestamps: {
      /** Unix time in milliseconds */
      start: number | null
      /** Unix time in milliseconds */
      end: number | null
    } | null
    duration_ms: number | null
  } | null
}

export type Failure = {
  success: false
  error: {
    /** For programs */
    code: string
    /** For people */
    message: string
  }
}

export type Harmy = {
  presence: {
    /** A Discord id */
    userId: string
    status: 'online' | 'idle' | 'dnd' | 'offline'
    global_name: string | null
    /** Nickname */
    server_name: string | null
    /** Hash of the avatar */
    avatar: string | null
    spotifyActivity: {
      name: string
      type: 2
      song: string | null
      /** Several are separated by semicolons */
      artist: string | null
      applicationId: string | null
      timestamps: {
        /** Unix time in milliseconds */
        start: number | null
        /** Unix time in milliseconds */
        end: number | null
      }
      party: {
        id: string | null
      }
      /** The track */
      syncId: string | null
      assets: {
        /** The album */
        largeText: string | null
        /** The name of a picture at i.scdn.co/image/ */
        largeImage: string | null
      }
      flags: number
      /** Unix time in milliseconds */
      createdTimestamp: number | null
    } | null
  }
  /** The user's own key-value pairs, 512 at most */
  KV: { [key: string]: string }
  /** The linked GitHub account, as GitHub described it last */
  github: {
    id: number
    username: string
    avatar_url: string | null
    url: string | null
    company: string | null
    blog: string | null
    bio: string | null
    public_repos: number | null
  } | null
}

/** What a client may send over the socket. */
export type ClientFrame =
  | { op: 2; d: { subscribe_to_id: string } | { subscribe_to_ids: string[] } | { subscribe_to_all: true } }
  | { op: 3 }
  | { op: 4; d: { unsubscribe_from_id: string } | { unsubscribe_from_ids: string[] } | { unsubscribe_from_all: true } }

/**
 * What the server sends over the socket. INIT_STATE is one presence after `subscribe_to_id` (`{}` for nobody known), else
 * a map of them by id; `user_id` is there unless the socket follows one person.
 */
export type ServerFrame =
  | { op: 1; d: { heartbeat_interval: number } }
  | { op: 0; seq: number; t: 'INIT_STATE'; d: Presence | { [id: string]: Presence } }
  | { op: 0; seq: number; t: 'PRESENCE_UPDATE'; d: Presence & { user_id?: string } }

interface Routes {
  /** What this is, and how many people are monitored */
  get: {
    body: undefined
    params: unknown
    query: unknown
    headers: unknown
    response: { 200: {
      success: true
      data: {
        info: string
        monitored_user_count: number
        /** Which Exoix this is */
        version: string
        discord_invite: string | null
        /** What this instance is called, where its operator says so */
        instance_name?: string
        /** What is kept of people */
        privacy_url?: string
        terms_url?: string
      }
    }; 429: Failure }
  }
  health: {
    /** Whether everything works */
    get: {
      body: undefined
      params: unknown
      query: unknown
      headers: unknown
      response: { 200: {
        success: true
        data: {
          status: 'ready'
          monitored_user_count: number
          /** Which Exoix this is */
          version: string
          uptime_seconds: number
        }
      }; 429: Failure; 503: Failure }
    }
    serving: {
      /** Whether everybody is known here */
      get: {
        body: undefined
        params: unknown
        query: unknown
        headers: unknown
        response: { 200: {
          success: true
          data: {
            status: 'serving'
            monitored_user_count: number
            /** Which Exoix this is */
            version: string
          }
        }; 429: Failure; 503: Failure }
      }
    }
  }
  metrics: {
    /** Numbers for Prometheus */
    get: {
      body: undefined
      params: unknown
      query: unknown
      headers: unknown
      response: { 200: Text; 404: Failure; 429: Failure }
    }
  }
  v1: {
    users: {
      ':id': {
        /** A person's presence */
        get: {
          body: undefined
          params: { id: string }
          query: unknown
          headers: unknown
          response: { 200: {
            success: true
            data: Presence
          }; 404: Failure; 429: Failure; 503: Failure }
        }
        'card.svg': {
          /** A person's presence as a picture */
          get: {
            body: undefined
            params: { id: string }
            query: {
              theme?: 'dark' | 'light' | 'dracula' | 'nord' | 'github-dark' | 'github-light' | 'catppuccin' | 'tokyo-night' | 'auto'
              bg?: string
              borderRadius?: string
              animated?: boolean
              animatedDecoration?: boolean
              idleMessage?: string
              showDisplayName?: boolean
              gradient?: string
              forceGradient?: boolean
              waveColor?: string
              waveSpotifyColor?: string
              animationDuration?: string
              imgStyle?: 'circle' | 'square'
              imgBorderRadius?: string
              showBanner?: 'true' | 'animated' | 'false'
              bannerFilter?: string
              hideStatus?: boolean
              hideTimestamp?: boolean
              hideBadges?: boolean
              hideProfile?: boolean
              hideActivity?: 'true' | 'false' | 'whenNotUsed'
              hideSpotify?: boolean
              hideDiscrim?: boolean
              hideDecoration?: boolean
              hideNameplate?: boolean
              hideTag?: boolean
              clanBackgroundColor?: string
              ignoreAppId?: string
            }
            headers: unknown
            response: { 200: string; 429: Failure }
          }
        }
        'badge.svg': {
          /** A person's status as a small badge */
          get: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: unknown
            response: { 200: string; 429: Failure }
          }
        }
        'badge.json': {
          /** A person's status for shields.io */
          get: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: unknown
            response: { 200: {
              schemaVersion: 1
              label: string
              message: string
              color: string
              namedLogo: string
              cacheSeconds: number
            }; 429: Failure }
          }
        }
        events: {
          /** A person's presence as it changes, as server-sent events */
          get: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: unknown
            response: { 200: AsyncGenerator<{ event?: string; data?: Presence; id?: Text; retry?: number }, void, unknown>; 404: Failure; 429: Failure; 503: Failure }
          }
        }
        kv: {
          /** All pairs of a person */
          get: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: unknown
            response: { 200: {
              success: true
              /** The user's own key-value pairs, 512 at most */
              data: { [key: string]: string }
            }; 401: Failure; 404: Failure; 429: Failure; 503: Failure }
          }
          /** Sets many pairs, all or nothing */
          patch: {
            body: { [key: string]: string }
            params: { id: string }
            query: unknown
            headers: { authorization?: string }
            response: { 204: ''; 400: Failure; 401: Failure; 413: Failure; 429: Failure; 503: Failure; 507: Failure }
          }
          /** Removes all pairs */
          delete: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: { authorization?: string }
            response: { 204: ''; 401: Failure; 429: Failure; 503: Failure }
          }
          ':key': {
            /** One value */
            get: {
              body: undefined
              params: { id: string; key: string }
              query: unknown
              headers: unknown
              response: { 200: Text; 401: Failure; 404: Failure; 429: Failure; 503: Failure }
            }
            /** Sets one pair */
            put: {
              body: string
              params: { id: string; key: string }
              query: unknown
              headers: { authorization?: string }
              response: { 204: ''; 400: Failure; 401: Failure; 413: Failure; 429: Failure; 503: Failure; 507: Failure }
            }
            /** Removes one pair */
            delete: {
              body: undefined
              params: { id: string; key: string }
              query: unknown
              headers: { authorization?: string }
              response: { 204: ''; 401: Failure; 429: Failure; 503: Failure }
            }
          }
        }
        images: {
          /** Addresses of everything of a person that is a picture */
          get: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: unknown
            response: { 200: {
              success: true
              data: {
                avatar: string
                avatar_decoration: string | null
                banner: string | null
                nameplate: string | null
                tag_badge: string | null
                custom_status_emoji: string | null
                album_art: string | null
                activities: Array<{
                  /** Relative for an application's icon here, where no address is set */
                  large_image: string | null
                  small_image: string | null
                }>
              }
            }; 401: Failure; 404: Failure; 429: Failure; 503: Failure }
          }
        }
        history: {
          /** What a person listened to and did */
          get: {
            body: undefined
            params: { id: string }
            query: {
              limit?: number
              before?: number
            }
            headers: unknown
            response: { 200: {
              success: true
              data: {
                tracks: Array<{
                  /** `spotify`, `youtube_music`, …: lower snake case */
                  source: string | null
                  song: string | null
                  artist: string | null
                  album: string | null
                  album_art_url: string | null
                  track_id: string | null
                  track_url: string | null
                  timestamps: {
                    /** Unix time in milliseconds */
                    start: number | null
                    /** Unix time in milliseconds */
                    end: number | null
                  } | null
                  duration_ms: number | null
                  played_at: number
                  listened_ms: number
                }>
                activities: Array<{
                  name: string
                  application_id: string | null
                  started_at: number
                  seconds: number
                }>
                statuses: Array<{
                  status: 'online' | 'idle' | 'dnd' | 'offline'
                  at: number
                }>
              }
            }; 400: Failure; 404: Failure; 429: Failure; 503: Failure }
          }
        }
        stats: {
          /** How a person spent the last 7 and 30 days */
          get: {
            body: undefined
            params: { id: string }
            query: unknown
            headers: unknown
            response: { 200: {
              success: true
              data: {
                7: {
                  online_seconds: number
                  by_status: {
                    online: number
                    idle: number
                    dnd: number
                    offline: number
                  }
                  activities: Array<{
                    name: string
                    application_id: string | null
                    seconds: number
                  }>
                  tracks: number
                  tracks_by_day: { [key: string]: number }
                }
                30: {
                  online_seconds: number
                  by_status: {
                    online: number
                    idle: number
                    dnd: number
                    offline: number
                  }
                  activities: Array<{
                    name: string
                    application_id: string | null
                    seconds: number
                  }>
                  tracks: number
                  tracks_by_day: { [key: string]: number }
                }
              }
            }; 400: Failure; 404: Failure; 429: Failure; 503: Failure }
          }
        }
        'top-tracks': {
          /** What a person listened to most */
          get: {
            body: undefined
            params: { id: string }
            query: {
              days?: number
            }
            headers: unknown
            response: { 200: {
              success: true
              data: Array<{
                /** `spotify`, `youtube_music`, …: lower snake case */
                source: string | null
                song: string | null
                artist: string | null
                album: string | null
                album_art_url: string | null
                track_id: string | null
                track_url: string | null
                timestamps: {
                  /** Unix time in milliseconds */
                  start: number | null
                  /** Unix time in milliseconds */
                  end: number | null
                } | null
                duration_ms: number | null
                play_count: number
              }>
            }; 400: Failure; 404: Failure; 429: Failure; 503: Failure }
          }
        }
      }
      '@me': {
        /** The presence of the key's owner */
        get: {
          body: undefined
          params: unknown
          query: unknown
          headers: { authorization?: string }
          response: { 200: {
            success: true
            data: Presence
          }; 401: Failure; 404: Failure; 429: Failure; 503: Failure }
        }
        events: {
          /** The presence of the key's owner as it changes, as server-sent events */
          get: {
            body: undefined
            params: unknown
            query: unknown
            headers: { authorization?: string }
            response: { 200: AsyncGenerator<{ event?: string; data?: Presence; id?: Text; retry?: number }, void, unknown>; 401: Failure; 404: Failure; 429: Failure; 503: Failure }
          }
        }
      }
      /** The presences of several people */
      get: {
        body: undefined
        params: unknown
        query: {
          ids?: string
        }
        headers: unknown
        response: { 200: {
          success: true
          data: { [key: string]: Presence }
        }; 400: Failure; 429: Failure }
      }
    }
  }
  api: {
    ':id': {
      /** The same card at the address lanyard-profile-readme has it */
      get: {
        body: undefined
        params: { id: string }
        query: {
          theme?: 'dark' | 'light' | 'dracula' | 'nord' | 'github-dark' | 'github-light' | 'catppuccin' | 'tokyo-night' | 'auto'
          bg?: string
          borderRadius?: string
          animated?: boolean
          animatedDecoration?: boolean
          idleMessage?: string
          showDisplayName?: boolean
          gradient?: string
          forceGradient?: boolean
          waveColor?: string
          waveSpotifyColor?: string
          animationDuration?: string
          imgStyle?: 'circle' | 'square'
          imgBorderRadius?: string
          showBanner?: 'true' | 'animated' | 'false'
          bannerFilter?: string
          hideStatus?: boolean
          hideTimestamp?: boolean
          hideBadges?: boolean
          hideProfile?: boolean
          hideActivity?: 'true' | 'false' | 'whenNotUsed'
          hideSpotify?: boolean
          hideDiscrim?: boolean
          hideDecoration?: boolean
          hideNameplate?: boolean
          hideTag?: boolean
          clanBackgroundColor?: string
          ignoreAppId?: string
        }
        headers: unknown
        response: { 200: string; 429: Failure }
      }
    }
  }
  user: {
    ':id': {
      /** What harmy shows of a person */
      get: {
        body: undefined
        params: { id: string }
        query: unknown
        headers: unknown
        response: { 200: Harmy; 404: Failure; 429: Failure; 503: Failure }
      }
    }
    '@me': {
      /** What harmy shows of the key's owner */
      get: {
        body: undefined
        params: unknown
        query: unknown
        headers: { authorization?: string }
        response: { 200: Harmy; 401: Failure; 404: Failure; 429: Failure; 503: Failure }
      }
    }
  }
  socket: {
    subscribe: { body: ClientFrame; params: unknown; query: unknown; headers: unknown; response: { 200: ServerFrame } }
  }
  embed: {
    ':id': {
      /** A page that shows one person live and nothing else, for frames and overlays */
      get: {
        body: undefined
        params: { id: string }
        query: {
          layout?: 'card' | 'compact' | 'music' | 'pill'
          show?: string
          hide?: string
          theme?: 'light' | 'dark'
        }
        headers: unknown
        response: { 200: string; 429: Failure }
      }
    }
  }
  'embed.js': {
    /** A script that shows presences on any page */
    get: {
      body: undefined
      params: unknown
      query: unknown
      headers: unknown
      response: { 200: string; 429: Failure }
    }
  }
  'client.js': {
    /** A client for browsers and other runtimes, as a module */
    get: {
      body: undefined
      params: unknown
      query: unknown
      headers: unknown
      response: { 200: string; 429: Failure }
    }
  }
  swagger: {
    /** This page */
    get: {
      body: undefined
      params: unknown
      query: unknown
      headers: unknown
      response: { 200: string; 429: Failure }
    }
    json: {
      /** The API as an OpenAPI document */
      get: {
        body: undefined
        params: unknown
        query: unknown
        headers: unknown
        response: { 200: {
          [key: string]: unknown
        }; 429: Failure }
      }
    }
  }
}

/** `treaty<Api>('https://presence.example.org', { parseDate: false })`: else texts that look like dates become dates. */
export type Api = Elysia<
  '',
  { decorator: {}; store: {}; derive: {}; resolve: {} },
  { typebox: {}; error: {} },
  { schema: {}; standaloneSchema: {}; macro: {}; macroFn: {}; parser: {}; response: {} },
  Routes
>
