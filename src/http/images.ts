import { Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Config } from '../config.ts'
import { ME } from '../domain/calls.ts'
import type { Pictures } from '../domain/discord-cdn.ts'
import { noPermission, starting, userNotMonitored } from '../domain/errors.ts'
import type { Interest } from '../domain/interest.ts'
import { albumArt } from '../domain/music.ts'
import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { Person, Snapshot } from '../domain/presences.ts'
import { createMonitored, type MonitoredDeps, PUBLIC, whyUnknown } from './access.ts'
import type { KnownIcons } from './app-icons.ts'
import { IF_NONE_MATCH, operation, USER_ID } from './openapi.ts'
import { answer, type Representation, represent } from './representation.ts'
import { envelope, failure } from './response.ts'
import { successOf } from './schema.ts'

/** Pixels. */
const SIZES = { avatar: 1024, banner: 1024, badge: 128, emoji: 128, large: 512, small: 256 }
const CUSTOM_STATUS = 4

/** The body of `/v1/users/:id/images`: addresses of everything of a person that is a picture; null where there is none. */
export function buildImages(
  person: Pick<Person, 'user' | 'presence'>,
  pictures: Pictures,
  iconOf: (applicationId: string) => string | undefined = () => undefined,
): string {
  const user = JSON.parse(person.user) as JsonObject
  const activities = (JSON.parse(person.presence.activities) as unknown[]).map(one => (isObject(one) ? one : {}))
  const custom = activities.find(activity => activity.type === CUSTOM_STATUS)
  return JSON.stringify({
    avatar: pictures.avatar(user, moves(user.avatar) ? 'gif' : 'png', SIZES.avatar),
    avatar_decoration: pictures.decoration(user) ?? null,
    banner: pictures.banner(user, moves(user.banner) ? 'gif' : 'png', SIZES.banner) ?? null,
    nameplate: pictures.nameplate(user) ?? null,
    tag_badge: pictures.tagBadge(user, SIZES.badge) ?? null,
    custom_status_emoji: pictures.emoji(custom?.emoji, SIZES.emoji) ?? null,
    album_art: albumArt(activities, pictures, SIZES.large) ?? null,
    activities: activities.map(activity => ({
      large_image: pictures.activity(activity, 'large', SIZES.large) ?? iconAddress(activity, iconOf) ?? null,
      small_image: pictures.activity(activity, 'small', SIZES.small) ?? null,
    })),
  })
}

/** What stands for an activity without art of its own: the icon of its application. */
function iconAddress({ application_id: id }: JsonObject, iconOf: (id: string) => string | undefined) {
  return isSnowflake(id) ? iconOf(id) : undefined
}

const moves = (hash: unknown) => typeof hash === 'string' && hash.startsWith('a_')

const ADDRESS = t.Union([t.String({ format: 'uri' }), t.Null()])
const IMAGES = t.Object({
  avatar: t.String({ format: 'uri' }),
  avatar_decoration: ADDRESS,
  banner: ADDRESS,
  nameplate: ADDRESS,
  tag_badge: ADDRESS,
  custom_status_emoji: ADDRESS,
  album_art: ADDRESS,
  activities: t.Array(
    t.Object({
      large_image: t.Union([
        t.String({
          format: 'uri-reference',
          description: "Relative for an application's icon here, where no address is set",
        }),
        t.Null(),
      ]),
      small_image: ADDRESS,
    }),
  ),
})

const CDN = 'https://cdn.discordapp.com'
const EXAMPLE = {
  avatar: `${CDN}/avatars/204255221017214977/a_0c4f3b2a1908f7e6d5c4b3a291807f6e.gif?size=1024`,
  avatar_decoration: null,
  banner: null,
  nameplate: null,
  tag_badge: null,
  custom_status_emoji: `${CDN}/emojis/1033123456789012345.webp?size=128`,
  album_art: 'https://i.scdn.co/image/ab67616d0000b27375bf186f00f7b0b88cf5c5b9',
  activities: [
    { large_image: 'https://i.scdn.co/image/ab67616d0000b27375bf186f00f7b0b88cf5c5b9', small_image: null },
    { large_image: null, small_image: null },
  ],
}

const READ = operation({
  tag: 'Presence',
  summary: 'Addresses of everything of a person that is a picture',
  description:
    "At Discord's CDN, its proxy for pictures from elsewhere, or Spotify; null where there is none, but for the avatar: who " +
    'has none has a default one. `activities` is in step with those of the presence. `@me` with a key is its owner.',
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: [
    {
      description: 'The addresses. Every key is always there',
      content: { 'application/json': successOf(IMAGES) },
      example: { success: true, data: EXAMPLE },
    },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
  failures: [noPermission(), userNotMonitored(), starting()],
})

interface ImageDeps extends MonitoredDeps {
  readonly config: Pick<Config, 'externalUrl'>
  readonly pictures: Pictures
  readonly icons: KnownIcons
  readonly interest: Pick<Interest, 'look'>
}

interface Made {
  readonly representation: Representation
  /** The icons' version it was made with; undefined when no icon is in it, nor could be. */
  readonly version: number | undefined
}

/** `/v1/users/:id/images`. Memory only, made once per change. */
export function imageRoutes(deps: ImageDeps) {
  const { config, presences, pictures, icons, interest } = deps
  const shared = new WeakMap<Snapshot, Made>()
  const { own } = createMonitored(deps, ({ id }) => build(id).bytes)

  function addressOf(applicationId: string): string | undefined {
    return icons.has(applicationId) ? `${config.externalUrl ?? ''}/app-icons/${applicationId}.png` : undefined
  }

  /** `asks`: whether an icon is in it, or would be if it were known. */
  function build(id: string): { bytes: Buffer<ArrayBuffer>; asks: boolean } {
    const person = presences.person(id)
    if (person === undefined) throw whyUnknown(presences)
    let asks = false
    const body = buildImages(person, pictures, applicationId => {
      asks = true
      return addressOf(applicationId)
    })
    return { bytes: Buffer.from(envelope(body)), asks }
  }

  function make(id: string): Made {
    const { version } = icons
    const { bytes, asks } = build(id)
    return { representation: represent(() => bytes, PUBLIC), version: asks ? version : undefined }
  }

  function images(request: Request, id: string): Response | Promise<Response> {
    if (id === ME) return own(request)
    const snapshot = presences.snapshot(id)
    if (snapshot === undefined) return failure(whyUnknown(presences))
    interest.look(snapshot.id)
    const known = shared.get(snapshot)
    const stays = known !== undefined && (known.version === undefined || known.version === icons.version)
    const made = stays ? known : make(id)
    shared.set(snapshot, made)
    return answer(made.representation, request)
  }

  return new Elysia({ name: 'images' }).get(
    '/v1/users/:id/images',
    ({ request, params: { id } }) => images(request, id),
    READ,
  )
}
