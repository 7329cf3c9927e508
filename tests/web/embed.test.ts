import { describe, expect, test } from 'bun:test'
import { composeEmbed } from '../../src/web/embed.ts'
import { startServer } from '../http/harness.ts'

/** A module of the script, as it is; types know it as text only. */
const load = (name: string) => import(`../../src/web/${name}.browser.js`)
const { clock, ago } = (await load('times')) as Record<string, (milliseconds: number) => string>

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

  test.each(['gzip', 'zstd'])('is under 10 KB compressed with %s', async encoding => {
    await using server = startServer()
    const response = await fetch(`${server.url}/embed.js`, {
      headers: { 'accept-encoding': encoding },
      decompress: false,
    })
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect((await response.arrayBuffer()).byteLength).toBeLessThan(10_000)
  })

  test('is a plain script, leaves no names behind and may stand inside a page', () => {
    const hosts = { discordCdnUrl: 'https://x/</script>', discordMediaUrl: 'https://m', spotifyCdnUrl: 'https://s' }
    const script = composeEmbed(hosts, '1.2.3')
    expect(script).not.toMatch(/<\/|^(import|export)|__[A-Z]/m)
    expect(script).toMatch(/^\/\/ .*\n\(\(\) => \{/)
    expect(() => new Function(script)).not.toThrow()
  })
})

describe('times', () => {
  test.each([
    [-5, '0:00'],
    [59_999, '0:59'],
    [61_000, '1:01'],
    [3_600_000, '1:00:00'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms is %s on a clock', (milliseconds, shown) => expect(clock!(milliseconds)).toBe(shown))

  test.each([
    [-5, 'just now'],
    [59_999, 'just now'],
    [60_000, '1 minute ago'],
    [7_200_000, '2 hours ago'],
    [86_400_000 * 400, '400 days ago'],
  ])('%d ms ago is %s', (milliseconds, shown) => expect(ago!(milliseconds)).toBe(shown))
})
