import { CUSTOM_STATUS, isDoing, readTime } from '../../domain/activity.ts'
import type { JsonObject } from '../../domain/presence.ts'
import { ago, STATUS_WORDS } from '../../domain/words.ts'
import { type Doing, drawActivity, drawArt, drawWords, readDoing } from './activities.ts'
import { type Content, type Description, h } from './nodes.ts'
import {
  drawBadges,
  drawBanner,
  drawCustomStatus,
  drawLink,
  drawName,
  drawPortrait,
  drawTag,
  nameOf,
  statusOf,
  type View,
} from './pieces.ts'
import { line, object, objects, text } from './values.ts'

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
/** Pairs that are seen without asking for more. */
const PAIRS_IN_SIGHT = 6

/** What is drawn of somebody, and how it is arranged. */
const LAYOUTS: Readonly<Record<string, (shown: Shown, view: View) => Content[]>> = {
  card: drawCard,
  compact: drawCompact,
  music: drawMusic,
  pill: drawPill,
}

interface Shown {
  readonly presence: JsonObject
  readonly user: JsonObject
  readonly mood: JsonObject | undefined
  readonly doings: readonly Doing[]
}

/** The description of a presence at a moment. `layout`: `card`, which is also what anything unknown means, and others. */
export function draw(presence: JsonObject, view: View, layout = 'card'): Description {
  const activities = objects(presence.activities)
  const doings = activities.filter(isDoing).map(readDoing)
  const user = object(presence.discord_user)
  const mood = activities.find(activity => activity.type === CUSTOM_STATUS)
  const known = Object.hasOwn(LAYOUTS, layout) ? layout : 'card'
  const wanted = doings.filter(({ told }) => view.shows(told.kind === 'spotify' ? 'spotify' : 'activities'))
  const shown = { presence, user, mood: mood && view.shows('custom') ? mood : undefined, doings: wanted }
  const label = { 'aria-label': `Discord presence of ${nameOf(user)}`, 'data-layout': known }
  return h('article.presence', label, LAYOUTS[known]?.(shown, view) ?? [])
}

/** Whether the description changes by itself as time goes by. */
export function moves(presence: JsonObject): boolean {
  return (
    objects(presence.activities).some(({ timestamps }) => timestamps) || readTime(presence.last_seen_at) !== undefined
  )
}

const more = (count: number, what: string) => count > 0 && h('p.more', {}, `and ${count} more ${what}`)

function drawCard({ presence, user, mood, doings }: Shown, view: View): Content[] {
  const activities = doings.slice(0, MOST_ACTIVITIES).map(doing => drawActivity(doing, view))
  return [
    drawBanner(user, view),
    h(
      'div.person',
      {},
      drawPortrait(user, statusOf(presence), view),
      h(
        'div.about',
        {},
        h('div.names', {}, drawName(user, view), drawTag(user, view), drawBadges(user, view)),
        h('div.username', {}, `@${line(user.username)}`),
        drawStatus(presence, view),
      ),
    ),
    mood && drawCustomStatus(mood, view),
    activities.length > 0 && h('ul.activities', {}, activities),
    more(doings.length - MOST_ACTIVITIES, 'activities'),
    view.shows('kv') && drawPairs(object(presence.kv), view),
  ]
}

/** One person in one row, with the first thing they do. */
function drawCompact({ presence, user, mood, doings: [doing] }: Shown, view: View): Content[] {
  const said = doing === undefined ? mood && drawCustomStatus(mood, view) : drawOneLine(doing)
  return [
    drawPortrait(user, statusOf(presence), view),
    h(
      'div.about',
      {},
      h('div.names', {}, drawName(user, view), drawTag(user, view)),
      said ?? drawStatus(presence, view),
    ),
    doing && drawArt(doing, view),
  ]
}

function drawOneLine({ told }: Doing): Description {
  const label = told.kind === 'spotify' ? '♪' : line(told.label)
  const words = [told.title, ...told.lines]
  return h(
    'div.line',
    {},
    `${label} `,
    h('b', {}, h('bdi', {}, line(words[0]))),
    words.slice(1).map(more => ` · ${line(more)}`),
  )
}

/** What somebody listens to. Spotify comes first, then any other music. */
function drawMusic({ user, doings }: Shown, view: View): Content[] {
  const song = doings.find(({ told }) => told.kind === 'spotify') ?? doings.find(({ activity }) => activity.type === 2)
  if (song === undefined) return [h('div.nothing', {}, h('bdi', {}, nameOf(user)), ' is not listening to anything')]
  return [drawArt(song, view, 256), drawWords(song.activity, song.told, view)]
}

/** As little as there can be: who, and whether they are there. */
function drawPill({ presence, user }: Shown, view: View): Content[] {
  const status = statusOf(presence)
  return [
    drawPortrait(user, status, view),
    h('div.about', {}, drawName(user, view), h('div.status', { 'data-status': status }, STATUS_WORDS[status])),
  ]
}

function drawStatus(presence: JsonObject, view: View): Description {
  const status = statusOf(presence)
  return h(
    'div.status',
    { 'data-status': status },
    STATUS_WORDS[status],
    view.shows('platforms') && drawPlatforms(presence),
    status === 'offline' && view.shows('seen') && drawLastSeen(presence, view),
  )
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

/** Many are folded; where there are very many, those are counted that nobody would read. */
function drawPairs(kv: JsonObject, view: View): Content {
  const entries = Object.entries(kv)
  if (entries.length === 0) return undefined
  const rows = entries.slice(0, MOST_PAIRS).map(([key, value]) => {
    return [
      h('dt.key', {}, text(key, 128)),
      h('dd.value', {}, h('span.cut', {}, drawLink(value, view, text(value, 500)))),
    ]
  })
  const folded = rows.slice(PAIRS_IN_SIGHT)
  return [
    h('dl.pairs', {}, rows.slice(0, PAIRS_IN_SIGHT)),
    folded.length > 0 &&
      h(
        'details.folded',
        {},
        h('summary.more', {}, `${folded.length} more pairs`),
        h('dl.pairs', {}, folded),
        more(entries.length - MOST_PAIRS, 'pairs'),
      ),
  ]
}
