import { crc32 } from 'node:zlib'
import { createRandom } from '../random.ts'
import { paint } from './canvas.ts'
import { encodeGif } from './gif.ts'
import type { Picture } from './paths.ts'
import { encodePng } from './png.ts'

const PAINTED_AT_MOST = 256
const KEPT_FILES = 128

/** Picture files, kept for a while once drawn. */
export function createPictureFiles() {
  const files = new Map<string, Promise<Uint8Array<ArrayBuffer>>>()
  return (picture: Picture, size: number): Promise<Uint8Array<ArrayBuffer>> => {
    const { seed, type, frames } = picture
    const key = `${seed} ${type} ${frames.length} ${size}`
    const known = files.get(key)
    if (known) return known
    const drawn = drawFile(picture, size)
    files.set(key, drawn)
    const [oldest] = files.keys()
    if (files.size > KEPT_FILES && oldest !== undefined) files.delete(oldest)
    return drawn
  }
}

/** Painting takes a moment, enlarging happens beside the main thread: so large ones are painted smaller. */
async function drawFile({ seed, type, frames, draw }: Picture, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const painted = Math.min(size, PAINTED_AT_MOST)
  const pictures = frames.map(({ turn, ms }) => ({ ms, pixels: paint(painted, draw(createRandom(crc32(seed)), turn)) }))
  if (type === 'image/gif') return Uint8Array.from(encodeGif(painted, pictures))
  const png = encodePng(painted, pictures)
  if (type === 'image/png' && (painted === size || frames.length > 1)) return Uint8Array.from(png)
  const image = new Bun.Image(png).resize(size, size)
  const encoded =
    type === 'image/jpeg' ? image.jpeg({ quality: 85 }) : type === 'image/webp' ? image.webp() : image.png()
  return Uint8Array.from(await encoded.bytes())
}
