import { line } from './line.ts'
import { element, type Markup } from './markup.ts'
import type { CardOptions } from './options.ts'
import { choosePalette, type Palette, STATUS_COLOURS } from './palette.ts'
import { frame } from './svg.ts'

const HEIGHT = 96

/** A card for a person there is nothing to tell of. It does not say who that is, so all of them look alike. */
export function drawNotMonitored(options: CardOptions, invite: string | undefined): string {
  const where = invite === undefined ? 'Join a server its bot is in' : 'Join the Discord server'
  return drawNotice(options, 'Not monitored', [`${where} to appear here`, ...shorten(invite)])
}

/** A card for somebody nobody can tell anything of yet. */
export function drawStarting(options: CardOptions): string {
  return drawNotice(options, 'Starting …', ['Presences are still on their way from Discord', 'Look again in a moment'])
}

/** An address as people write it. */
const shorten = (url: string | undefined) => (url === undefined ? [] : [url.replace(/^https?:\/\//, '')])

function drawNotice(options: CardOptions, title: string, lines: readonly string[]): string {
  const palette = choosePalette(options)
  const place = { x: 104, room: 286 }
  const first = lines.length > 1 ? 37 : 46
  return frame(
    { height: HEIGHT, title: [title, ...lines].join('. '), glow: STATUS_COLOURS.offline, options, palette },
    drawNobody(palette),
    line(title, { ...place, baseline: first, size: 18, weight: 'bold', fill: palette.strong }),
    ...lines.map((text, index) => {
      const fill = index === 0 ? palette.soft : palette.strong
      return line(text, { ...place, baseline: first + 20 * (index + 1), size: 13, fill })
    }),
  )
}

/** Head and shoulders. */
function drawNobody({ veil, veilOpacity, soft }: Palette): Markup {
  const round = { cx: 52, cy: 48, r: 30 }
  return element(
    'g',
    {},
    element('clipPath', { id: 'nobody' }, element('circle', round)),
    element('circle', { ...round, fill: veil, 'fill-opacity': veilOpacity * 1.6 }),
    element(
      'g',
      { 'clip-path': 'url(#nobody)', fill: soft, 'fill-opacity': 0.55 },
      element('circle', { cx: 52, cy: 41, r: 10.5 }),
      element('circle', { cx: 52, cy: 76, r: 20 }),
    ),
  )
}
