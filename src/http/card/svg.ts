import { line } from './line.ts'
import { element, join, type Markup, words } from './markup.ts'
import type { CardOptions } from './options.ts'
import { choosePalette, type Palette, STATUS_COLOURS } from './palette.ts'
import type { CardPictures } from './picture-set.ts'
import { drawProfile, PROFILE_HEIGHT } from './profile.ts'
import { drawRow, panel, ROW_GAP, ROW_HEIGHT } from './row.ts'
import type { Subject } from './subject.ts'

/** Pixels: as wide as two cards beside each other may be in a README. */
export const WIDTH = 410

const MARGIN = 12
const IDLE_HEIGHT = 44
const FONTS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans',sans-serif"

/** The picture of somebody's presence as of `now`, milliseconds. */
export function drawCard(subject: Subject, pictures: CardPictures, options: CardOptions, now: number): string {
  const palette = choosePalette(options)
  const { profile, rows, idle } = subject
  const drawing = { palette, now, animated: options.animated }
  let y = profile === undefined ? MARGIN : PROFILE_HEIGHT
  const pieces: Markup[] = profile === undefined ? [] : [drawProfile(profile, pictures, palette)]
  for (const [index, row] of rows.entries()) {
    pieces.push(drawRow(row, pictures.rows[index] ?? {}, y, index, drawing))
    y += ROW_HEIGHT + ROW_GAP
  }
  if (idle !== undefined) {
    pieces.push(drawIdle(idle, y, palette))
    y += IDLE_HEIGHT + ROW_GAP
  }
  const height = y === PROFILE_HEIGHT ? y : Math.max(y - ROW_GAP + MARGIN, 2 * MARGIN)
  const glow = profile && STATUS_COLOURS[profile.streaming ? 'streaming' : profile.status]
  return frame({ height, title: describe(subject), glow, options, palette }, ...pieces)
}

interface Frame {
  readonly height: number
  /** Said to those who cannot see it. */
  readonly title: string
  /** A colour that shines from behind the avatar. */
  readonly glow: string | undefined
  readonly options: CardOptions
  readonly palette: Palette
}

/** The card itself, with something on it. */
export function frame({ height, title, glow, options, palette }: Frame, ...pieces: Markup[]): string {
  const whole = { width: WIDTH, height }
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      ...whole,
      viewBox: `0 0 ${WIDTH} ${height}`,
      'font-family': FONTS,
      role: 'img',
    },
    element('title', {}, words(title)),
    glow !== undefined && drawGlow(glow),
    element('rect', { ...whole, rx: options.radius, fill: palette.background }),
    glow !== undefined && element('rect', { ...whole, rx: options.radius, fill: 'url(#glow)' }),
    element('rect', {
      x: 0.5,
      y: 0.5,
      width: WIDTH - 1,
      height: height - 1,
      rx: Math.max(0, options.radius - 0.5),
      fill: 'none',
      stroke: palette.veil,
      'stroke-opacity': palette.borderOpacity,
    }),
    ...pieces,
  )
}

function drawGlow(colour: string): Markup {
  const stop = (offset: number, opacity: number) =>
    element('stop', { offset, 'stop-color': colour, 'stop-opacity': opacity })
  const place = { id: 'glow', gradientUnits: 'userSpaceOnUse', cx: 60, cy: 54, r: 190 }
  return element('radialGradient', place, stop(0, 0.2), stop(0.45, 0.06), stop(1, 0))
}

function drawIdle(message: string, y: number, palette: Palette): Markup {
  const middle = { x: WIDTH / 2, room: 350, anchor: 'middle' } as const
  return join(
    panel(y, IDLE_HEIGHT, palette),
    line(message, { ...middle, baseline: y + 27, size: 13.5, fill: palette.soft }),
  )
}

const STATUS_WORDS = { online: 'online', idle: 'idle', dnd: 'do not disturb', offline: 'offline' }

function describe({ profile, rows, idle }: Subject): string {
  const who = profile === undefined ? [] : [`${profile.name} on Discord: ${STATUS_WORDS[profile.status]}`]
  const mood = profile?.mood?.text ? [profile.mood.text] : []
  const what = rows.map(({ label, title, lines }) => [label, title, ...lines].join(' – '))
  return [...who, ...mood, ...what, ...(idle === undefined ? [] : [idle])].join('. ')
}
