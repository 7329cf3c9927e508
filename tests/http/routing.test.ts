import { describe, expect, test } from 'bun:test'
import { ADA, head, parse, startServer } from './harness.ts'

const NOT_FOUND = { success: false, error: { code: 'not_found', message: 'Route does not exist' } }

describe('paths', () => {
  test.each([
    `/v1/users/${ADA}/`,
    `//v1/users/${ADA}`,
    `/v1//users/${ADA}`,
    `///v1///users///${ADA}///`,
    `/v1/users/${ADA}/?a=b`,
  ])('ignore empty segments: %s', async path => {
    await using server = startServer()
    const response = parse(await server.raw(head('GET', path)))
    expect(response.status).toBe(200)
    expect(JSON.parse(response.body).data.discord_user.id).toBe(ADA)
  })

  test('may be nothing but empty segments', async () => {
    await using server = startServer()
    expect(JSON.parse(parse(await server.raw(head('GET', '//'))).body).data.monitored_user_count).toBe(1)
  })

  test('ignore empty segments of a request with a body', async () => {
    const written: unknown[] = []
    await using server = startServer({ kv: { put: async (...pair) => void written.push(pair) } })
    const request = head('PUT', '//v1/users/@me//kv/a/', 'Authorization: exoix_adas-key', 'Content-Length: 5')
    expect(parse(await server.raw(`${request}hello`)).status).toBe(204)
    expect(written).toEqual([[ADA, 'a', 'hello']])
  })

  test.each(['x', 'api', 'localhost:4001', 'a.very.long.example.com'])('work behind any host name: %s', async host => {
    await using server = startServer()
    for (const path of [`/v1/users/${ADA}`, `/v1/users/${ADA}/`, '/health', '/health/']) {
      const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
      expect(parse(await server.raw(request)).status).toBe(200)
    }
  })

  test.each([
    ['GET', '/nope'],
    ['GET', '/v1'],
    ['GET', `/v1/users/${ADA}/nope`],
    ['POST', '/'],
    ['POST', `/v1/users/${ADA}`],
    ['DELETE', `/v1/users/${ADA}`],
    ['PUT', '/metrics'],
    ['POST', '/socket'],
    ['PROPFIND', `/v1/users/${ADA}`],
    ['TRACE', `/v1/users/${ADA}`],
    ['GET', '/%'],
    ['GET', '/%zz/%'],
    ['GET', '/v1%2Fusers'],
  ])('that are no route answer 404 not_found: %s %s', async (method, path) => {
    await using server = startServer()
    const response = parse(await server.raw(head(method, path)))
    expect(response.status).toBe(404)
    expect(JSON.parse(response.body)).toEqual(NOT_FOUND)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test('do not care about a body nobody asked for, however broken or large', async () => {
    await using server = startServer()
    const broken = { method: 'POST', body: '{"a":', headers: { 'content-type': 'application/json' } }
    expect(await (await fetch(`${server.url}/nope`, broken)).json()).toEqual(NOT_FOUND)
    const endless = head('POST', '/nope', 'Content-Length: 99999999999')
    expect(JSON.parse(parse(await server.raw(endless)).body)).toEqual(NOT_FOUND)
    const cookie = await server.get('/nope', { cookie: '%%%=%; a=%E0%A4%A' })
    expect(await cookie.json()).toEqual(NOT_FOUND)
  })
})

describe('HEAD', () => {
  test.each([
    `/v1/users/${ADA}`,
    `/v1/users/${ADA}/`,
    '/v1/users/1',
    '/',
    '/health',
    '/health/serving',
    '/embed.js',
    '/swagger',
    '/swagger/json',
    '/nope',
    '/socket',
  ])('answers %s as GET does, without the body', async path => {
    await using server = startServer()
    const got = parse(await server.raw(head('GET', path)))
    const answer = parse(await server.raw(head('HEAD', path)))
    expect(answer.status).toBe(got.status)
    expect(answer.body).toBe('')
    for (const name of [
      'content-type',
      'content-length',
      'etag',
      'cache-control',
      'vary',
      'access-control-allow-origin',
    ]) {
      expect([name, answer.headers.get(name)]).toEqual([name, got.headers.get(name)])
    }
  })
})

describe('cross-origin requests', () => {
  test('are allowed on every answer, errors included', async () => {
    await using server = startServer()
    for (const path of [
      `/v1/users/${ADA}`,
      '/v1/users/1',
      '/v1/users/@me',
      '/',
      '/metrics',
      '/nope',
      '/socket',
      '/swagger',
    ]) {
      const { headers } = await server.get(path, { origin: 'https://example.com' })
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      expect(headers.get('vary') ?? '').not.toContain('*')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test.each(['/', `/v1/users/${ADA}/kv/key`, '/v1/users/@me', '/nope/at/all', '//v1/', '/socket'])(
    'get their preflight answered without a key: %s',
    async path => {
      await using server = startServer()
      const response = await server.get(
        path,
        {
          origin: 'https://example.com',
          'access-control-request-method': 'PATCH',
          'access-control-request-headers': 'authorization,x-anything',
        },
        { method: 'OPTIONS' },
      )
      expect(response.status).toBe(204)
      expect(await response.text()).toBe('')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(response.headers.get('access-control-max-age')).toBe('600')
      const list = (name: string) => response.headers.get(name)?.split(', ')
      expect(list('access-control-allow-headers')).toEqual(['authorization', 'content-type', 'x-anything'])
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'])
        expect(list('access-control-allow-methods')).toContain(method)
    },
  )

  test('may send any number of headers, and asking for them costs no more than any request', async () => {
    await using server = startServer()
    const names = Array.from({ length: 1500 }, (_, at) => `x-${at}`).join(',')
    const response = await server.get('/', { 'access-control-request-headers': names }, { method: 'OPTIONS' })
    // As it was asked for: taking such a list apart would take longer than everything else.
    expect(response.headers.get('access-control-allow-headers')).toBe(`authorization, content-type, ${names}`)
  })

  test('are allowed no header that is none', async () => {
    await using server = startServer()
    const asked = { 'access-control-request-headers': 'x-a, "b', 'access-control-request-method': 'A, B' }
    const { headers } = await server.get('/', asked, { method: 'OPTIONS' })
    expect(headers.get('access-control-allow-headers')).toBe('authorization, content-type')
    expect(headers.get('access-control-allow-methods')).not.toContain('A, B')
  })

  test('may use a method nobody thought of', async () => {
    await using server = startServer()
    const response = await server.get('/', { 'access-control-request-method': 'PURGE' }, { method: 'OPTIONS' })
    expect(response.headers.get('access-control-allow-methods')?.split(', ')).toContain('PURGE')
  })
})

describe('our own mistakes', () => {
  test('are 500 in the envelope, told to the log and to nobody else', async () => {
    const broken = async () => {
      throw new TypeError('secret detail')
    }
    await using server = startServer({ kv: { put: broken } })
    const response = await server.get(
      '/v1/users/@me/kv/a',
      { authorization: 'exoix_adas-key' },
      { method: 'PUT', body: 'x' },
    )
    expect(response.status).toBe(500)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const text = await response.text()
    expect(JSON.parse(text).error.code).toBe('internal_error')
    expect(text).not.toContain('secret detail')
    expect(server.logged.join()).toContain('TypeError: secret detail')
    expect(server.logged.join()).not.toContain('exoix_adas-key')
  })

  test.each(['/v1/users/1', '/user/1'])('are counted, whoever found the route: %s', async path => {
    await using server = startServer()
    Object.assign(server.presences, {
      snapshot() {
        throw new TypeError('broken')
      },
    })
    expect((await server.get(path)).status).toBe(500)
    expect(server.metrics.render()).toContain('exoix_5xx_responses 1\n')
  })
})
