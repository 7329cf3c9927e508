// Addresses of the pictures in a presence: a known base, and behind it ids, hashes and tokens of the known form only.

import { fits, object } from './values.browser.js'

const HASH = /^(a_)?[0-9a-f]{32}$/
const ID = /^\d{1,20}$/

/**
 * Makes addresses of the pictures of the person with the given id: at `home` the avatar, at the other hosts the rest.
 * `still` asks for pictures that do not move. Unknown forms have no picture.
 */
export function createPictures({ home, id, cdn, media, spotify, still }) {
  function art({ assets, application_id }, which) {
    const image = object(assets)[`${which}_image`]
    if (fits(/^spotify:[0-9a-z]{1,64}$/, image)) return `${spotify}/image/${image.slice(8)}`
    if (fits(/^mp:[\w./~=+,@:%-]{1,2048}$/, image) && !/\.\.|\/\.?\/|%(2e|7f|[01])/i.test(image))
      return `${media}/${image.slice(3)}?width=128&height=128`
    if (fits(ID, image) && fits(ID, application_id)) return `${cdn}/app-assets/${application_id}/${image}.png?size=128`
  }

  return {
    art,
    // The hash makes a new avatar appear at once.
    avatar: ({ avatar }) => `${home}${id}.webp?v=${fits(HASH, avatar) ? avatar : ''}`,
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
