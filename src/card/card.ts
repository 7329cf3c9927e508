import { type PictureHosts, Pictures } from '../domain/discord-cdn.ts'
import { STATUS_WORDS } from '../domain/words.ts'
import { SECOND } from '../lib/clock.ts'
import type { Metrics } from '../lib/metrics.ts'
import { drawRow, ROW_GAP, ROW_HEIGHT } from './activity.ts'
import { drawBanner, drawNameplate, drawWaves, panel } from './backdrop.ts'
import { type CardImages, type ImageSources, loadImages } from './card-images.ts'
import { Images, type ImagesOptions } from './images.ts'
import { type CardModel, NOTHING, type Profile, readModel, type Shown } from './model.ts'
import {
  type CardOptions,
  DEFAULT_IMAGE_RADIUS,
  DEFAULT_RADIUS,
  DEFAULT_WAVE_DURATION,
  LARGEST_RADIUS,
  LONGEST_MESSAGE,
  MOST_APPLICATIONS,
  MOST_COLOURS,
  type Wave,
} from './options.ts'
import {
  AUTO_LIGHT,
  choosePalette,
  EDGE,
  isAuto,
  PANEL_WIDTH,
  type Palette,
  STATUS_COLOURS,
  THEME_NAMES,
  wordsFor,
} from './palette.ts'
import { drawProfile, PROFILE_HEIGHT } from './profile.ts'
import { element, join, lightStyle, line, type Markup, words } from './svg.ts'

export type { Shown } from './model.ts'
export { type CardOptions, readOptions } from './options.ts'
export { drawStatusBadge, readStatusBadge } from './status-badge.ts'

/** Bounds and defaults of what a card may be asked for. Pixels, milliseconds, counts. */
export const CARD_LIMITS = {
  radius: DEFAULT_RADIUS,
  imageRadius: DEFAULT_IMAGE_RADIUS,
  largestRadius: LARGEST_RADIUS,
  waveDuration: DEFAULT_WAVE_DURATION,
  longestMessage: LONGEST_MESSAGE,
  applications: MOST_APPLICATIONS,
  colours: MOST_COLOURS,
  themes: THEME_NAMES,
  nothing: NOTHING,
}

/** For how long a card stays as true as it has to be: progress is seen by the second, durations are told by the minute. */
const LIFETIMES = { late: 2 * SECOND, progress: 5 * SECOND, duration: 20 * SECOND, still: 60 * SECOND }

/** A finished card. */
export interface Card {
  readonly svg: string
  /** Whether pictures are missing that may be there in a moment. */
  readonly late: boolean
  /** Milliseconds for which it need not be drawn anew while the person shows the same. */
  readonly lifetime: number
}

export interface CardRendererOptions extends Pick<ImagesOptions, 'patience' | 'longest'> {
  /** The hash of an application's icon, null for none; rejects while that is not known. */
  readonly iconOf?: (applicationId: string) => Promise<string | null>
}

/** Draws presences, with the pictures of theirs, which it keeps for a while. */
export class CardRenderer {
  readonly #sources: ImageSources

  constructor(hosts: PictureHosts, metrics: Metrics, { iconOf, ...waits }: CardRendererOptions = {}) {
    const bases = [hosts.discordCdnUrl, hosts.discordMediaUrl, hosts.spotifyCdnUrl]
    const images = new Images({ hosts: bases, metrics, ...waits })
    this.#sources = { pictures: new Pictures(hosts), images, iconOf }
  }

