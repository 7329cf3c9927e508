// Describes a presence. Everything in it comes from strangers: any field may be missing, wrong or huge, and text stays text.

import { h } from './nodes.browser.js'
import { ago, clock } from './times.browser.js'
import { list, object, text, time, whole } from './values.browser.js'

const STATUSES = { online: 'Online', idle: 'Idle', dnd: 'Do not disturb', offline: 'Offline' }
const VERBS = ['Playing', 'Streaming', 'Listening to', 'Watching', '', 'Competing in']
/** Where people are, and how it is drawn on 16 by 16. */
const PLATFORMS = {
  desktop: ['desktop', 'M2 3h12v8H2zM5 14h6'],
  mobile: ['phone', 'M5 1.5h6v13H5zM7.5 12h1'],
  web: ['browser', 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M2 8h12M8 2c2.5 3 2.5 9 0 12M8 2c-2.5 3-2.5 9 0 12'],
  embedded: [
    'console',
    'M5 4h6a4 4 0 0 1 4 4v1a3 3 0 0 1-5 2H6A3 3 0 0 1 1 9V8a4 4 0 0 1 4-4M5.5 6v3M4 7.5h3M11 7.5h1',
  ],
  vr: ['headset', 'M2 5h12v6h-4L8 9l-2 2H2z'],
}
const MOST_ACTIVITIES = 8
const MOST_PAIRS = 100

const more = (count, what) => count > 0 && h('p.more', {}, `and ${count} more ${what}`)

/**
 * The description of a presence at the moment `view.now`. `view` has what it takes: `pictures`,
 * `shows(name)` and `broken(address)`.
 */
export function draw(presence, view) {
  const activities = list(presence.activities).filter(activity => object(activity) === activity)
  const mood = activities.find(activity => activity.type === 4)
  const shown = activities.filter(
    activity => activity !== mood && view.shows(isSpotify(activity) ? 'spotify' : 'activities'),
  )
  const user = object(presence.discord_user)
  return h(
    'article.presence',
    { 'aria-label': `Discord presence of ${nameOf(user)}` },
    person(presence, user, view),
    mood && view.shows('custom') && custom(mood, view),
    shown.length > 0 &&
      h(
        'ul.activities',
        {},
        shown.slice(0, MOST_ACTIVITIES).map(activity => card(activity, view)),
      ),
    more(shown.length - MOST_ACTIVITIES, 'activities'),
    view.shows('kv') && pairs(object(presence.kv)),
  )
}

/** Whether the description changes by itself as time goes by. */
export function moves(presence) {
  return list(presence.activities).some(activity => activity?.timestamps) || time(presence.last_seen_at) !== undefined
}

const isSpotify = activity => activity.id === 'spotify:1'
const nameOf = user => text(user.global_name) || text(user.username) || 'somebody'

/** A picture, or what stands in where there is none, or none could be loaded. */
function picture(kind, src, alt, view, ...standIn) {
  if (!src || view.broken(src)) return standIn
  return h(kind, {
    src,
    alt,
    title: alt || undefined,
    loading: 'lazy',
    decoding: 'async',
    referrerpolicy: 'no-referrer',
  })
}

function person(presence, user, view) {
  const told = text(presence.discord_status)
  const status = Object.hasOwn(STATUSES, told) ? told : 'offline'
  const decoration = view.shows('decoration') && view.pictures.decoration(object(user.avatar_decoration_data))
  const name = nameOf(user)
  const letter = h('span.letter', { 'aria-hidden': true }, Array.from(name)[0])
  return h(
    'div.person',
    {},
    view.shows('avatar') &&
      h(
        'div.portrait',
        {},
        picture('img.avatar', view.pictures.avatar(user), '', view, letter),
        picture('img.decoration', decoration, '', view),
        h('span.dot', { 'data-status': status, 'aria-hidden': true }),
      ),
    h(
      'div.about',
      {},
      h(
        'div.names',
        {},
        h('bdi.name', {}, name),
        view.shows('tag') && tag(object(user.primary_guild === undefined ? user.clan : user.primary_guild), view),
      ),
      h('div.username', {}, `@${text(user.username)}`),
      h(
        'div.status',
        { 'data-status': status },
        STATUSES[status],
        platforms(presence, view),
        lastSeen(presence, status, view),
      ),
    ),
  )
}

function tag(guild, view) {
  if (guild.identity_enabled !== true || !text(guild.tag)) return undefined
  return h(
    'span.tag',
    { title: 'Server tag' },
    picture('img.badge', view.pictures.badge(guild), '', view),
    h('bdi', {}, text(guild.tag, 16)),
  )
}

function platforms(presence, view) {
  const places = Object.keys(PLATFORMS).filter(key => presence[`active_on_discord_${key}`] === true)
  if (places.length === 0 || !view.shows('platforms')) return undefined
  return [
    h('span.hidden', {}, ` on ${places.map(key => PLATFORMS[key][0]).join(' and ')}`),
    places.map(key =>
      h('svg.platform', { viewBox: '0 0 16 16', 'aria-hidden': true }, h('path', { d: PLATFORMS[key][1] })),
    ),
  ]
}

function lastSeen(presence, status, view) {
  const at = time(presence.last_seen_at)
  if (at === undefined || status !== 'offline' || !view.shows('seen')) return undefined
  return h('time.seen', { datetime: new Date(at).toISOString() }, `· last seen ${ago(view.now - at)}`)
}

function custom(mood, view) {
  const emoji = object(mood.emoji)
  const name = text(emoji.name, 32)
  const address = view.pictures.emoji(emoji)
  const picked = picture('img.emoji', address, `:${name}:`, view, address ? `:${name}:` : name)
  return h('p.custom', {}, h('span.cut', {}, picked, ' ', h('bdi', {}, text(mood.state))))
}

function card(activity, view) {
  const spotify = isSpotify(activity)
  const assets = object(activity.assets)
  const verb = VERBS[whole(activity.type)] ?? ''
  const name = text(activity.name)
  const lines = [text(activity.details), text(activity.state) + crowd(object(activity.party))]
  const title = spotify ? lines.shift() : name
  if (spotify) lines.push(text(assets.large_text))
  const blank = h('span.blank', { 'aria-hidden': true }, spotify ? '♪' : (Array.from(name)[0] ?? '·'))
  return h(
    'li.activity',
    { 'data-kind': spotify ? 'spotify' : undefined },
    h(
      'div.art',
      {},
      picture('img.large', view.pictures.art(activity, 'large'), text(assets.large_text), view, blank),
      picture('img.small', view.pictures.art(activity, 'small'), text(assets.small_text), view),
    ),
    h(
      'div.what',
      {},
      h('div.verb', {}, spotify ? `${verb} ${name}` : verb),
      h('div.title', {}, title),
      lines.map(line => line && h('div.line', {}, line)),
      timing(object(activity.timestamps), view.now),
    ),
  )
}

/** How many play together, of how many who could. */
function crowd({ size }) {
  const [now, most] = list(size).map(whole)
  return now > 0 && most > 0 ? ` (${now} of ${most})` : ''
}

function timing({ start, end }, now) {
  const [from, to] = [time(start), time(end)]
  if (from === undefined) return undefined
  if (to === undefined || to <= from) return h('div.elapsed', {}, `for ${clock(now - from)}`)
  const passed = Math.min(Math.max(now - from, 0), to - from)
  const part = Math.round((passed / (to - from)) * 1000) / 10
  return h(
    'div.track',
    {},
    h('span', {}, clock(passed)),
    // How far it is stands beside it in words: an announced progress bar would speak without end.
    h(
      'svg.progress',
      { viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': true },
      h('path', { d: `M0 2h${part}` }),
    ),
    h('span', {}, clock(to - from)),
  )
}

function pairs(kv) {
  const entries = Object.entries(kv)
  if (entries.length === 0) return undefined
  return [
    h(
      'dl.pairs',
      {},
      entries
        .slice(0, MOST_PAIRS)
        .map(([key, value]) => [h('dt.key', {}, text(key)), h('dd.value', {}, h('span.cut', {}, text(value, 500)))]),
    ),
    more(entries.length - MOST_PAIRS, 'pairs'),
  ]
}
