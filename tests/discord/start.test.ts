import { describe, expect, test } from 'bun:test'
import { endsSession, fatalClose } from '../../src/discord/close-codes.ts'
import { botPresence, readGatewayInfo } from '../../src/discord/identify.ts'
import { chooseIntents } from '../../src/discord/intents.ts'
import { FatalError } from '../../src/domain/errors.ts'
import { createManualClock } from './clocks.ts'

const MEMBERS = 1 << 14
const PRESENCES = 1 << 12
const CONTENT = 1 << 18
const INTENT = { messageContent: 1 << 15, always: (1 << 0) | (1 << 1) | (1 << 8) | (1 << 9) | (1 << 12) }

describe('the intents', () => {
  test('are what the application has switched on', () => {
    expect(chooseIntents(MEMBERS | PRESENCES | CONTENT)).toEqual({
      bits: INTENT.always | INTENT.messageContent,
      messageContent: true,
    })
  })

  test('may be limited ones, as bots in few servers have them', () => {
    const limited = (MEMBERS | PRESENCES | CONTENT) << 1
    expect(chooseIntents(limited).bits).toBe(INTENT.always | INTENT.messageContent)
  })

  test('leave message content out where it is off', () => {
    expect(chooseIntents(MEMBERS | PRESENCES)).toEqual({ bits: INTENT.always, messageContent: false })
  })

  test.each([
    ['members', PRESENCES, ['"Server Members Intent"'], '"Presence Intent"'],
    ['presences', MEMBERS, ['"Presence Intent"'], '"Server Members Intent"'],
    ['both', CONTENT, ['"Server Members Intent"', '"Presence Intent"'], 'nothing else'],
  ])('name the switch when %s cannot be read', (_, flags, named, unnamed) => {
    const message = messageOf(() => chooseIntents(flags))
    for (const name of named) expect(message).toContain(name)
    expect(message).not.toContain(unnamed)
    expect(message).toContain('Privileged Gateway Intents')
    expect(sentences(message)).toBe(1)
  })
})

describe('a close of the gateway', () => {
  test.each([4004, 4010, 4011, 4012, 4013, 4014])('%i is fatal, and one sentence says what to do', code => {
    const error = fatalClose(code)
    expect(error).toBeInstanceOf(FatalError)
    expect(sentences(error?.message ?? '')).toBe(1)
    expect(error?.message).toMatch(/start again|start Exoix again|update Exoix/)
  })

  test.each([1000, 1001, 1006, 4000, 4001, 4002, 4003, 4005, 4007, 4008, 4009, 4200])('%i is not', code => {
    expect(fatalClose(code)).toBeUndefined()
  })

  test('ends the session only where Discord takes no resume', () => {
    expect([1000, 1001, 1006, 4000, 4007, 4009].map(endsSession)).toEqual([false, false, false, false, true, true])
  })
})

describe("the bot's own presence", () => {
  test('is a named activity', () => {
    expect(botPresence('you <3', 3).activities).toEqual([{ name: 'you <3', type: 3 }])
  })

  test('carries the text of a custom status where Discord looks for it', () => {
    expect(botPresence('you <3', 4).activities).toEqual([{ name: 'Custom Status', type: 4, state: 'you <3' }])
  })

  test('shows streaming, for which no address is configured, as playing', () => {
    expect(botPresence('you <3', 1).activities).toEqual([{ name: 'you <3', type: 0 }])
  })
})

describe("Discord's answer about the gateway", () => {
  const clock = createManualClock()

  test('is read', () => {
    const limit = { total: 1000, remaining: 997, reset_after: 14_000, max_concurrency: 16 }
    expect(readGatewayInfo({ url: 'wss://gateway.discord.gg', shards: 4, session_start_limit: limit }, clock)).toEqual({
      url: 'wss://gateway.discord.gg',
      shards: 4,
      maxConcurrency: 16,
      remaining: 997,
      resetAt: clock.now() + 14_000,
      askedAt: clock.now(),
    })
  })

  test('without limits is met with care', () => {
    expect(readGatewayInfo({ url: 'wss://x' }, clock)).toMatchObject({ shards: 1, maxConcurrency: 1, remaining: 1 })
  })

  test.each([[null], [[]], [{}], [{ url: 5 }], [{ url: 'https://x' }], [{ url: 'wss://x?y' }]])(
    '%j is refused',
    answer => {
      expect(() => readGatewayInfo(answer, clock)).toThrow()
    },
  )

  test('may hold nonsense', () => {
    const limit = { remaining: '5', reset_after: -1, max_concurrency: 0 }
    const info = readGatewayInfo({ url: 'wss://x', shards: 1e9, session_start_limit: limit }, clock)
    expect(info).toMatchObject({ shards: 100_000, maxConcurrency: 1, remaining: 1, resetAt: clock.now() })
  })
})

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof FatalError) return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}

const sentences = (text: string) =>
  text
    .replaceAll(/https:\S+/g, '')
    .split(/[.!?](?:\s|$)/)
    .filter(part => part !== '').length
