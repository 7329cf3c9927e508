import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Pictures } from '../domain/discord-cdn.ts'
import { notFound, starting, upstreamError, userNotMonitored } from '../domain/errors.ts'
import type { Presences } from '../domain/presences.ts'
import { whyUnknown } from './access.ts'
import { IF_NONE_MATCH, named, USER_ID } from './openapi.ts'
import { type PassOnOptions, passOn } from './pass-on.ts'
import { failure } from './response.ts'
import { BINARY } from './schema.ts'

export interface QuicklinkDeps extends PassOnOptions {
  readonly presences: Presences
  readonly pictures: Pick<Pictures, 'avatar'>
  /** Answers who asks for what is not there. */
  readonly missing: (request: Request) => Response
}

const QUICKLINK = /^([^./]*)\.(png|gif|webp|jpg|jpeg)$/

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
