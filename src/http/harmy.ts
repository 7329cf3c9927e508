import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { GithubSnapshot } from '../domain/github.ts'
import { isObject, isSpotify, type JsonObject, kvJson, spotifyCover } from '../domain/presence.ts'
import type { Membership, Person, Snapshot } from '../domain/presences.ts'
import type { Bytes } from '../lib/bytes.ts'
import { createMonitored, type MonitoredDeps, PUBLIC, whyUnknown } from './access.ts'
import { IF_NONE_MATCH, operation, USER_ID } from './openapi.ts'
import { answer, type Representation, represent } from './representation.ts'
import { failure } from './response.ts'
import { HARMY_EXAMPLE } from './schema.ts'

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
  const activity = (JSON.parse(activities) as JsonObject[]).find(isSpotify) ?? {}
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
      largeImage: spotifyCover(assets.large_image) ?? null,
    },
    flags: Number.isInteger(activity.flags) ? (activity.flags as number) : 0,
    createdTimestamp: numberOrNull(activity.created_at),
  }
}

const objectOrEmpty = (value: unknown): JsonObject => (isObject(value) ? value : {})
const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null)
const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null)

interface HarmyDeps extends MonitoredDeps {
  /** The guild whose nicknames come first. */
  readonly homeGuild: string | undefined
}

/** What was made for one version of a presence together with one version of an account. */
interface Made {
  readonly account: GithubSnapshot | null
  readonly representation: Representation
}

const ANSWERS = [
  {
    description: 'Presence, pairs and GitHub account, without an envelope',
    content: { 'application/json': Type.Ref('#/components/schemas/Harmy') },
    example: HARMY_EXAMPLE,
  },
  { status: 304, description: 'Nothing has changed since the given ETag' },
]

const READ = operation({
  tag: 'Presence',
  summary: 'What harmy shows of a person',
  description: 'The presence in the shape of harmy, with pairs and the linked GitHub account, without an envelope.',
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [userNotMonitored(), starting()],
})

const READ_OWN = operation({
  tag: 'Presence',
  summary: "What harmy shows of the key's owner",
  description: 'For programs that have a key and no id.',
  parameters: [IF_NONE_MATCH],
  answers: ANSWERS,
  failures: [noPermission(), userNotMonitored(), starting()],
  key: true,
})

/** harmy's API: presence, pairs and GitHub account in one body. Memory only, made once per change of either. */
export function harmyRoutes(deps: HarmyDeps) {
  const { presences, calls, homeGuild } = deps
  const { own } = createMonitored(deps, snapshot => build(snapshot, look(snapshot.id)))
  const shared = new WeakMap<Snapshot, Made>()

  function look(id: string): GithubSnapshot | null {
    calls.looked(id)
    return presences.account(id)
  }

  function person(request: Request, id: string): Response | Promise<Response> {
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return failure(whyUnknown(presences))
    const account = look(id)
    const made = shared.get(snapshot)
    if (made !== undefined && made.account === account) return answer(made.representation, request)
    const body = build(snapshot, account)
    const representation = represent(() => body, PUBLIC)
    shared.set(snapshot, { account, representation })
    return answer(representation, request)
  }

  function build({ id }: Snapshot, account: GithubSnapshot | null): Bytes {
    const person = presences.person(id)
    if (person === undefined) throw new Error('somebody who has a snapshot is monitored')
    return Buffer.from(buildHarmy({ person, kv: presences.kv(id), github: account, homeGuild }))
  }

  return (
    new Elysia({ name: 'harmy' })
      // Elysia reads a handler's text and awaits one that begins by calling something. This one answers at once, and
      // awaiting that costs more than making it: so the choice stands here, in front of the calls.
      .get('/user/:id', ({ request, params: { id } }) => (id === '@me' ? own(request) : person(request, id)), READ)
      .get('/user/@me', ({ request }) => own(request), READ_OWN)
  )
}
