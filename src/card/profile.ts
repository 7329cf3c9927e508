import type { Badge } from '../domain/badges.ts'
import type { CardImages } from './card-images.ts'
import type { Mood, Profile } from './model.ts'
import { layersOf } from './name.ts'
import type { CardOptions } from './options.ts'
import { type Palette, STATUS_COLOURS } from './palette.ts'
import { drawPlaceholder, element, join, line, type Markup, picture, words } from './svg.ts'
import { measure } from './text.ts'

/** Shapes around the origin, 8 pixels to each side, so that a status can be told without seeing colours. */
const SHAPES = {
  online: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0z',
  idle: 'M.49-7.99A8 8 0 1 1-7.99.49A6 6 0 1 0 .49-7.99z',
  dnd: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0zM-3.5-2a2 2 0 0 0 0 4h7a2 2 0 0 0 0-4z',
  offline: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0zM-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z',
  streaming: 'M-8 0a8 8 0 1 1 16 0a8 8 0 1 1-16 0zM-2.6-4.2v8.4l6.8-4.2z',
  mobile:
    'M-4-9.5h8a2.2 2.2 0 0 1 2.2 2.2v14.6a2.2 2.2 0 0 1-2.2 2.2h-8a2.2 2.2 0 0 1-2.2-2.2v-14.6a2.2 2.2 0 0 1 2.2-2.2zM-4.2-6.3v10h8.4v-10zM-1.3 6.6a1.3 1.3 0 1 0 2.6 0a1.3 1.3 0 1 0-2.6 0z',
} as const

function statusIcon(profile: Profile, x: number, y: number): Markup {
  const kind = profile.streaming ? 'streaming' : profile.status
  const shape = profile.mobile && kind !== 'streaming' ? 'mobile' : kind
  return element('path', {
    transform: `translate(${x} ${y})`,
    d: SHAPES[shape],
    fill: STATUS_COLOURS[kind],
    'fill-rule': 'evenodd',
  })
}

/** What has to be left free around it, black on white of a mask. */
function statusGap(profile: Profile, x: number, y: number): Markup {
  const phone = profile.mobile && !profile.streaming
  return phone
    ? element('rect', { x: x - 9.5, y: y - 13, width: 19, height: 26, rx: 5, fill: '#000' })
    : element('circle', { cx: x, cy: y, r: 12, fill: '#000' })
}

/** Height of the upper part of a card, where the person is. Pixels, as everything here. */
export const PROFILE_HEIGHT = 108

const CENTRE = { x: 60, y: 54 }
const RADIUS = 36
/** Decorations are a fifth larger than avatars. */
const DECORATION = RADIUS * 2 * 1.2
const STATUS = { x: 86, y: 80 }
const LEFT = 115
const RIGHT = 384
const ROOM = RIGHT - LEFT

/** Avatar, names and custom status. */
export function drawProfile(profile: Profile, pictures: CardImages, options: CardOptions, palette: Palette): Markup {
  const down = profile.mood === undefined ? 10 : 0
  return join(
    drawAvatar(profile, pictures, options, palette),
    drawNameLine(profile, pictures, palette, 42 + down),
    drawHandleLine(profile, palette, 63 + down),
    profile.mood && drawMood(profile.mood, pictures, palette, 88),
  )
}

function drawAvatar(
  profile: Profile,
  { avatar, decoration }: CardImages,
  { imageStyle, imageRadius }: CardOptions,
  palette: Palette,
): Markup {
  const { x, y } = CENTRE
  const box = { x: x - RADIUS, y: y - RADIUS, width: RADIUS * 2, height: RADIUS * 2 }
  const shape =
    imageStyle === 'square'
      ? element('rect', { ...box, rx: Math.min(imageRadius, RADIUS) })
      : element('circle', { cx: x, cy: y, r: RADIUS })
  const frame = { x: x - DECORATION / 2, y: y - DECORATION / 2, width: DECORATION, height: DECORATION }
  return join(
    element('clipPath', { id: 'avatar' }, shape),
    element(
      'mask',
      { id: 'seen', maskUnits: 'userSpaceOnUse', ...frame },
      element('rect', { ...frame, fill: '#fff' }),
      statusGap(profile, STATUS.x, STATUS.y),
    ),
    element(
      'g',
      { mask: 'url(#seen)' },
      element(
        'g',
        { 'clip-path': 'url(#avatar)' },
        avatar === undefined
          ? drawPlaceholder(profile.name, x, y, RADIUS, palette)
          : picture(avatar, { ...box, preserveAspectRatio: 'xMidYMid slice' }),
      ),
      decoration && picture(decoration, frame),
    ),
    statusIcon(profile, STATUS.x, STATUS.y),
  )
}

