import type { GithubSnapshot } from './domain/github.ts'
import { isObject, type JsonObject, kvJson } from './domain/presence.ts'
import type { Membership, Person } from './domain/presence-store.ts'

/** Everything harmy shows of one person. */
export interface HarmyState {
  readonly person: Person
  readonly kv: ReadonlyMap<string, string>
  readonly github: GithubSnapshot | null
  /** The guild whose nicknames come first. */
  readonly homeGuild: string | undefined
}

/** What somebody listens to on Spotify, as discord.js names things. */
interface SpotifyActivity {
  name: string
  type: 2
  song: string | null
  artist: string | null
  applicationId: string | null
  timestamps: { start: number | null; end: number | null }
  party: { id: string | null }
  syncId: string | null
  /** `largeImage` without the prefix `spotify:`; null when the art is not Spotify's. */
  assets: { largeText: string | null; largeImage: string | null }
  flags: number
  createdTimestamp: number | null
}

/** The body of `GET /user/:id`. Source: harmy's documents, "API Docs". */
export function buildHarmy({ person, kv, github, homeGuild }: HarmyState): string {
  const user = JSON.parse(person.user) as JsonObject
  const presence = {
    userId: person.id,
    status: person.presence.status,
    global_name: textOrNull(user.global_name),
    server_name: nickname(person.memberships, homeGuild),
    avatar: textOrNull(user.avatar),
    spotifyActivity: readSpotify(person.presence),
  }
  return `{"presence":${JSON.stringify(presence)},"KV":${kvJson(kv)},"github":${github?.json ?? 'null'}}`
}

/** The home guild's, or that of the guild longest known in which the person has one. */
function nickname(memberships: readonly Membership[], homeGuild: string | undefined): string | null {
  const home = memberships.find(({ guildId }) => guildId === homeGuild)?.nick
  return home ?? memberships.find(({ nick }) => nick !== null)?.nick ?? null
}

function readSpotify({ spotify, activities }: Person['presence']): SpotifyActivity | null {
  if (spotify === 'null') return null
  const activity = (JSON.parse(activities) as JsonObject[]).find(({ id }) => id === 'spotify:1') ?? {}
  const timestamps = objectOrEmpty(activity.timestamps)
  const assets = objectOrEmpty(activity.assets)
  return {
    name: textOrNull(activity.name) ?? 'Spotify',
    type: 2,
    song: textOrNull(activity.details),
    artist: textOrNull(activity.state),
    applicationId: textOrNull(activity.application_id),
    timestamps: { start: numberOrNull(timestamps.start), end: numberOrNull(timestamps.end) },
    party: { id: textOrNull(objectOrEmpty(activity.party).id) },
    syncId: textOrNull(activity.sync_id),
    assets: {
      largeText: textOrNull(assets.large_text),
      largeImage: /^spotify:(.+)$/s.exec(String(assets.large_image))?.[1] ?? null,
    },
    flags: Number.isInteger(activity.flags) ? (activity.flags as number) : 0,
    createdTimestamp: numberOrNull(activity.created_at),
  }
}

const objectOrEmpty = (value: unknown): JsonObject => (isObject(value) ? value : {})
const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null)
const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null)
