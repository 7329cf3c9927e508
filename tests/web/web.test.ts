import { describe, expect, test } from 'bun:test'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientModule, elementScript } from '../../src/web/web.ts'
import { ADA, startServer } from '../http/harness.ts'

describe('/embed.js', () => {
  test('is a script any page may load and keep for a while', async () => {
    await using server = startServer()
    const response = await server.get('/embed.js')
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300',
      vary: 'Accept-Encoding',
    })
    const known = { 'if-none-match': response.headers.get('etag') ?? '' }
    expect((await server.get('/embed.js', known)).status).toBe(304)
  })

  test.each(['gzip', 'zstd'])('is under 12 KB compressed with %s', async encoding => {
    await using server = startServer()
    const response = await fetch(`${server.url}/embed.js`, {
      headers: { 'accept-encoding': encoding },
      decompress: false,
    })
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect((await response.arrayBuffer()).byteLength).toBeLessThan(12 * 1024)
  })

  test('is a plain script, leaves no names behind and may stand inside a page', () => {
    const hosts = { discordCdnUrl: 'https://x/</script>', discordMediaUrl: 'https://m', spotifyCdnUrl: 'https://s' }
    const script = elementScript({ ...hosts, discordInvite: undefined }, '1.2.3')
    expect(script).not.toMatch(/<\/|^(import|export)|__[A-Z]/m)
    expect(script).toMatch(/^\/\/ .*\n\(\(\)=>\{/)
    expect(() => new Function(script)).not.toThrow()
  })
})

describe('/client.js', () => {
  test.each(['gzip', 'zstd'])('is under 4 KB compressed with %s', async encoding => {
    await using server = startServer()
    const response = await fetch(`${server.url}/client.js`, {
      headers: { 'accept-encoding': encoding },
      decompress: false,
    })
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect((await response.arrayBuffer()).byteLength).toBeLessThan(4000)
  })

  test('is a module that needs no other and exports follow', async () => {
    const script = clientModule('1.2.3')
    expect(script).toStartWith('// The client of Exoix 1.2.3.')
    expect(script).not.toMatch(/\bfrom ?["']|\bimport ?\(/)
    const file = `${await mkdtemp(join(tmpdir(), 'exoix-client-'))}/client.js`
    await Bun.write(file, script)
    expect(Object.keys(await import(file))).toEqual(['follow'])
  })
})

describe('/embed/:id', () => {
  test('is a page that anybody may frame, the same for everybody, and loads nothing but pictures from elsewhere', async () => {
    await using server = startServer({ config: { discordCdnUrl: 'https://cdn.example' } })
    const response = await server.get('/embed/1')
    expect(response.status).toBe(200)
    expect(response.headers.get('x-frame-options')).toBeNull()
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain('frame-ancestors *')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).toContain("img-src 'self' data: https://cdn.example https://media.discordapp.net https://i.scdn.co")
    const page = await response.text()
    expect(page).not.toMatch(/<(script|link|img)[^>]* (src|href)="(?!data:)/)
    for (const id of [ADA, '@me', 'x%00', '9'.repeat(300)])
      expect(await (await server.get(`/embed/${id}?layout=pill`)).text()).toBe(page)
    expect((await server.get('/embed/1', {}, { method: 'HEAD' })).status).toBe(200)
  })
})