/** Where a name ends depends on the font. So what belongs to it stands at the other end of the line, where that is clear. */
function drawNameLine(profile: Profile, pictures: CardImages, palette: Palette, baseline: number): Markup {
  const tag = profile.tag === undefined ? undefined : drawTag(profile.tag, pictures, palette, baseline - 16)
  const bot = profile.bot === undefined ? undefined : drawBot(profile.bot, baseline - 15)
  let right = RIGHT
  const placed = [tag, bot]
    .filter(piece => piece !== undefined)
    .map(({ width, markup }) => {
      right -= width + GAP
      return element('g', { transform: `translate(${right + GAP} 0)` }, markup)
    })
  const room = right - LEFT
  // A long name is written a little smaller before any of it is left out.
  const size = NAME_SIZES.find(size => measure(profile.name, size, 'bold') <= room) ?? SMALLEST_NAME
  const place = { x: LEFT, baseline, room, size, weight: 'bold', fill: palette.strong } as const
  const { lines, gradient } = layersOf(place, profile.style)
  return join(gradient && drawGradient(gradient), ...lines.map(where => line(profile.name, where)), ...placed)
}

/** Colours from left to right over a name that is filled with them. */
function drawGradient(colours: readonly string[]): Markup {
  const stops = colours.map((colour, index) =>
    element('stop', { offset: index / (colours.length - 1), 'stop-color': colour.slice(0, 7) }),
  )
  return element('linearGradient', { id: 'name' }, ...stops)
}

interface Piece {
  readonly width: number
  readonly markup: Markup
}

function drawTag(tag: string, { tagBadge }: CardImages, palette: Palette, y: number): Piece {
  const text = Math.min(Math.ceil(measure(tag, 12, 'bold')), 70)
  const start = tagBadge === undefined ? 7 : 25
  const width = start + text + 7
  const fill = palette.tagBackground ?? palette.veil
  const opacity = palette.tagBackground === undefined ? palette.veilOpacity * 2 : undefined
  const place = { x: start + text / 2, baseline: y + 14.5, room: text, anchor: 'middle' } as const
  return {
    width,
    markup: join(
      element('rect', { y, width, height: 20, rx: 6, fill, 'fill-opacity': opacity }),
      tagBadge && picture(tagBadge, { x: 6, y: y + 2, width: 16, height: 16 }),
      line(tag, { ...place, size: 12, weight: 'bold', fill: palette.strong }),
    ),
  }
}

function drawBot(kind: 'verified' | 'plain', y: number): Piece {
  const width = kind === 'verified' ? 50 : 36
  const check = 'M8.5 12.4l-3.3-3.3l1.3-1.3l2 2l4.5-4.5l1.3 1.3z'
  const place = { x: width - 18, baseline: y + 13, room: 30, anchor: 'middle' } as const
  return {
    width,
    markup: join(
      element('rect', { y, width, height: 18, rx: 5, fill: '#5865f2' }),
      kind === 'verified' && element('path', { d: check, transform: `translate(1 ${y})`, fill: '#fff' }),
      line('BOT', { ...place, size: 11, weight: 'bold', fill: '#ffffff' }),
    ),
  }
}

/** Badges leave room for most of the handle. */
function drawHandleLine({ handle = '', badges }: Profile, palette: Palette, baseline: number): Markup {
  const size = 14
  const wanted = handle === '' ? 0 : Math.min(measure(handle, size) + GAP, LEAST_HANDLE)
  const shown = badges.slice(0, Math.floor((ROOM - wanted) / BADGE))
  const start = handle === '' ? LEFT : RIGHT - shown.length * BADGE + BADGE_GAP
  const room = RIGHT - shown.length * BADGE - GAP - LEFT
  return join(
    handle !== '' && line(handle, { x: LEFT, baseline, room, size, fill: palette.soft }),
    ...shown.map((badge, index) => drawBadge(badge, start + index * BADGE, baseline - 14)),
  )
}

const GAP = 7
const NAME_SIZES = [20, 18]
const SMALLEST_NAME = 16.5
const BADGE_GAP = 3
const BADGE = 18 + BADGE_GAP
const LEAST_HANDLE = 150

function drawBadge({ name, colour, shape, sign }: Badge, x: number, y: number): Markup {
  return element(
    'g',
    { transform: `translate(${x} ${y}) scale(.9)` },
    element('title', {}, words(name)),
    element('path', { d: shape, fill: colour }),
    element('path', { d: sign, fill: '#fff' }),
  )
}

function drawMood({ symbol, text }: Mood, { emoji }: CardImages, palette: Palette, baseline: number): Markup {
  const [size, image] = [13.5, 18]
  if (emoji === undefined) {
    const whole = [symbol, text].filter(Boolean).join(' ')
    return line(whole, { x: LEFT, baseline, room: ROOM, size, fill: palette.strong })
  }
  const start = image + 6
  return join(
    picture(emoji, { x: LEFT, y: baseline - 14, width: image, height: image }),
    line(text, { x: LEFT + start, baseline, room: ROOM - start, size, fill: palette.strong }),
  )
}
