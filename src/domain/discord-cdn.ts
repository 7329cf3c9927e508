import { isObject, isSnowflake, type JsonObject, SPOTIFY_CDN_URL, spotifyCover } from './presence.ts'

/** Bases of the hosts that keep pictures, without a slash at the end. The settings are such hosts. */
export interface PictureHosts {
  readonly discordCdnUrl: string
  readonly discordMediaUrl: string
  readonly spotifyCdnUrl: string
}

/** The real ones. */
export const PICTURE_HOSTS: PictureHosts = {
  discordCdnUrl: 'https://cdn.discordapp.com',
  discordMediaUrl: 'https://media.discordapp.net',
  spotifyCdnUrl: SPOTIFY_CDN_URL,
}

const HASH = /^(a_)?[0-9a-f]{32}$/
const FORMATS: readonly string[] = ['png', 'gif', 'webp', 'jpg', 'jpeg']

/**
 * Where the pictures of a presence are. Discord validates nothing of what people send it, so every address is a base
 * and checked ids, hashes and tokens behind it: letters, digits and `/ . _ ~ % = + , @ : -`, then a query of ours,
 * behind a signed one where the address has that; whatever is not of the known form has no picture. Sizes are pixels,
 * rounded up to a power of two from 16 to 4096. Sources: Discord docs, Reference, "CDN Endpoints", and Gateway Events,
 * "Activity Asset Image".
 */
export class Pictures {
  readonly #hosts: PictureHosts

  constructor(hosts: PictureHosts) {
    this.#hosts = hosts
  }

  /**
   * Always there: people without an avatar have a default one, as PNG. Formats: png, webp, jpg, jpeg, and gif where it
   * moves.
   */
  avatar(user: JsonObject, extension: string, size: number): string {
    return this.#hosts.discordCdnUrl + avatarPath(user, extension, size)
  }

  /** The avatar as WebP that moves where it can: what a browser shows, and an SVG does not. */
  movingAvatar(user: JsonObject, size: number): string {
    const address = this.avatar(user, 'webp', size)
    return isHash(user.avatar) && user.avatar.startsWith('a_') ? `${address}&animated=true` : address
  }

  /**
   * What is drawn over the avatar, a fifth larger: PNG with transparency. Without a size it is the original; with one
   * it moves only if asked to.
   */
  decoration(user: JsonObject, size?: number, moves = false): string | undefined {
    return this.#atCdn(decorationPath(user.avatar_decoration_data, size, moves))
  }

  /** The picture behind a profile; gif where it moves. Undefined for who has none, or none that is known of. */
  banner(user: JsonObject, extension: 'webp' | 'png' | 'gif', size: number): string | undefined {
    return this.#atCdn(bannerPath(user, extension, size))
  }

  /** What is drawn behind a name, without moving: PNG with transparency. */
  nameplate({ collectibles }: JsonObject): string | undefined {
    return this.#atCdn(nameplatePath(isObject(collectibles) ? collectibles.nameplate : undefined))
  }

  /** The badge beside the server tag somebody wears. */
  tagBadge(user: JsonObject, size?: number): string | undefined {
    return this.#atCdn(badgePath(serverTag(user), size))
  }

  /** A custom emoji; those of Unicode are text and have no picture. */
  emoji(emoji: unknown, size: number): string | undefined {
    return this.#atCdn(emojiPath(emoji, size))
  }

