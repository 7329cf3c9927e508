// Addresses of the pictures in a presence: a known base, and behind it ids, hashes and tokens of the known form only.

import { fits, object } from './values.browser.js'

const HASH = /^(a_)?[0-9a-f]{32}$/
const ID = /^\d{1,20}$/

/**
 * Makes addresses of the pictures of the person with the given id. `still` asks for pictures that do not move. Unknown
 * forms have no picture, but everybody has an avatar.
 */
export function createPictures({ id, cdn, media, spotify, still }) {
  function art({ assets, application_id }, which) {
    const image = object(assets)[`${which}_image`]
    if (fits(/^spotify:[0-9a-z]{1,64}$/, image)) return `${spotify}/image/${image.slice(8)}`
    if (fits(/^mp:[\w./~=+,@:%-]{1,2048}$/, image) && !/\.\.|\/\.?\/|%(2e|7f|[01])/i.test(image))
      return `${media}/${image.slice(3)}?width=128&height=128`
    if (fits(ID, image) && fits(ID, application_id)) return `${cdn}/app-assets/${application_id}/${image}.png?size=128`
  }

  /** People who still have a discriminator get one of five by it, everybody else one of six by id. */
  const defaultIndex = discriminator => (fits(/^\d{4}$/, discriminator) ? discriminator % 5 : (BigInt(id) >> 22n) % 6n)

  return {
    art,
    avatar({ avatar, discriminator }) {
      if (!fits(HASH, avatar)) return `${cdn}/embed/avatars/${defaultIndex(discriminator)}.png`
      const moves = avatar.startsWith('a_') && !still
      return `${cdn}/avatars/${id}/${avatar}.webp?size=256${moves ? '&animated=true' : ''}`
    },
    decoration({ asset }) {
      if (fits(HASH, asset)) return `${cdn}/avatar-decoration-presets/${asset}.png?size=128&passthrough=${!still}`
    },
    badge({ identity_guild_id: guild, badge }) {
      if (fits(ID, guild) && fits(HASH, badge)) return `${cdn}/guild-tag-badges/${guild}/${badge}.png?size=32`
    },
    emoji(emoji) {
      const moves = emoji.animated === true && !still
      if (fits(ID, emoji.id)) return `${cdn}/emojis/${emoji.id}.webp?size=64${moves ? '&animated=true' : ''}`
    },
  }
}
