import type { Pictures } from '../domain/discord-cdn.ts'
import { isSnowflake, type JsonObject } from '../domain/presence.ts'
import { SECOND } from '../lib/clock.ts'
import { within } from '../lib/within.ts'
import type { Images } from './images.ts'
import type { CardModel, Profile, Row } from './model.ts'
import type { CardOptions } from './options.ts'
import type { DataUri } from './svg.ts'

/** The pictures on one card. What did not come, or never was, is undefined. */
export interface CardImages {
  readonly avatar?: DataUri | undefined
  readonly decoration?: DataUri | undefined
  readonly tagBadge?: DataUri | undefined
  readonly emoji?: DataUri | undefined
  readonly banner?: DataUri | undefined
  readonly nameplate?: DataUri | undefined
  /** One for each row. */
  readonly rows: readonly RowImages[]
  /** Whether there may be more of them in a moment. */
  readonly late?: boolean
}

export interface RowImages {
  readonly large?: DataUri | undefined
  readonly small?: DataUri | undefined
}

/** Where pictures are, and what fetches them. */
export interface ImageSources {
  readonly pictures: Pictures
  readonly images: Pick<Images, 'get'>
  /** The hash of an application's icon, null for none; rejects while that is not known. */
  readonly iconOf?: ((applicationId: string) => Promise<string | null>) | undefined
}

/** For where a picture is a card waits as long as for the picture. Milliseconds. */
const PATIENCE = 2 * SECOND
/** About twice the pixels they are drawn with: many screens have two for one. */
const SIZES = { avatar: 128, decoration: 160, tagBadge: 32, emoji: 48, banner: 512, large: 128, small: 64 }

/** Fetches everything a card shows, all at once, so that it takes no longer than the slowest picture. */
export async function loadImages(model: CardModel, options: CardOptions, sources: ImageSources): Promise<CardImages> {
  const loader = createLoader(sources)
  const [ofProfile, rows] = await Promise.all([
    model.profile && loadProfile(model.profile, options, loader),
    Promise.all(model.rows.map(row => loadRow(row, loader))),
  ])
  return { ...ofProfile, rows, late: loader.late }
}

type Loader = ReturnType<typeof createLoader>

function createLoader({ pictures, images, iconOf }: ImageSources) {
  let late = false
  return {
    pictures,
    get late() {
      return late
    },
    /** The first of several pictures, the best one first, that can be had. All are asked for at once: waiting adds up. */
    async first(...urls: readonly (string | undefined | false)[]): Promise<DataUri | undefined> {
      const wanted = [...new Set(urls.filter(url => typeof url === 'string'))]
      const come = await Promise.all(wanted.map(url => images.get(url)))
      late ||= come.includes('late')
      return come.find(got => got !== undefined && got !== 'late')
    },
    /** Where the icon of an activity's application is; a card waits for the answer as long as for a picture. */
    async icon({ application_id: id }: JsonObject): Promise<string | undefined> {
      if (iconOf === undefined || !isSnowflake(id)) return undefined
      const hash = await within<string | null | 'late'>(
        PATIENCE,
        iconOf(id).catch(() => null),
        'late',
      )
      late ||= hash === 'late'
      return hash === null || hash === 'late' ? undefined : pictures.appIcon(id, hash, SIZES.large)
    },
  }
}

async function loadProfile(profile: Profile, options: CardOptions, { pictures, first }: Loader) {
  const { user, tag, mood, decorated, nameplate } = profile
  const { animated } = options
  const swings = animated && options.animatedDecoration
  const waves = animated && options.banner === 'animated'
  const moves = animated && typeof user.avatar === 'string' && user.avatar.startsWith('a_')
  const emoji = mood?.emoji && { ...mood.emoji, animated: animated && mood.emoji.animated === true }
  const [avatar, decoration, tagBadge, symbol, banner, plate] = await Promise.all([
    first(moves && pictures.avatar(user, 'gif', SIZES.avatar), pictures.avatar(user, 'webp', SIZES.avatar)),
    first(decorated && swings && pictures.decoration(user), decorated && pictures.decoration(user, SIZES.decoration)),
    first(tag !== undefined && pictures.tagBadge(user, SIZES.tagBadge)),
    first(emoji && pictures.emoji(emoji, SIZES.emoji)),
    options.banner === 'hidden'
      ? undefined
      : first(waves && pictures.banner(user, 'gif', SIZES.banner), pictures.banner(user, 'webp', SIZES.banner)),
    first(nameplate && pictures.nameplate(user)),
  ])
  return { avatar, decoration, tagBadge, emoji: symbol, banner, nameplate: plate }
}

async function loadRow({ activity }: Row, { pictures, first, icon }: Loader): Promise<RowImages> {
  const art = pictures.activity(activity, 'large', SIZES.large)
  const [large, small] = await Promise.all([
    first(art ?? (await icon(activity))),
    first(pictures.activity(activity, 'small', SIZES.small)),
  ])
  // Somebody's only picture should not be the tiny one.
  return large === undefined ? { large: small } : { large, small }
}
