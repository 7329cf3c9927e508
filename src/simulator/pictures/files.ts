import { crc32 } from 'node:zlib'
import movingAvatar from './originals/avatar.gif' with { type: 'file' }
import avatar1 from './originals/avatar-1.png' with { type: 'file' }
import avatar2 from './originals/avatar-2.png' with { type: 'file' }
import avatar3 from './originals/avatar-3.png' with { type: 'file' }
import badge from './originals/badge.png' with { type: 'file' }
import cover1 from './originals/cover-1.png' with { type: 'file' }
import cover2 from './originals/cover-2.png' with { type: 'file' }
import decoration from './originals/decoration.png' with { type: 'file' }
import defaultAvatar from './originals/default-avatar.png' with { type: 'file' }
import emoji from './originals/emoji.gif' with { type: 'file' }
import icon1 from './originals/icon-1.png' with { type: 'file' }
import icon2 from './originals/icon-2.png' with { type: 'file' }
import scene from './originals/scene.png' with { type: 'file' }
import type { Picture } from './paths.ts'

/**
 * The pictures there are: PNGs with a palette, which the moving decoration is too (APNG), and GIFs of what is asked for
 * as one. Hundreds of others come of them by turning the colours of their palettes.
 */
export const ORIGINALS = {
  avatar: [avatar1, avatar2, avatar3],
  movingAvatar: [movingAvatar],
  badge: [badge],
  cover: [cover1, cover2],
  decoration: [decoration],
  defaultAvatar: [defaultAvatar],
  emoji: [emoji],
  icon: [icon1, icon2],
  scene: [scene],
} as const

const KEPT_FILES = 128

/** Picture files, kept for a while once made. */
export function createPictureFiles() {
  const files = new Map<string, Promise<Uint8Array<ArrayBuffer>>>()
  return (picture: Picture, size: number): Promise<Uint8Array<ArrayBuffer>> => {
    const { seed, type, moves } = picture
    const key = `${seed} ${type} ${moves} ${size}`
    const known = files.get(key)
    if (known) return known
    const made = makeFile(picture, size)
    files.set(key, made)
    const [oldest] = files.keys()
    if (files.size > KEPT_FILES && oldest !== undefined) files.delete(oldest)
    return made
  }
}

/** What moves has the one size it was made in. */
async function makeFile({ seed, type, of, moves }: Picture, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const choice = crc32(seed)
  const originals = ORIGINALS[of]
  const file = await Bun.file(originals[choice % originals.length] ?? originals[0]).bytes()
  turnColours(file, (choice >>> 8) / 2 ** 24)
  if (moves || type === 'image/gif') return file
  const image = new Bun.Image(file).resize(size, size)
  if (type === 'image/jpeg') return Uint8Array.from(await image.jpeg({ quality: 85 }).bytes())
  return Uint8Array.from(await (type === 'image/webp' ? image.webp() : image.png()).bytes())
}

/** Turns the palette of a GIF or PNG around the axis of grey, 1 is once around; what is black, white or clear stays so. */
function turnColours(file: Uint8Array, turn: number): void {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const chunk = view.indexOf('PLTE')
  const [start, length] = chunk < 0 ? [GIF_PALETTE, 768] : [chunk + 4, view.readUInt32BE(chunk - 4)]
  const cos = Math.cos(turn * 2 * Math.PI)
  const sin = Math.sin(turn * 2 * Math.PI) / Math.sqrt(3)
  const grey = (1 - cos) / 3
  const mix = (own: number, next: number, last: number) =>
    Math.min(255, Math.max(0, Math.round(own * (cos + grey) + next * (grey - sin) + last * (grey + sin))))
  for (let at = start; at < start + length; at += 3) {
    const [red = 0, green = 0, blue = 0] = view.subarray(at, at + 3)
    view.set([mix(red, green, blue), mix(green, blue, red), mix(blue, red, green)], at)
  }
  if (chunk >= 0) view.writeUInt32BE(crc32(view.subarray(chunk, start + length)), start + length)
}

/** Where a GIF's colours begin: behind its signature, size and flags. */
const GIF_PALETTE = 13
