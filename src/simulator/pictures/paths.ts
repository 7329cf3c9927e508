import type { World } from '../people/world.ts'
import type { Random } from '../random.ts'
import { badge, cover, decoration, icon, scene } from './artwork.ts'
import type { Layer } from './canvas.ts'
import { avatar, defaultAvatar, emoji } from './portraits.ts'

/** A picture somebody uploaded, as far as the simulator knows it. */
export interface Picture {
  /** The same seed makes the same picture. */
  readonly seed: string
  readonly type: string
  /** Pixels of the original: nothing is enlarged beyond it. */
  readonly original: number
  /** Pixels when no size is asked for. */
  readonly usual: number
  /** `turn` from 0 to 1, for those that move. */
  readonly draw: (random: Random, turn: number) => Layer[]
  /** Shown one after another; with one it stands still. */
  readonly frames: readonly { readonly turn: number; readonly ms: number }[]
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
])

/** What a path shows, or the status it is refused with. */
type Find = (parts: readonly string[], url: URL, world: World) => Picture | number

const STILL = { frames: [{ turn: 0, ms: 0 }] }
const BLINKING = [
  { turn: 0, ms: 2600 },
  { turn: 1, ms: 160 },
]
const TURNING = Array.from({ length: 8 }, (_, index) => ({ turn: index / 8, ms: 100 }))

/** Paths after Discord docs, Reference, "CDN Endpoints"; the media proxy and Spotify's host as they answer today. */
const PATHS: readonly (readonly [RegExp, Find])[] = [
  [
    /^\/cdn\/avatars\/(\d{1,20})\/((?:a_)?[0-9a-f]{32})\.([a-z]+)$/,
    ([userId = '', hash = '', extension = ''], _, world) => {
      if (world.user(userId)?.avatar !== hash) return 404
      const type = typeOf(extension, hash.startsWith('a_'))
      if (!type) return 415
      const [original, frames] = type === 'image/gif' ? [256, BLINKING] : [1024, STILL.frames]
      return { seed: bare(hash), type, original, usual: 128, draw: avatar, frames }
    },
  ],
  [
    /^\/cdn\/embed\/avatars\/([0-5])\.png$/,
    ([index = '']) => {
      const draw = () => defaultAvatar(Number(index))
      return { seed: `default ${index}`, type: 'image/png', original: 256, usual: 128, draw, ...STILL }
    },
  ],
  [
    /^\/cdn\/avatar-decoration-presets\/((?:a_)?[0-9a-f]{32})\.png$/,
    ([hash = ''], { searchParams }) => {
      const moves = hash.startsWith('a_') && searchParams.get('passthrough') !== 'false'
      const frames = moves ? TURNING : STILL.frames
      return { seed: bare(hash), type: 'image/png', original: 256, usual: 192, draw: decoration, frames }
    },
  ],
  [
    /^\/cdn\/guild-tag-badges\/\d{1,20}\/([0-9a-f]{32})\.([a-z]+)$/,
    ([hash = '', extension = '']) => still(hash, extension, { original: 256, draw: badge }),
  ],
  [
    /^\/cdn\/emojis\/(\d{1,20})\.([a-z]+)$/,
    ([id = '', extension = '']) => {
      const type = typeOf(extension, true)
      return type ? { seed: `emoji ${id}`, type, original: 128, usual: 128, draw: emoji, ...STILL } : 415
    },
  ],
  [
    /^\/cdn\/app-assets\/(\d{1,20})\/(\d{1,20})\.([a-z]+)$/,
    // Ids that end in an odd digit are signs, the others landscapes: small and large art look different.
    ([application = '', asset = '', extension = '']) =>
      still(`${application} ${asset}`, extension, { original: 512, draw: /[13579]$/.test(asset) ? icon : scene }),
  ],
  [
    /^\/media\/external\/([\w-]{43}\/(?:%3F[^/]+\/)?https?\/[^/]+\/.*?(?:\.([a-z]+))?)$/,
    ([source = '', extension = 'png'], { searchParams }) => {
      const asked = searchParams.get('format') ?? (TYPES.has(extension) ? extension : 'png')
      return still(source, asked, { original: 512, draw: icon })
    },
  ],
  [
    // The first sixteen digits tell the size.
    /^\/spotify\/image\/(ab67616d0000(?:b273|1e02|4851)[0-9a-f]{24})$/,
    ([id = '']) => {
      const original = { b273: 640, '1e02': 300, '4851': 64 }[id.slice(12, 16)] ?? 640
      return { seed: id.slice(16), type: 'image/jpeg', original, usual: original, draw: cover, ...STILL }
    },
  ],
]

export function findPicture(url: URL, world: World): Picture | number {
  for (const [pattern, find] of PATHS) {
    const found = pattern.exec(url.pathname)
    if (found) return find(found.slice(1), url, world)
  }
  return 404
}

function still(seed: string, extension: string, picture: Pick<Picture, 'original' | 'draw'>): Picture | number {
  const type = typeOf(extension, false)
  return type ? { seed, type, usual: picture.original, ...picture, ...STILL } : 415
}

/** What moves looks like what stands still. */
const bare = (hash: string) => hash.replace('a_', '')

/** GIF exists of what moves. */
function typeOf(extension: string, moves: boolean): string | undefined {
  return extension === 'gif' && !moves ? undefined : TYPES.get(extension)
}
