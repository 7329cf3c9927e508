import type { CardImages } from './card-images.ts'
import type { Profile } from './model.ts'
import type { Nameplate } from './name.ts'
import type { CardOptions, Wave } from './options.ts'
import { EDGE, PANEL_WIDTH, type Palette } from './palette.ts'
import { element, join, type Markup, picture } from './svg.ts'

interface Place {
  readonly width: number
  readonly height: number
  /** Of the card's corners. */
  readonly radius: number
}

/** How much of the banner the words on it leave to be seen. */
const SCRIM = 0.5

/** What is behind a person: their banner, or the colour they chose. */
export function drawBanner(
  { accent }: Profile,
  { banner }: CardImages,
  { bannerFilter }: CardOptions,
  { width, height, radius }: Place,
  palette: Palette,
): Markup | undefined {
  if (banner === undefined && accent === undefined) return undefined
  const box = { x: 0, y: 0, width, height }
  const shape = `M0 ${height}V${radius}a${radius} ${radius} 0 0 1 ${radius} ${-radius}H${width - radius}a${radius} ${radius} 0 0 1 ${radius} ${radius}V${height}z`
  return join(
    element('clipPath', { id: 'top' }, element('path', { d: shape })),
    element(
      'g',
      { 'clip-path': 'url(#top)' },
      banner === undefined
        ? element('rect', { ...box, fill: accent })
        : picture(banner, {
            ...box,
            preserveAspectRatio: 'xMidYMid slice',
            style: bannerFilter && `filter:${bannerFilter}`,
          }),
      element('rect', { ...box, fill: palette.background, 'fill-opacity': SCRIM }),
    ),
  )
}

const PLATE = { x: 104, y: 18, height: 56, radius: 8 }

/** A nameplate: its colour from the right, and its picture on that. */
export function drawNameplate(
  plate: Nameplate,
  image: CardImages['nameplate'],
  { width }: Pick<Place, 'width'>,
): Markup {
  const box = { x: PLATE.x, y: PLATE.y, width: width - PLATE.x - 12, height: PLATE.height }
  const stop = (offset: number, opacity: number) =>
    element('stop', { offset, 'stop-color': plate.colour, 'stop-opacity': opacity })
  return join(
    element('linearGradient', { id: 'plate' }, stop(0, 0), stop(1, 0.55)),
    element('clipPath', { id: 'plated' }, element('rect', { ...box, rx: PLATE.radius })),
    element(
      'g',
      { 'clip-path': 'url(#plated)' },
      element('rect', { ...box, fill: 'url(#plate)' }),
      image && picture(image, { ...box, preserveAspectRatio: 'xMaxYMid slice', opacity: 0.75 }),
    ),
  )
}

/** What a row stands on. */
export function panel(y: number, height: number, palette: Palette): Markup {
  const { veil, veilOpacity } = palette
  return element('rect', { x: EDGE, y, width: PANEL_WIDTH, height, rx: 10, fill: veil, 'fill-opacity': veilOpacity })
}

interface Panel {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Two waves, one behind the other; milliseconds for the length of one, and how high it reaches. */
const LAYERS = [
  { opacity: 0.35, rise: 0.42, swing: 9, share: 1 },
  { opacity: 0.55, rise: 0.56, swing: 7, share: 0.7 },
]

/** Waves in a panel with round corners. `duration`: how long one takes for its length, milliseconds; 0: they stand still. */
export function drawWaves(
  { colour, ground }: Wave,
  { x, y, width, height }: Panel,
  id: string,
  duration: number,
  animated: boolean,
): Markup {
  const moves = animated && duration > 0
  const layers = LAYERS.map(({ opacity, rise, swing, share }) =>
    element(
      'path',
      { d: wavePath(x, y + height * rise, width, y + height, swing), fill: colour, 'fill-opacity': opacity },
      moves &&
        element('animateTransform', {
          attributeName: 'transform',
          type: 'translate',
          from: '0 0',
          to: `${-width} 0`,
          dur: `${Math.round(duration * share) / 1000}s`,
          repeatCount: 'indefinite',
        }),
    ),
  )
  return element(
    'g',
    { 'clip-path': `url(#${id})` },
    element('clipPath', { id }, element('rect', { x, y, width, height, rx: 10 })),
    // Words for another ground than the card's need one under all of them.
    element('rect', { x, y, width, height, fill: colour, 'fill-opacity': ground === undefined ? 0.12 : 0.75 }),
    ...layers,
  )
}

/** Two lengths of a wave, so that it can be moved by one, and everything below. */
function wavePath(x: number, middle: number, length: number, bottom: number, swing: number): string {
  const half = length / 2
  const quarter = half / 2
  const bend = (sign: number) => `q${quarter} ${sign * swing * 2} ${half} 0`
  return `M${x} ${middle}${`${bend(-1)}${bend(1)}`.repeat(2)}V${bottom}H${x}z`
}
