import type { Pictures } from '../../pictures.ts'
import type { Row } from './activities.ts'
import type { Images } from './images.ts'
import type { DataUri } from './markup.ts'
import type { CardOptions } from './options.ts'
import type { Profile, Subject } from './subject.ts'

/** The pictures on one card. What did not come, or never was, is undefined. */
export interface CardPictures {
  readonly avatar?: DataUri | undefined
  readonly decoration?: DataUri | undefined
  readonly tagBadge?: DataUri | undefined
  readonly emoji?: DataUri | undefined
  /** One for each row. */
  readonly rows: readonly RowPictures[]
}

export interface RowPictures {
  readonly large?: DataUri | undefined
  readonly small?: DataUri | undefined
}

/** Where pictures are, and what fetches them. */
export interface Gallery {
  readonly pictures: Pictures
  readonly images: Images
}

/** About twice the pixels they are drawn with: many screens have two for one. */
const SIZES = { avatar: 128, decoration: 160, emoji: 48, large: 128, small: 64 }

/** Fetches everything a card shows, all at once, so that it takes no longer than the slowest picture. */
export async function gather(subject: Subject, options: CardOptions, gallery: Gallery): Promise<CardPictures> {
  const [ofProfile, rows] = await Promise.all([
    subject.profile && gatherProfile(subject.profile, options, gallery),
    Promise.all(subject.rows.map(row => gatherRow(row, gallery))),
  ])
  return { ...ofProfile, rows }
}

async function gatherProfile(profile: Profile, { animated }: CardOptions, { pictures, images }: Gallery) {
  const { user, tag, mood, decorated } = profile
  const moves = animated && typeof user.avatar === 'string' && user.avatar.startsWith('a_')
  const emoji = mood?.emoji && { ...mood.emoji, animated: animated && mood.emoji.animated === true }
  const stillDecoration = pictures.decoration(user, SIZES.decoration)
  const [avatar, decoration, tagBadge, symbol] = await Promise.all([
    first(images, [moves && pictures.avatar(user, 'gif', SIZES.avatar), pictures.avatar(user, 'webp', SIZES.avatar)]),
    decorated && first(images, [animated && pictures.decoration(user), stillDecoration]),
    tag !== undefined && first(images, [pictures.tagBadge(user, 32)]),
    emoji && first(images, [pictures.emoji(emoji, SIZES.emoji)]),
  ])
  return { avatar, decoration: decoration || undefined, tagBadge: tagBadge || undefined, emoji: symbol }
}

async function gatherRow({ activity }: Row, { pictures, images }: Gallery): Promise<RowPictures> {
  const fetched = (which: 'large' | 'small') => first(images, [pictures.activity(activity, which, SIZES[which])])
  const [large, small] = await Promise.all([fetched('large'), fetched('small')])
  // Somebody's only picture should not be the tiny one.
  return large === undefined ? { large: small } : { large, small }
}

/** The first of several pictures, the best one first, that can be had. All are asked for at once: waiting adds up. */
async function first(images: Images, urls: readonly (string | undefined | false)[]): Promise<DataUri | undefined> {
  const wanted = [...new Set(urls.filter(url => typeof url === 'string'))]
  const come = await Promise.all(wanted.map(url => images.get(url)))
  return come.find(uri => uri !== undefined)
}
