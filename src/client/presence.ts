/** A presence as it is sent: every key is always there. Whatever people fill in themselves may be of any shape. */
export interface Presence {
  readonly kv: Readonly<Record<string, string>>
  readonly discord_user: {
    readonly id: string
    readonly bot: boolean
    readonly public_flags: number
    readonly username?: string
    readonly global_name?: string | null
    readonly avatar?: string | null
    /** Absent until known: asked for when somebody looks. */
    readonly banner?: string | null
    readonly accent_color?: number | null
    readonly [key: string]: unknown
  }
  readonly discord_status: 'online' | 'idle' | 'dnd' | 'offline'
  readonly active_on_discord_web: boolean
  readonly active_on_discord_desktop: boolean
  readonly active_on_discord_mobile: boolean
  readonly active_on_discord_embedded: boolean
  readonly active_on_discord_vr: boolean
  readonly listening_to_spotify: boolean
  readonly spotify: {
    readonly track_id: string | null
    readonly song: string | null
    readonly artist: string | null
    readonly album: string | null
    readonly album_art_url: string | null
    readonly timestamps: { readonly start?: number; readonly end?: number } | null
  } | null
  readonly activities: readonly Activity[]
  /** When somebody who is offline was last seen, in milliseconds since 1970. */
  readonly last_seen_at: number | null
  readonly now_playing: NowPlaying | null
  readonly [key: string]: unknown
}

/** What somebody listens to, wherever it plays; null for what is not told. */
export interface NowPlaying {
  /** `spotify`, `youtube_music`, …: the service, in lower snake case. */
  readonly source: string | null
  readonly song: string | null
  readonly artist: string | null
  readonly album: string | null
  readonly album_art_url: string | null
  readonly track_id: string | null
  readonly track_url: string | null
  /** Milliseconds since 1970. */
  readonly timestamps: { readonly start: number | null; readonly end: number | null } | null
  readonly duration_ms: number | null
}

export interface Activity {
  readonly type?: number
  readonly name?: string
  readonly details?: string | null
  readonly state?: string | null
  readonly application_id?: string
  readonly [key: string]: unknown
}

/**
 * How it stands with a person: nothing known yet, kept up to date, nobody known by that id (they may appear any moment),
 * or the connection lost and tried again by itself.
 */
export type State = 'connecting' | 'live' | 'unknown' | 'lost'
