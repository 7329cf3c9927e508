import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Described } from './account.ts'
import type { Ask } from './ask.ts'

/** Gists that are opened: each costs a request, and one with the code in it is enough. */
const GISTS = 3
/** A gist larger than this is not opened: nobody proves anything with one. Bytes. */
const LARGEST_GIST = 256 * 1024
/** GitHub's clock may be behind ours. Milliseconds. */
const SKEW = 60 * 1000

/** Whether the code stands in the text as a word of its own: not as a part of a longer one. */
export function hasToken(text: unknown, code: string): boolean {
  return typeof text === 'string' && text.split(/[^\p{L}\p{N}_-]+/u).includes(code)
}

/** Looks into the account's public gists that were touched since the code was made: description, file names, contents. */
export async function findInGists(ask: Ask, account: Described, code: string, since: number): Promise<boolean> {
  const from = encodeURIComponent(new Date(since - SKEW).toISOString())
  const list = await ask(`/users/${encodeURIComponent(account.login)}/gists?per_page=${GISTS}&since=${from}`)
  const gists = Array.isArray(list) ? list.filter(gist => isPublicGistOf(gist, account.id)).slice(0, GISTS) : []
  if (gists.some(gist => shows(gist, code))) return true
  for (const gist of gists.filter(isSmall)) {
    const whole = await ask(`/gists/${gist.id}`)
    if (isPublicGistOf(whole, account.id) && shows(whole, code)) return true
  }
  return false
}

function isPublicGistOf(gist: unknown, ownerId: number): gist is JsonObject & { id: string } {
  if (!isObject(gist) || typeof gist.id !== 'string' || !/^[\da-f]{1,64}$/i.test(gist.id)) return false
  return gist.public === true && isObject(gist.owner) && gist.owner.id === ownerId
}

function isSmall({ files }: JsonObject): boolean {
  const sizes = isObject(files) ? Object.values(files).map(file => (isObject(file) ? Number(file.size) : 0)) : []
  return sizes.reduce((sum, size) => sum + size, 0) <= LARGEST_GIST
}

function shows({ description, files }: JsonObject, code: string): boolean {
  if (hasToken(description, code)) return true
  return isObject(files) && Object.values(files).some(file => isObject(file) && showsFile(file, code))
}

const showsFile = (file: JsonObject, code: string) => hasToken(file.filename, code) || hasToken(file.content, code)
