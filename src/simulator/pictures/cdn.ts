import { crc32 } from 'node:zlib'
import type { World } from '../people/world.ts'
import type { BotRecorder } from '../recorder.ts'
import { createPictureTroubles, type PictureTroubles, troubled } from './faults.ts'
import { createPictureFiles } from './files.ts'
import { findPicture } from './paths.ts'

export interface Cdn {
  handle(request: Request, url: URL): Promise<Response>
  fail: PictureTroubles['fail']
}

const LAST_MODIFIED = 'Mon, 02 Jun 2025 10:00:00 GMT'

/**
 * The hosts that keep pictures: cdn.discordapp.com at /cdn, media.discordapp.net at /media, i.scdn.co at /spotify. All but
 * avatars exist when their address is well-formed (docs: Reference, "Image Formatting").
 */
export function createCdn(world: World, recorder: BotRecorder): Cdn {
  const fileOf = createPictureFiles()
  const troubles = createPictureTroubles()

  async function handle(request: Request, url: URL): Promise<Response> {
    const path = url.pathname + url.search
    const trouble = troubles.take(path)
    const found = await answer(request, url)
    const ifNoneMatch = request.headers.get('if-none-match')
    recorder.record('cdn', { path, status: typeof trouble === 'number' ? trouble : found.status, ifNoneMatch })
    return trouble === undefined ? found : troubled(found, trouble, request.signal)
  }

  async function answer(request: Request, url: URL): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refused(405)
    const picture = findPicture(url, world)
    if (typeof picture === 'number') return refused(picture)
    const size = readSize(url, picture.usual)
    if (size === null) return refused(400)
    return image(request, picture.type, await fileOf(picture, Math.min(size, picture.original)))
  }

  return { handle, fail: troubles.fail }
}

function image(request: Request, type: string, bytes: Uint8Array<ArrayBuffer>): Response {
  const headers = {
    'content-type': type,
    'content-length': String(bytes.byteLength),
    'cache-control': 'public, max-age=31536000',
    'last-modified': LAST_MODIFIED,
    etag: `"${crc32(bytes).toString(16)}${bytes.byteLength.toString(16)}"`,
    'access-control-allow-origin': '*',
    'x-simulated-by': 'exoix',
  }
  if (request.headers.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers })
  return new Response(request.method === 'HEAD' ? null : bytes, { headers })
}

/** At the CDN powers of two from 16 to 4096 only, at the media proxy any width and height, together; null: refused. */
function readSize({ pathname, searchParams }: URL, usual: number): number | null {
  if (pathname.startsWith('/spotify/')) return usual
  if (pathname.startsWith('/media/')) {
    const [width, height] = [searchParams.get('width'), searchParams.get('height')].map(side => Number(side ?? usual))
    const size = Math.min(width ?? usual, height ?? usual)
    return Number.isInteger(size) && size >= 1 && size <= 4096 ? size : null
  }
  const size = Number(searchParams.get('size') ?? usual)
  return size === usual || (size >= 16 && size <= 4096 && Number.isInteger(Math.log2(size))) ? size : null
}

function refused(status: number): Response {
  return new Response(status === 415 ? 'Unsupported Media Type' : '', {
    status,
    headers: { 'content-type': 'text/plain' },
  })
}
