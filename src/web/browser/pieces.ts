import { readBadges } from '../../domain/badges.ts'
import { type Pictures, serverTag } from '../../domain/discord-cdn.ts'
import type { JsonObject, Status } from '../../domain/presence.ts'
import { STATUS_WORDS } from '../../domain/words.ts'
import { type Content, type Description, h } from './nodes.ts'
import { line, object, text } from './values.ts'

// What every layout is made of. Everything in a presence comes from strangers: any field may be missing, wrong or huge.

/** What a description takes beside the presence. */
export interface View {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly pictures: Pictures
  /** Whether nothing is to move. */
  readonly still: boolean
  /** Address of the icon of an application, for what has no art. */
  icon(applicationId: string): string
  /** Whether a piece is wanted: `avatar`, `kv` … */
  shows(piece: string): boolean
  /** Whether a picture could not be loaded. */
  broken(address: string): boolean
}

export const nameOf = (user: JsonObject) => line(user.global_name) || line(user.username) || 'somebody'

export function statusOf(presence: JsonObject): Status {
  const told = text(presence.discord_status, 16)
  return Object.hasOwn(STATUS_WORDS, told) ? (told as Status) : 'offline'
}

/** A picture, or what stands in where there is none, or none could be loaded. */
export function drawPicture(
  kind: string,
  src: string | undefined,
  alt: string,
  view: View,
  placeholder?: Content,
): Content {
  if (src === undefined || view.broken(src)) return placeholder
  const title = alt || undefined
  return h(kind, { src, alt, title, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' })
}

/** Words that lead somewhere, if that is an address with HTTPS; else just words. Pages that are linked learn of nobody. */
export function drawLink(address: unknown, view: View, ...words: Content[]): Content {
  if (!view.shows('links') || !isWeb(address)) return words
  return h('a.link', { href: address, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, words)
}

/** An address that leads to a page, and says so itself: no other scheme, no name and password before the host. */
export function isWeb(address: unknown): address is string {
  if (typeof address !== 'string' || address.length > 2048 || !/^https:\/\/[^\s\\]+$/i.test(address)) return false
  const url = URL.canParse(address) ? new URL(address) : undefined
  return url !== undefined && url.username === '' && url.password === ''
}

export function drawPortrait(user: JsonObject, status: Status, view: View): Content {
  if (!view.shows('avatar')) return undefined
  const { pictures, still } = view
  const avatar = still ? pictures.avatar(user, 'webp', 256) : pictures.movingAvatar(user, 256)
  const decoration = view.shows('decoration') ? pictures.decoration(user, 128, !still) : undefined
  const letter = h('span.letter', { 'aria-hidden': true }, Array.from(nameOf(user))[0])
  return h(
    'div.portrait',
    {},
    drawPicture('img.avatar', avatar, '', view, letter),
    drawPicture('img.decoration', decoration, '', view),
    h('span.dot', { 'data-status': status, 'aria-hidden': true }),
  )
}

/** The name leads to the person at Discord. */
export function drawName(user: JsonObject, view: View): Description {
  const profile = /^\d{1,20}$/.test(text(user.id, 20)) && user.bot !== true && `https://discord.com/users/${user.id}`
  return h('bdi.name', {}, drawLink(profile, view, nameOf(user)))
}

/** The picture behind a profile, or the colour that stands in for it. */
export function drawBanner(user: JsonObject, view: View): Content {
  if (!view.shows('banner')) return undefined
  const moving = view.still ? undefined : view.pictures.banner(user, 'gif', 512)
  const picture = drawPicture('img.banner', moving ?? view.pictures.banner(user, 'webp', 512), '', view)
  const colour = user.accent_color
  if (picture || !Number.isInteger(colour) || Number(colour) < 0 || Number(colour) > 0xffffff) return picture
  const fill = `#${Number(colour).toString(16).padStart(6, '0')}`
  // A picture of a colour: a style would be refused by strict policies.
  const box = { viewBox: '0 0 8 1', preserveAspectRatio: 'none', 'aria-hidden': true }
  return h('svg.banner', box, h('path', { d: 'M0 0h8v1H0z', fill }))
}

export function drawTag(user: JsonObject, view: View): Content {
  const guild = object(serverTag(user))
  const tag = line(guild.tag, 16)
  if (!view.shows('tag') || guild.identity_enabled !== true || tag === '') return undefined
  const badge = drawPicture('img.badge', view.pictures.tagBadge(user, 32), '', view)
  return h('span.tag', { title: 'Server tag' }, badge, h('bdi', {}, tag))
}

/** What somebody has done for Discord. */
export function drawBadges(user: JsonObject, view: View): Content {
  const badges = view.shows('badges') ? readBadges(user.public_flags) : []
  if (badges.length === 0) return undefined
  const drawn = badges.map(({ name, colour, shape, sign }) =>
    h(
      'svg.flag',
      { viewBox: '0 0 20 20', role: 'img' },
      h('title', {}, name),
      h('path', { d: shape, fill: colour }),
      h('path', { d: sign, fill: '#fff' }),
    ),
  )
  return h('span.flags', {}, drawn)
}

export function drawCustomStatus(mood: JsonObject, view: View): Description {
  const emoji = object(mood.emoji)
  const name = line(emoji.name, 32)
  const address = view.pictures.emoji(view.still ? { ...emoji, animated: false } : emoji, 64)
  const symbol = drawPicture('img.emoji', address, `:${name}:`, view, address === undefined ? name : `:${name}:`)
  return h('p.custom', {}, h('span.cut', {}, symbol, ' ', h('bdi', {}, line(mood.state))))
}
