/** Any site may read every answer, errors included. No credentials are involved: keys travel in `Authorization`. */
export const COMMON_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Retry-After',
  'X-Content-Type-Options': 'nosniff',
} as const

export const JSON_TYPE = 'application/json; charset=utf-8'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const TOKEN_LIST = /^[\w!#$%&'*+.^`|~, -]+$/

/** The answer to a preflight on any path: whatever method and headers a page wants to send are allowed. */
export function preflight(request: Request): Response {
  const method = request.headers.get('Access-Control-Request-Method') ?? ''
  const headers = request.headers.get('Access-Control-Request-Headers') ?? ''
  return new Response(null, {
    status: 204,
    headers: {
      ...COMMON_HEADERS,
      'Access-Control-Allow-Methods': [...new Set([...METHODS, ...allowed(method)])].join(', '),
      // Named one by one: a wildcard never covers Authorization, and older browsers know no wildcard here.
      'Access-Control-Allow-Headers': [...new Set(['authorization', 'content-type', ...allowed(headers)])].join(', '),
      'Access-Control-Max-Age': '600',
      Vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
    },
  })
}

function allowed(list: string): string[] {
  if (!TOKEN_LIST.test(list)) return []
  return list
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
}
