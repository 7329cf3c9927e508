import { json } from '../rest/answers.ts'
import type { Json } from '../types.ts'
import type { GithubLimits } from './limits.ts'
import type { GithubGist, GithubUser, GithubWorld } from './world.ts'

export interface GithubRestDeps {
  world: GithubWorld
  limits: GithubLimits
  /** Whose token this is: a user id, `service` for the configured one, undefined: nobody's. */
  tokenOwner: (token: string) => number | 'service' | undefined
}

export interface GithubRest {
  /** `path` is without the API's base and query. */
  handle(request: Request, path: string, query: URLSearchParams): Response
}

/** The part of GitHub's REST API that shows people and gists (docs: REST, Users and Gists). */
export function createGithubRest({ world, limits, tokenOwner }: GithubRestDeps): GithubRest {
  function handle(request: Request, path: string, query: URLSearchParams): Response {
    if (!request.headers.get('user-agent'))
      return new Response('Request forbidden by administrative rules.', { status: 403 })
    const token = /^(?:bearer|token) (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? null
    const caller = token === null ? null : tokenOwner(token)
    if (caller === undefined) return message(401, 'Bad credentials')
    if (path === '/rate_limit') return stamp(json({ resources: { core: limits.budget(token) } }), token)
    if (limits.budget(token).remaining === 0) return stamp(exceeded(), token)
    const found = request.method === 'GET' ? find(path, query, caller) : undefined
    if (found === undefined) limits.spend(token)
    return stamp(found === undefined ? message(404, 'Not Found') : conditional(request, found, token), token)
  }

  function find(path: string, query: URLSearchParams, caller: number | 'service' | null): object | undefined {
    const [, first, second = '', third] = path.split('/')
    if (first === 'user' && second === '') return typeof caller === 'number' ? world.user(caller) : undefined
    if (first === 'user' && third === undefined) return /^\d+$/.test(second) ? world.user(Number(second)) : undefined
    if (first === 'gists') return readGist(world.gist(second))
    if (first !== 'users') return undefined
    const user = world.userByLogin(decodeURIComponent(second))
    return third === 'gists' && user !== undefined ? listGists(user, query) : user
  }

  function readGist(gist: GithubGist | undefined): object | undefined {
    const owner = gist && world.user(gist.ownerId)
    return gist && owner && { ...describeGist(gist, owner), files: describeFiles(gist, true) }
  }

  /** Public ones only (docs: "List gists for a user"). */
  function listGists(owner: GithubUser, query: URLSearchParams): object {
    const since = Date.parse(query.get('since') ?? '') || 0
    const size = Math.min(100, Number(query.get('per_page') ?? 30))
    const gists = world.gistsOf(owner.id).filter(gist => gist.public && gist.updatedAt >= since)
    return gists.slice(0, size).map(gist => describeGist(gist, owner))
  }

  /** A 304 is free for those who come with a token (docs: REST, "Best practices", conditional requests). */
  function conditional(request: Request, found: object, token: string | null): Response {
    const body = JSON.stringify(found)
    const etag = `W/"${Bun.hash(`${token !== null} ${body}`)
      .toString(16)
      .padStart(64, '0')}"`
    const unchanged = request.headers.get('if-none-match') === etag
    if (!unchanged || token === null) limits.spend(token)
    const headers = { etag, 'cache-control': 'public, max-age=60, s-maxage=60' }
    if (unchanged) return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': 'application/json; charset=utf-8' } })
  }

  function stamp(response: Response, token: string | null): Response {
    const { limit, remaining, reset } = limits.budget(token)
    response.headers.set('x-ratelimit-limit', String(limit))
    response.headers.set('x-ratelimit-remaining', String(remaining))
    response.headers.set('x-ratelimit-reset', String(reset))
    response.headers.set('x-ratelimit-resource', 'core')
    return response
  }

  return { handle }
}

function describeGist(gist: GithubGist, owner: GithubUser): Json {
  return {
    id: gist.id,
    description: gist.description,
    public: gist.public,
    files: describeFiles(gist, false),
    updated_at: new Date(gist.updatedAt).toISOString(),
    owner: { login: owner.login, id: owner.id },
    comments: 0,
    truncated: false,
  }
}

function describeFiles(gist: GithubGist, contents: boolean): Json {
  const files = Object.entries(gist.files).map(([filename, content]) => {
    const file = { filename, type: 'text/plain', size: content.length }
    return [filename, contents ? { ...file, truncated: false, content } : file]
  })
  return Object.fromEntries(files)
}

function message(status: number, text: string): Response {
  return json({ message: text, documentation_url: 'https://docs.github.com/rest', status: String(status) }, status)
}

const exceeded = () => message(403, 'API rate limit exceeded for 192.0.2.1.')
