import type { World } from '../people/world.ts'
import type { ORIGINALS } from './files.ts'

/** A picture somebody uploaded, as far as the simulator knows it. */
export interface Picture {
  readonly of: keyof typeof ORIGINALS
  /** The same seed makes the same picture. */
  readonly seed: string
  readonly type: string
  /** Pixels of the original: nothing is enlarged beyond it. */
  readonly original: number
  /** Pixels when no size is asked for. */
  readonly usual: number
  readonly moves?: boolean
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

/** Paths after Discord docs, Reference, "CDN Endpoints"; the media proxy and Spotify's host as they answer today. */
const PATHS: readonly (readonly [RegExp, Find])[] = [
  [
    /^\/cdn\/avatars\/(\d{1,20})\/((?:a_)?[0-9a-f]{32})\.([a-z]+)$/,
    ([userId = '', hash = '', extension = ''], _, world) => {
      if (world.user(userId)?.avatar !== hash) return 404
      const moves = hash.startsWith('a_')
      const type = typeOf(extension, moves)
      if (!type) return 415
      return { of: moves ? 'movingAvatar' : 'avatar', seed: hash, type, original: 1024, usual: 128 }
    },
  ],
  [
    /^\/cdn\/embed\/avatars\/([0-5])\.png$/,
    ([index = '']) => ({ of: 'defaultAvatar', seed: index, type: 'image/png', original: 256, usual: 128 }),
  ],
  [
    /^\/cdn\/avatar-decoration-presets\/((?:a_)?[0-9a-f]{32})\.png$/,
    ([hash = ''], { searchParams }) => {
      const moves = hash.startsWith('a_') && searchParams.get('passthrough') !== 'false'
      return { of: 'decoration', seed: hash, type: 'image/png', original: 256, usual: 192, moves }
    },
  ],
  [
    /^\/cdn\/banners\/(\d{1,20})\/((?:a_)?[0-9a-f]{32})\.([a-z]+)$/,
    ([userId = '', hash = '', extension = ''], _, world) => {
      if (world.user(userId)?.banner !== hash) return 404
      const type = typeOf(extension, hash.startsWith('a_'))
      return type ? { of: 'scene', seed: hash, type, original: 512, usual: 512 } : 415
    },
  ],
  [
    /^\/cdn\/assets\/collectibles\/(nameplates(?:\/[\w-]+)+)\/static\.png$/,
    ([asset = '']) => still(asset, 'png', { of: 'scene', original: 512 }),
  ],
  [
    /^\/cdn\/guild-tag-badges\/\d{1,20}\/([0-9a-f]{32})\.([a-z]+)$/,
    ([hash = '', extension = '']) => still(hash, extension, { of: 'badge', original: 256 }),
  ],
  [
    /^\/cdn\/emojis\/(\d{1,20})\.([a-z]+)$/,
    ([id = '', extension = '']) => {
      const type = typeOf(extension, true)
      return type ? { of: 'emoji', seed: id, type, original: 128, usual: 128 } : 415
    },
  ],
  [
    /^\/cdn\/app-icons\/(\d{1,20})\/([0-9a-f]{32})\.([a-z]+)$/,
    ([id = '', hash = '', extension = ''], _, world) => {
      if (world.applications.get(id)?.icon !== hash) return 404
      return still(hash, extension, { of: 'icon', original: 512 })
    },
  ],
  [
    /^\/cdn\/app-assets\/(\d{1,20})\/(\d{1,20})\.([a-z]+)$/,
    // Ids that end in an odd digit are signs, the others landscapes: small and large art look different.
    ([application = '', asset = '', extension = '']) =>
      still(`${application} ${asset}`, extension, { of: /[13579]$/.test(asset) ? 'icon' : 'scene', original: 512 }),
  ],
  [
    /^\/media\/external\/([\w-]{43}\/(?:%3F[^/]+\/)?https?\/[^/]+\/.*?(?:\.([a-z]+))?)$/,
    ([source = '', extension = 'png'], { searchParams }) => {
      const asked = searchParams.get('format') ?? (TYPES.has(extension) ? extension : 'png')
      return still(source, asked, { of: 'icon', original: 512 })
    },
  ],
  [
    // The first sixteen digits tell the size.
    /^\/spotify\/image\/(ab67616d0000(?:b273|1e02|4851)[0-9a-f]{24})$/,
    ([id = '']) => {
      const original = { b273: 640, '1e02': 300, '4851': 64 }[id.slice(12, 16)] ?? 640
      return { of: 'cover', seed: id.slice(16), type: 'image/jpeg', original, usual: original }
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

function still(seed: string, extension: string, picture: Pick<Picture, 'of' | 'original'>): Picture | number {
  const type = typeOf(extension, false)
  return type ? { seed, type, usual: picture.original, ...picture } : 415
}

/** GIF exists of what moves. */
function typeOf(extension: string, moves: boolean): string | undefined {
  return extension === 'gif' && !moves ? undefined : TYPES.get(extension)
}
