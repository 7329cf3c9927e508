import {
  type ActivityText,
  CUSTOM_STATUS,
  isDoing,
  readActivityText,
  readTime,
  type Timing,
} from '../../domain/activity.ts'
import { type Pictures, serverTag } from '../../domain/discord-cdn.ts'
import type { JsonObject, Status } from '../../domain/presence.ts'
import { ago, clock, STATUS_WORDS } from '../../domain/words.ts'
import { type Content, type Description, h } from './nodes.ts'
import { line, object, objects, text } from './values.ts'

// Describes a presence. Everything in it comes from strangers: any field may be missing, wrong or huge, and text stays text.

/** Where people are, and how it is drawn on 16 by 16. */
const PLATFORMS: Readonly<Record<string, readonly [name: string, path: string]>> = {
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

/** What a description takes beside the presence. */
export interface View {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly pictures: Pictures
  /** Whether nothing is to move. */
  readonly still: boolean
  /** Whether a piece is wanted: `avatar`, `kv` … */
  shows(piece: string): boolean
  /** Whether a picture could not be loaded. */
  broken(address: string): boolean
}

const more = (count: number, what: string) => count > 0 && h('p.more', {}, `and ${count} more ${what}`)

/** The description of a presence at a moment. */
export function draw(presence: JsonObject, view: View): Description {
  const activities = objects(presence.activities)
  const mood = activities.find(activity => activity.type === CUSTOM_STATUS)
  const shown = activities.filter(isDoing).map(activity => ({ activity, told: readActivityText(activity) }))
  const wanted = shown.filter(({ told }) => view.shows(told.kind === 'spotify' ? 'spotify' : 'activities'))
  const user = object(presence.discord_user)
  const cards = wanted.slice(0, MOST_ACTIVITIES).map(({ activity, told }) => drawActivity(activity, told, view))
  return h(
    'article.presence',
    { 'aria-label': `Discord presence of ${nameOf(user)}` },
    drawPerson(presence, user, view),
    mood && view.shows('custom') && drawCustomStatus(mood, view),
    cards.length > 0 && h('ul.activities', {}, cards),
    more(wanted.length - MOST_ACTIVITIES, 'activities'),
    view.shows('kv') && drawPairs(object(presence.kv)),
  )
}

/** Whether the description changes by itself as time goes by. */
export function moves(presence: JsonObject): boolean {
  return (
    objects(presence.activities).some(({ timestamps }) => timestamps) || readTime(presence.last_seen_at) !== undefined
  )
}

const nameOf = (user: JsonObject) => line(user.global_name) || line(user.username) || 'somebody'

/** A picture, or what stands in where there is none, or none could be loaded. */
function drawPicture(kind: string, src: string | undefined, alt: string, view: View, placeholder?: Content): Content {
  if (src === undefined || view.broken(src)) return placeholder
  const title = alt || undefined
  return h(kind, { src, alt, title, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' })
}

function drawPerson(presence: JsonObject, user: JsonObject, view: View): Description {
  const told = String(text(presence.discord_status, 16))
  const status = Object.hasOwn(STATUS_WORDS, told) ? (told as Status) : 'offline'
  return h(
    'div.person',
    {},
    view.shows('avatar') && drawPortrait(user, status, view),
    h(
      'div.about',
      {},
      h('div.names', {}, h('bdi.name', {}, nameOf(user)), view.shows('tag') && drawTag(user, view)),
      h('div.username', {}, `@${line(user.username)}`),
      h(
        'div.status',
        { 'data-status': status },
        STATUS_WORDS[status],
        view.shows('platforms') && drawPlatforms(presence),
        status === 'offline' && view.shows('seen') && drawLastSeen(presence, view),
      ),
    ),
  )
}

function drawPortrait(user: JsonObject, status: Status, view: View): Description {
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

function drawTag(user: JsonObject, view: View): Content {
  const guild = object(serverTag(user))
  const tag = line(guild.tag, 16)
  if (guild.identity_enabled !== true || tag === '') return undefined
  const badge = drawPicture('img.badge', view.pictures.tagBadge(user, 32), '', view)
  return h('span.tag', { title: 'Server tag' }, badge, h('bdi', {}, tag))
}

function drawPlatforms(presence: JsonObject): Content {
  const places = Object.entries(PLATFORMS).filter(([key]) => presence[`active_on_discord_${key}`] === true)
  if (places.length === 0) return undefined
  return [
    h('span.hidden', {}, ` on ${places.map(([, [name]]) => name).join(' and ')}`),
    places.map(([, [, path]]) =>
      h('svg.platform', { viewBox: '0 0 16 16', 'aria-hidden': true }, h('path', { d: path })),
    ),
  ]
}

function drawLastSeen(presence: JsonObject, { now }: View): Content {
  const at = readTime(presence.last_seen_at)
  if (at === undefined) return undefined
  return h('time.seen', { datetime: new Date(at).toISOString() }, `· last seen ${ago(now - at)}`)
}

function drawCustomStatus(mood: JsonObject, view: View): Description {
  const emoji = object(mood.emoji)
  const name = line(emoji.name, 32)
  const address = view.pictures.emoji(view.still ? { ...emoji, animated: false } : emoji, 64)
  const symbol = drawPicture('img.emoji', address, `:${name}:`, view, address === undefined ? name : `:${name}:`)
  return h('p.custom', {}, h('span.cut', {}, symbol, ' ', h('bdi', {}, line(mood.state))))
}

function drawActivity(activity: JsonObject, told: ActivityText, view: View): Description {
  const assets = object(activity.assets)
  const art = (which: 'large' | 'small') => view.pictures.activity(activity, which, 128)
  const blank = h('span.blank', { 'aria-hidden': true }, told.kind === 'spotify' ? '♪' : Array.from(told.title)[0])
  return h(
    'li.activity',
    { 'data-kind': told.kind === 'activity' ? undefined : told.kind },
    h(
      'div.art',
      {},
      drawPicture('img.large', art('large'), line(assets.large_text), view, blank),
      drawPicture('img.small', art('small'), line(assets.small_text), view),
    ),
    h(
      'div.what',
      {},
      h('div.verb', {}, line(told.label)),
      h('div.title', {}, line(told.title)),
      [...told.lines, told.album].map(words => words && h('div.line', {}, line(words))),
      told.timing && drawTiming(told.timing, view.now),
    ),
  )
}

function drawTiming({ start, end }: Timing, now: number): Content {
  if (start === undefined) return end > now && h('div.elapsed', {}, `${clock(end - now)} left`)
  if (end === undefined) return h('div.elapsed', {}, `for ${clock(now - start)}`)
  const passed = Math.min(Math.max(now - start, 0), end - start)
  const part = Math.round((passed / (end - start)) * 1000) / 10
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
    h('span', {}, clock(end - start)),
  )
}

function drawPairs(kv: JsonObject): Content {
  const entries = Object.entries(kv)
  if (entries.length === 0) return undefined
  const rows = entries
    .slice(0, MOST_PAIRS)
    .map(([key, value]) => [h('dt.key', {}, text(key, 128)), h('dd.value', {}, h('span.cut', {}, text(value, 500)))])
  return [h('dl.pairs', {}, rows), more(entries.length - MOST_PAIRS, 'pairs')]
}