  /** Art of an activity: an application's own, an album cover, or anything on the web by way of Discord's proxy. */
  activity({ assets, application_id }: JsonObject, which: 'large' | 'small', size: number): string | undefined {
    const image = isObject(assets) ? assets[`${which}_image`] : undefined
    if (typeof image !== 'string') return undefined
    const cover = spotifyCover(image)
    if (cover !== undefined) return coverAt(this.#hosts.spotifyCdnUrl, cover)
    if (image.startsWith('mp:')) return proxied(this.#hosts.discordMediaUrl, image.slice('mp:'.length), size)
    return this.#atCdn(assetPath(application_id, image, size))
  }

  /** The icon of an application, as PNG. */
  appIcon(applicationId: string, icon: string, size: number): string | undefined {
    if (!isSnowflake(applicationId) || !isHash(icon)) return undefined
    return this.#atCdn(`/app-icons/${applicationId}/${icon}.png?size=${fit(size)}`)
  }

  #atCdn(path: string | undefined): string | undefined {
    return path === undefined ? undefined : this.#hosts.discordCdnUrl + path
  }
}

const coverAt = (base: string, id: string) => (/^[0-9a-z]{1,64}$/.test(id) ? `${base}/image/${id}` : undefined)

/** The server tag in a user object, shown or not. `clan` is the name it had before. */
export const serverTag = (user: JsonObject) => (user.primary_guild === undefined ? user.clan : user.primary_guild)

function avatarPath({ id, avatar, discriminator }: JsonObject, extension: string, size: number): string {
  if (!isSnowflake(id)) return '/embed/avatars/0.png'
  if (!isHash(avatar)) return defaultAvatarPath(id, discriminator)
  const still = extension === 'gif' && !avatar.startsWith('a_')
  const format = FORMATS.includes(extension) ? extension : 'png'
  return `/avatars/${id}/${avatar}.${still ? 'jpg' : format}?size=${fit(size)}`
}

/**
 * People who still have a discriminator get one of five by it, everybody else one of six by id. They exist as PNG only.
 */
function defaultAvatarPath(id: string, discriminator: unknown): string {
  const legacy = typeof discriminator === 'string' && /^\d{4}$/.test(discriminator)
  const index = legacy ? Number(discriminator) % 5 : (BigInt(id) >> 22n) % 6n
  return `/embed/avatars/${index}.png`
}

/** Sized pictures move only with `passthrough=true`; without any query the original comes. */
function decorationPath(decoration: unknown, size?: number, moves = false): string | undefined {
  const asset = isObject(decoration) ? decoration.asset : undefined
  if (!isHash(asset)) return undefined
  const query = size === undefined ? '' : `?size=${fit(size)}&passthrough=${moves}`
  return `/avatar-decoration-presets/${asset}.png${query}`
}

function bannerPath({ id, banner }: JsonObject, extension: string, size: number): string | undefined {
  if (!isSnowflake(id) || !isHash(banner)) return undefined
  if (extension === 'gif' && !banner.startsWith('a_')) return undefined
  return `/banners/${id}/${banner}.${extension}?size=${fit(size)}`
}

/** `nameplates/` and folders below it, with a slash at the end. */
function nameplatePath(plate: unknown): string | undefined {
  const asset = isObject(plate) ? plate.asset : undefined
  const safe = typeof asset === 'string' && asset.length <= 256 && /^nameplates(\/[\w-]+)+\/$/.test(asset)
  return safe ? `/assets/collectibles/${asset}static.png` : undefined
}

/** Whoever took the tag off still has the server's id and badge in their user object. */
function badgePath(tag: unknown, size?: number): string | undefined {
  const { identity_enabled, identity_guild_id, badge } = isObject(tag) ? tag : {}
  if (identity_enabled !== true || !isSnowflake(identity_guild_id) || !isHash(badge)) return undefined
  return `/guild-tag-badges/${identity_guild_id}/${badge}.png${size === undefined ? '' : `?size=${fit(size)}`}`
}

/** WebP, as the docs recommend: some emojis exist as nothing else. */
function emojiPath(emoji: unknown, size: number): string | undefined {
  const { id, animated } = isObject(emoji) ? emoji : {}
  if (!isSnowflake(id)) return undefined
  return `/emojis/${id}.webp?size=${fit(size)}${animated === true ? '&animated=true' : ''}`
}

function assetPath(applicationId: unknown, asset: string, size: number): string | undefined {
  if (!isSnowflake(applicationId) || !isSnowflake(asset)) return undefined
  return `/app-assets/${applicationId}/${asset}.png?size=${fit(size)}`
}

/** Letters and signs that mean nothing but themselves in an address; no control character behind a percent sign. */
const SAFE = '[\\w.~=+,@:-]|%(?!7f)[2-9a-f][0-9a-f]'
const SAFE_PATH = new RegExp(`^(?:${SAFE})+(?:/(?:${SAFE})+)+$`, 'i')
const SAFE_QUERY = new RegExp(`^(?:${SAFE}|[&/])*$`, 'i')

/**
 * A path at Discord's media proxy, e.g. `external/<signature>/https/example.org/logo.png`, or `attachments/1/2/art.png`
 * with the query that signs it. No empty segment, no dot segment (`%2e` is one too, says the URL standard).
 */
function proxied(base: string, address: string, size: number): string | undefined {
  if (address.length > 2048) return undefined
  const [, path = '', query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(address) ?? []
  const isSafe = SAFE_PATH.test(path) && SAFE_QUERY.test(query) && !/(^|\/)\.(\/|$)|\.\.|%2e/i.test(path)
  if (!isSafe) return undefined
  const kept = query.split('&').filter(part => part !== '' && !/^(width|height)(=|$)/.test(part))
  return `${base}/${path}?${[...kept, `width=${fit(size)}`, `height=${fit(size)}`].join('&')}`
}

/** Whether it is what Discord names a picture by. */
export function isHash(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value)
}

/** The smallest power of two from 16 to 4096 that is not below `size`. */
function fit(size: number): number {
  let fitting = 16
  while (fitting < size && fitting < 4096) fitting *= 2
  return fitting
}
