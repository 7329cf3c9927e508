import { Elysia } from 'elysia'
import type { Calls } from '../domain/calls.ts'
import type { Pictures } from '../domain/discord-cdn.ts'
import { notFound, upstreamError, upstreamUnavailable } from '../domain/errors.ts'
import { isSnowflake } from '../domain/presence.ts'
import { MINUTE } from '../lib/clock.ts'
import { Lru } from '../lib/lru.ts'
import { IF_NONE_MATCH, named } from './openapi.ts'
import { type PassOnOptions, passOn } from './pass-on.ts'
import { BINARY, SNOWFLAKE } from './schema.ts'

/** Applications whose icons are remembered here, and for how long it is believed that nothing has changed. */
const MOST = 10_000
const FRESH = MINUTE
/** Pixels. */
const SIZE = 512

interface Known {
  /** Undefined while it is not known. */
  readonly icon: string | null | undefined
  readonly until: number
}

/** What this door knows of applications' icons: their owner is asked by a call, so that nobody who reads waits for one. */
export class KnownIcons {
  readonly #calls: Pick<Calls, 'appIcon'>
  readonly #now: () => number
  readonly #known = new Lru<Known>(MOST, () => 1)
  #version = 0

  /** @param now milliseconds that never go back */
  constructor(calls: Pick<Calls, 'appIcon'>, now: () => number = () => performance.now()) {
    this.#calls = calls
    this.#now = now
  }

  /** Another one after every icon that was not known before. */
  get version(): number {
    return this.#version
  }

  /** The hash, null for none. Rejects as {@link Calls.appIcon} does. */
  async get(applicationId: string): Promise<string | null> {
    const icon = await this.#calls.appIcon(applicationId)
    if (icon !== (this.#known.get(applicationId)?.icon ?? null)) this.#version++
    this.#known.set(applicationId, { icon, until: this.#now() + FRESH })
    return icon
  }

  /** Whether there is an icon, as far as is known; what is not known is asked for, for those who come later. */
  has(applicationId: string): boolean {
    const known = this.#known.get(applicationId)
    if (known === undefined || known.until <= this.#now()) {
      this.#known.set(applicationId, { icon: known?.icon, until: this.#now() + FRESH })
      this.get(applicationId).catch(() => {})
    }
    return typeof known?.icon === 'string'
  }
}

const FILE = /^(\d{1,20})\.png$/

/** How the API document shows the route: its router takes one name for a whole path segment. */
export const APP_ICON_PATH = {
  '/app-icons/{id}.png': {
    get: named('getAppIcon', {
      tag: 'Avatars',
      summary: "An application's icon",
      description:
        'Of games without art of their own: only their `application_id` is in a presence. Looked up at Discord once a day; ' +
        'while that cannot be done at once, 503 says when to ask again.',
      parameters: [{ name: 'id', in: 'path', description: 'Which application', schema: SNOWFLAKE }, IF_NONE_MATCH],
      answers: [
        { description: 'The icon', content: { 'image/*': BINARY } },
        { status: 304, description: 'Nothing has changed since the given ETag' },
      ],
      failures: [notFound(), upstreamError(), upstreamUnavailable()],
    }),
  },
}

interface AppIconDeps extends PassOnOptions {
  readonly icons: KnownIcons
  readonly pictures: Pick<Pictures, 'appIcon'>
  /** Answers who asks for what is not there. */
  readonly missing: (request: Request) => Response
}

/** `/app-icons/<application id>.png`, streamed from Discord's CDN. */
export function appIconRoutes({ icons, pictures, missing, patience }: AppIconDeps) {
  async function icon(request: Request, file: string): Promise<Response> {
    const id = FILE.exec(file)?.[1]
    if (!isSnowflake(id)) return missing(request)
    const hash = await icons.get(id)
    const url = hash === null ? undefined : pictures.appIcon(id, hash, SIZE)
    return url === undefined ? missing(request) : passOn(request, url, { patience })
  }

  return new Elysia({ name: 'app-icons' }).get(
    '/app-icons/:file',
    ({ request, params: { file } }) => icon(request, file),
    { detail: { hide: true } },
  )
}
