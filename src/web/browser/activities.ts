import { type ActivityText, readActivityText, STREAMING, type Timing } from '../../domain/activity.ts'
import { isSnowflake, type JsonObject } from '../../domain/presence.ts'
import { clock } from '../../domain/words.ts'
import { type Content, type Description, h } from './nodes.ts'
import { drawLink, drawPicture, type View } from './pieces.ts'
import { line, object, text } from './values.ts'

/** An activity as it came, and as it reads. */
export interface Doing {
  readonly activity: JsonObject
  readonly told: ActivityText
}

export const readDoing = (activity: JsonObject): Doing => ({ activity, told: readActivityText(activity) })

/** Its art, with the small one on it. */
export function drawArt({ activity, told }: Doing, view: View, size = 128): Description {
  const assets = object(activity.assets)
  const art = (which: 'large' | 'small') => view.pictures.activity(activity, which, size)
  const large = assets.large_image ? art('large') : iconOf(activity, view)
  const blank = h('span.blank', { 'aria-hidden': true }, told.kind === 'spotify' ? '♪' : Array.from(told.title)[0])
  return h(
    'div.art',
    {},
    drawPicture('img.large', large, line(assets.large_text), view, blank),
    drawPicture('img.small', art('small'), line(assets.small_text), view),
  )
}

/** What has no art is shown by the icon of its application. */
function iconOf({ application_id: id }: JsonObject, view: View): string | undefined {
  return isSnowflake(id) ? view.icon(id) : undefined
}

export function drawActivity(doing: Doing, view: View): Description {
  const { activity, told } = doing
  return h('li.activity', { 'data-kind': told.kind }, drawArt(doing, view), drawWords(activity, told, view))
}

/** What it is, what is told of it, and how far it is. */
export function drawWords(activity: JsonObject, told: ActivityText, view: View): Description {
  return h(
    'div.what',
    {},
    h('div.verb', {}, line(told.label)),
    h('div.title', {}, drawLink(addressOf(activity, told), view, line(told.title))),
    [...told.lines, told.album].map(words => words && h('div.line', {}, line(words))),
    told.timing && drawTiming(told.timing, view.now),
  )
}

/** Where a song can be heard, a stream be seen, or what an application says is behind the title. */
function addressOf(activity: JsonObject, { kind }: ActivityText): unknown {
  const track = text(activity.sync_id, 32)
  if (kind === 'spotify') return /^[0-9A-Za-z]{1,32}$/.test(track) && `https://open.spotify.com/track/${track}`
  return activity.type === STREAMING ? activity.url : activity.details_url
}

export function drawTiming({ start, end }: Timing, now: number): Content {
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