  /** Takes no longer than the slowest picture that a card waits for. `now` tells milliseconds since 1970. */
  async draw(shown: Shown, options: CardOptions, now: () => number): Promise<Card> {
    const model = readModel(shown, options, now())
    const images = await loadImages(model, options, this.#sources)
    const late = images.late === true
    const svg = drawCard(model, images, options, now())
    return { svg, late, lifetime: late ? LIFETIMES.late : lifetimeOf(model, shown) }
  }
}

function lifetimeOf({ rows }: CardModel, { lastSeenAt }: Shown): number {
  const timings = rows.map(row => row.timing).filter(timing => timing !== undefined)
  if (timings.some(({ start, end }) => start !== undefined && end !== undefined)) return LIFETIMES.progress
  return timings.length > 0 || lastSeenAt !== null ? LIFETIMES.duration : LIFETIMES.still
}

/** Pixels: as wide as two cards beside each other may be in a README. */
const WIDTH = 410

const MARGIN = 12
const IDLE_HEIGHT = 44
const FONTS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans',sans-serif"

/** The picture of somebody's presence as of `now`, milliseconds. */
export function drawCard(model: CardModel, images: CardImages, options: CardOptions, now: number): string {
  const palette = choosePalette(options)
  const { profile, rows, idle } = model
  let y = profile === undefined ? MARGIN : PROFILE_HEIGHT
  const pieces: Markup[] = profile === undefined ? [] : [drawPerson(profile, images, options, palette)]
  for (const [index, row] of rows.entries()) {
    const wave = row.kind === 'spotify' ? options.spotifyWave : options.wave
    const drawing = { palette: wordsFor(palette, wave?.ground), now, options }
    pieces.push(drawGround(wave, y, index, options, palette))
    pieces.push(drawRow(row, images.rows[index] ?? {}, y, index, drawing))
    y += ROW_HEIGHT + ROW_GAP
  }
  if (idle !== undefined) {
    pieces.push(drawIdle(idle, y, palette))
    y += IDLE_HEIGHT + ROW_GAP
  }
  const height = y === PROFILE_HEIGHT ? y : Math.max(y - ROW_GAP + MARGIN, 2 * MARGIN)
  const glow = profile && STATUS_COLOURS[profile.streaming ? 'streaming' : profile.status]
  return frame({ height, title: describe(model), glow, options, palette }, ...pieces)
}

/** What an activity stands on. */
function drawGround(wave: Wave | undefined, y: number, index: number, options: CardOptions, palette: Palette): Markup {
  const place = { x: EDGE, y, width: PANEL_WIDTH, height: ROW_HEIGHT }
  return join(
    panel(y, ROW_HEIGHT, palette),
    wave && drawWaves(wave, place, `wave${index}`, options.waveDuration, options.animated),
  )
}

/** The upper part of a card, with what is behind the person. */
function drawPerson(profile: Profile, images: CardImages, options: CardOptions, palette: Palette): Markup {
  const place = { width: WIDTH, height: PROFILE_HEIGHT, radius: options.radius }
  return join(
    drawBanner(profile, images, options, place, palette),
    profile.nameplate && drawNameplate(profile.nameplate, images.nameplate, place),
    drawProfile(profile, images, options, palette),
  )
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
function frame({ height, title, glow, options, palette }: Frame, ...pieces: Markup[]): string {
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
    isAuto(options) && lightStyle(AUTO_LIGHT),
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

function describe({ profile, rows, idle }: CardModel): string {
  const who = profile === undefined ? [] : [`${profile.name} on Discord: ${STATUS_WORDS[profile.status].toLowerCase()}`]
  const mood = profile?.mood?.text ? [profile.mood.text] : []
  const what = rows.map(({ label, title, lines }) => [label, title, ...lines].join(' – '))
  return [...who, ...mood, ...what, ...(idle === undefined ? [] : [idle])].join('. ')
}

const HEIGHT = 96

/** A card for a person there is nothing to tell of. It does not say who that is, so all of them look alike. */
export function drawNotMonitored(options: CardOptions, invite: string | undefined): string {
  const where = invite === undefined ? 'Join a server its bot is in' : 'Join the Discord server'
  return drawFallback(options, 'Not monitored', [`${where} to appear here`, ...shorten(invite)])
}

/** A card for somebody nobody can tell anything of yet. */
export function drawStarting(options: CardOptions): string {
  return drawFallback(options, 'Starting …', [
    'Presences are still on their way from Discord',
    'Look again in a moment',
  ])
}

/** An address as people write it. */
const shorten = (url: string | undefined) => (url === undefined ? [] : [url.replace(/^https?:\/\//, '')])

function drawFallback(options: CardOptions, title: string, lines: readonly string[]): string {
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
