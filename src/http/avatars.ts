import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Pictures } from '../domain/discord-cdn.ts'
import { notFound, starting, upstreamError, userNotMonitored } from '../domain/errors.ts'
import type { Presences } from '../domain/presences.ts'
import { SECOND } from '../lib/clock.ts'
import { openUpstream } from '../lib/upstream.ts'
import { whyUnknown } from './access.ts'
import { IF_NONE_MATCH, named, USER_ID } from './openapi.ts'
import { COMMON_HEADERS, failure } from './response.ts'
import { BINARY } from './schema.ts'

export interface QuicklinkDeps extends PassOnOptions {
  readonly presences: Presences
  readonly pictures: Pick<Pictures, 'avatar'>
  /** Answers who asks for what is not there. */
  readonly missing: (request: Request) => Response
}

export interface PassOnOptions {
  /** How long the CDN may take until its headers are there, in milliseconds. Default 10 s. */
  readonly patience?: number | undefined
}

const QUICKLINK = /^([^./]*)\.(png|gif|webp|jpg|jpeg)$/
const PASSED_ON = ['content-type', 'etag', 'last-modified']
const PICTURE = /^image\/(png|gif|jpeg|webp|avif|apng)\b/
/** Bytes of a picture, which is passed on as it comes in; moving ones are the largest. */
const LARGEST = 64 * 1024 * 1024

/** How the API document shows the route: its router takes one name for a whole path segment. */
export const QUICKLINK_PATH = {
  '/{id}.{extension}': {
    get: named('getAvatar', {
      tag: 'Avatars',
      summary: "A person's avatar, 1024 pixels wide",
      description:
        "A still avatar has no `gif`: its `jpg` comes instead. People without an avatar have one of Discord's own.",
      parameters: [
        USER_ID,
        {
          name: 'extension',
          in: 'path',
          description: 'Format of the picture',
          schema: Type.String({ enum: ['png', 'gif', 'webp', 'jpg', 'jpeg'] }),
        },
        IF_NONE_MATCH,
      ],
      answers: [
        { description: 'The picture', content: { 'image/*': BINARY } },
        { status: 304, description: 'Nothing has changed since the given ETag' },
      ],
      failures: [userNotMonitored(), notFound(), upstreamError(), starting()],
    }),
  },
}

/** `/<id>.<extension>`: a person's avatar, streamed from Discord's CDN. */
export function quicklinkRoutes({ presences, pictures, missing, patience }: QuicklinkDeps) {
  async function avatar(request: Request, file: string): Promise<Response> {
    const [, id = '', extension = ''] = QUICKLINK.exec(file) ?? []
    if (extension === '') return missing(request)
    const person = presences.person(id)
    if (person === undefined) return failure(whyUnknown(presences))
    return passOn(request, pictures.avatar(JSON.parse(person.user), extension, 1024), { patience })
  }

  return new Elysia({ name: 'quicklinks' }).get('/:file', ({ request, params: { file } }) => avatar(request, file), {
    detail: { hide: true },
  })
}

/**
 * Passes on what the CDN has, and of its headers only these; anything but a picture would be somebody else's page on our
 * address. How long it may be kept is ours to say: an address is not its picture's but a person's, who may hide.
 */
export async function passOn(
  request: Request,
  url: string,
  { patience = 10 * SECOND }: PassOnOptions = {},
): Promise<Response> {
  const upstream = await ask(request, url, patience).catch(() => undefined)
  if (upstream === undefined) return failure(upstreamError())
  const unchanged = upstream.status === 304
  if (!unchanged && !(upstream.status === 200 && PICTURE.test(upstream.headers.get('content-type') ?? ''))) {
    void upstream.body?.cancel().catch(() => {})
    return failure(upstreamError())
  }
  const headers = new Headers({ ...COMMON_HEADERS, 'Cache-Control': 'public, max-age=300' })
  for (const name of PASSED_ON) {
    const value = upstream.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  if (unchanged) return new Response(null, { status: 304, headers })
  // Without a stream the server would tell a HEAD request a length of 0, where GET tells none.
  return new Response(request.method === 'HEAD' ? new ReadableStream() : upstream.body, { headers })
}

/** Asks the CDN what the client asked us. Gives up when it is slow, and when the client has gone. */
function ask(request: Request, url: string, patience: number): Promise<Response> {
  const known = request.headers.get('If-None-Match')
  return openUpstream(url, {
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    headers: known === null ? {} : { 'If-None-Match': known },
    timeoutMs: patience,
    maxBytes: LARGEST,
    signal: request.signal,
  })
}
