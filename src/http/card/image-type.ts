import type { DataUri } from './markup.ts'

/** How files begin that are pictures, in Latin-1. Sources: PNG 5.2, JFIF, GIF89a 17, RFC 9649 (a length stands in between). */
const BEGINNINGS: Readonly<Record<string, (head: string) => boolean>> = {
  'image/png': head => head.startsWith('\u0089PNG\r\n\u001a\n'),
  'image/jpeg': head => head.startsWith('\u00ff\u00d8\u00ff'),
  'image/gif': head => /^GIF8[79]a/.test(head),
  'image/webp': head => head.startsWith('RIFF') && head.endsWith('WEBP'),
}

const LONGEST_BEGINNING = 12

type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

/** The type of a picture a card may show, without parameters; undefined for anything else. */
export function readPictureType(contentType: string | null): PictureType | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  return Object.hasOwn(BEGINNINGS, type) ? (type as PictureType) : undefined
}

/** A picture as an address, if the bytes begin as pictures of that type do. */
export function toDataUri(type: PictureType, bytes: Buffer): DataUri | undefined {
  if (!BEGINNINGS[type]?.(bytes.toString('latin1', 0, LONGEST_BEGINNING))) return undefined
  return `data:${type};base64,${bytes.toString('base64')}`
}
