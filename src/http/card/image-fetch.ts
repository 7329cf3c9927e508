import { readAtMost } from '../../lib/read-at-most.ts'
import { readPictureType, toDataUri } from './image-type.ts'
import type { DataUri } from './markup.ts'

/** What came of asking for a picture. */
export type Fetched =
  | { readonly outcome: 'fetched'; readonly uri: DataUri; readonly etag: string | undefined }
  | { readonly outcome: 'unchanged' | 'failed' | 'refused' | 'too_large' | 'timeout' | 'crowded' }

/** Bytes of a picture, as they arrive. */
export const LARGEST_IMAGE = 512 * 1024

/**
 * Asks for one picture. Follows no redirect, reads no more than it may keep whatever the headers say, and believes
 * neither the content type nor the bytes alone. Never rejects.
 */
export async function fetchImage(url: string, etag: string | undefined, signal: AbortSignal): Promise<Fetched> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: { 'Accept-Encoding': 'identity', ...(etag !== undefined && { 'If-None-Match': etag }) },
    })
    const fetched = await read(response)
    if (!response.bodyUsed) await response.body?.cancel()
    return fetched
  } catch {
    return { outcome: signal.aborted ? 'timeout' : 'failed' }
  }
}

async function read(response: Response): Promise<Fetched> {
  if (response.status === 304) return { outcome: 'unchanged' }
  if (response.status !== 200) return { outcome: 'failed' }
  const type = readPictureType(response.headers.get('content-type'))
  if (type === undefined) return { outcome: 'refused' }
  if (Number(response.headers.get('content-length')) > LARGEST_IMAGE) return { outcome: 'too_large' }
  const bytes = await readAtMost(LARGEST_IMAGE, response.body)
  if (bytes === null) return { outcome: 'too_large' }
  const uri = toDataUri(type, bytes)
  if (uri === undefined) return { outcome: 'refused' }
  return { outcome: 'fetched', uri, etag: response.headers.get('etag') ?? undefined }
}
