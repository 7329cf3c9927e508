import { describe, expect, test } from 'bun:test'
import { answersCommands, ConfigError, readConfig } from '../src/config.ts'

describe('the settings', () => {
  test('have the documented defaults', () => {
    const { port, commandPrefix, rateLimitPerMinute, maxSocketsPerAddress, trustedProxies, botToken } = readConfig({})
    expect({ port, commandPrefix, rateLimitPerMinute, maxSocketsPerAddress, trustedProxies, botToken }).toEqual({
      port: 4001,
      commandPrefix: '.',
      rateLimitPerMinute: 600,
      maxSocketsPerAddress: 1000,
      trustedProxies: [],
      botToken: undefined,
    })
  })

  test('take an empty variable as unset', () => {
    expect(readConfig({ PORT: ' ', BOT_TOKEN: '' })).toEqual(readConfig({}))
  })

  test.each([
    ['PORT', '70000'],
    ['PORT', '1e3'],
    ['PORT', '-1'],
    ['BOT_TOKEN', 'two words'],
    ['COMMAND_PREFIX', 'a b'],
    ['EXTERNAL_URL', 'example.org'],
    ['EXTERNAL_URL', 'ftp://example.org'],
    ['DISCORD_API_URL', 'https://user:pass@example.org'],
    ['LOG_LEVEL', 'loud'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', 'proxy.local'],
    ['BOT_IDEMPOTENCY_ENV_KEY', 'pod'],
    ['BOT_PRESENCE_TYPE', '9'],
    ['HOME_GUILD', 'my server'],
    ['KV_RETENTION_DAYS', 'soon'],
    ['FEATURED_USERS', '94490510688792576, ada'],
    ['FEATURED_USERS', Array.from({ length: 25 }, (_, index) => 94490510688792n * 1000n + BigInt(index)).join()],
  ])('refuse %s=%s, naming the variable and not repeating the value', (name, value) => {
    const mistake = mistakes({ [name]: value })[0] ?? ''
    expect(mistake).toStartWith(`${name} must `)
    expect(mistake).not.toContain(value)
  })

  test('report every mistake at once', () => {
    expect(mistakes({ PORT: 'x', LOG_FORMAT: 'x', TRUSTED_PROXIES: 'x' })).toHaveLength(3)
  })

  test('forgive what people paste around a token', () => {
    for (const pasted of ['"abc.def"', "'abc.def'", 'Bot abc.def', ' abc.def ']) {
      expect(readConfig({ BOT_TOKEN: pasted }).botToken).toBe('abc.def')
    }
  })

  test.each([
    ['COMMAND_PREFIX', '"."', { commandPrefix: '.' }],
    ['PORT', "'4002'", { port: 4002 }],
    ['LOG_LEVEL', ' "warn" ', { logLevel: 'warn' }],
    ['EXTERNAL_URL', '"https://example.org/"', { externalUrl: 'https://example.org' }],
    ['FEATURED_USERS', '"94490510688792576"', { featuredUsers: ['94490510688792576'] }],
    ['BOT_PRESENCE', `"it's me"`, { botPresence: "it's me" }],
    ['BOT_PRESENCE', '"open', { botPresence: '"open' }],
    ['PORT', '""', { port: 4001 }],
    ['HOST', "'", { host: "'" }],
  ])('take off the quotes around %s=%s', (name, value, expected) => {
    expect(readConfig({ [name]: value })).toMatchObject(expected)
  })

  test('take off the quotes around the name and value that let a process answer commands', () => {
    const config = readConfig({ BOT_IDEMPOTENCY_ENV_KEY: '"POD=web-0"' })
    expect(answersCommands(config, { POD: '"web-0"' })).toBe(true)
    expect(answersCommands(config, { POD: '"web-1"' })).toBe(false)
  })

  test('take addresses and networks of proxies, and URLs without their trailing slash', () => {
    const config = readConfig({ TRUSTED_PROXIES: '10.0.0.0/8, ::1', EXTERNAL_URL: 'https://example.org/' })
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
    expect(config.externalUrl).toBe('https://example.org')
  })

  test('take people to feature, each once', () => {
    const { featuredUsers } = readConfig({
      FEATURED_USERS: ' 94490510688792576,204255221017214977, 94490510688792576,',
    })
    expect(featuredUsers).toEqual(['94490510688792576', '204255221017214977'])
  })

  test('let only the named process answer commands', () => {
    const config = readConfig({ BOT_IDEMPOTENCY_ENV_KEY: 'POD=web-0=a' })
    expect(answersCommands(config, { POD: 'web-0=a' })).toBe(true)
    expect(answersCommands(config, { POD: 'web-1' })).toBe(false)
    expect(answersCommands(readConfig({}), {})).toBe(true)
  })
})

function mistakes(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
  return []
}
