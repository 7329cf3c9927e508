import { crc32 } from 'node:zlib'
import { buildPng } from './png.ts'
import type { BotJournal } from './records.ts'
import { buildWebp } from './webp.ts'
import type { World } from './world.ts'

export interface Cdn {
  handle(request: Request, url: URL): Response
  /** The next `times` answers fail with this status. */
  fail(status: number, times?: number): void
}

const TYPES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
}

/** One pixel each: only PNGs and WebPs are drawn, the other formats just have to be images. */
const PREBUILT: Record<string, string> = {
  'image/jpeg':
    '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=',
  'image/gif': 'R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==',
}

const AVATAR = /^\/cdn\/avatars\/(\d{1,20})\/((?:a_)?[0-9a-f]{32})\.([a-z]+)$/
const DEFAULT_AVATAR = /^\/cdn\/embed\/avatars\/([0-5])\.png$/
const LAST_MODIFIED = 'Mon, 02 Jun 2025 10:00:00 GMT'
const KEPT_IMAGES = 128

/** cdn.discordapp.com: avatars and default avatars (docs: Reference, "Image Formatting"). */
export function createCdn(world: World, journal: BotJournal): Cdn {
  const drawn = new Map<string, Uint8Array>()
  let failures: number[] = []

  function handle(request: Request, url: URL): Response {
    const response = failures.length > 0 ? plain(failures.shift() ?? 500) : answer(request, url)
    const ifNoneMatch = request.headers.get('if-none-match')
    journal.record('cdn', { path: url.pathname + url.search, status: response.status, ifNoneMatch })
    return response
  }

  function answer(request: Request, url: URL): Response {
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405)
    const size = readSize(url.searchParams.get('size'))
    if (size === null) return plain(400)
    const fallback = DEFAULT_AVATAR.exec(url.pathname)
    if (fallback) return image(request, `default ${fallback[1]}`, 'image/png', size)
    const [, userId, hash, extension] = AVATAR.exec(url.pathname) ?? []
    if (!userId || !hash || world.user(userId)?.avatar !== hash) return plain(404)
    const type = TYPES[extension ?? '']
    if (!type || (type === 'image/gif' && !hash.startsWith('a_'))) return plain(415)
    return image(request, hash, type, size)
  }

  function image(request: Request, seed: string, type: string, size: number): Response {
    const bytes = draw(seed, type, size)
    const headers = {
      'content-type': type,
      'content-length': String(bytes.byteLength),
      'cache-control': 'public, max-age=31536000',
      'last-modified': LAST_MODIFIED,
      etag: `"${crc32(bytes).toString(16)}${size.toString(16)}"`,
      'access-control-allow-origin': '*',
      'x-simulated-by': 'exoix',
    }
    if (request.headers.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers })
    return new Response(request.method === 'HEAD' ? null : bytes, { headers })
  }

  function draw(seed: string, type: string, size: number): Uint8Array<ArrayBuffer> {
    const key = `${seed} ${type} ${size}`
    const known = drawn.get(key)
    const bytes = known ?? buildImage(seed, type, size)
    if (!known) drawn.set(key, bytes)
    const [oldest] = drawn.keys()
    if (drawn.size > KEPT_IMAGES && oldest !== undefined) drawn.delete(oldest)
    return bytes as Uint8Array<ArrayBuffer>
  }

  return {
    handle,
    fail: (status, times = 1) => {
      failures = new Array(times).fill(status)
    },
  }
}

function buildImage(seed: string, type: string, size: number): Uint8Array {
  if (type === 'image/png') return buildPng(seed, size)
  return type === 'image/webp' ? buildWebp(seed) : Buffer.from(PREBUILT[type] ?? '', 'base64')
}

/** Powers of two from 16 to 4096 only; null: refused. */
function readSize(text: string | null): number | null {
  if (text === null) return 128
  const size = Number(text)
  return size >= 16 && size <= 4096 && Number.isInteger(Math.log2(size)) ? size : null
}

function plain(status: number): Response {
  return new Response(status === 415 ? 'Unsupported Media Type' : '', {
    status,
    headers: { 'content-type': 'text/plain' },
  })
}
