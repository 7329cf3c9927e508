import { describe, expect, test } from 'bun:test'
import { createIntake } from './intake.ts'
import { chunk, guildCreate, ready } from './payloads.ts'

const large = (id: string) => guildCreate(id, [], { large: true, member_count: 300 })

describe('a shard', () => {
  test('is complete when every guild of READY is there with its list', () => {
    const { take, connect, requests, guilds, completions } = createIntake()
    connect()
    take('READY', ready(['1', '2']))
    expect(guilds.isComplete(0)).toBe(false)
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_CREATE', large('2'))
    expect(guilds.isComplete(0)).toBe(false)
    take('GUILD_MEMBERS_CHUNK', chunk('2', ['11'], { nonce: requests[0]?.nonce }))
    expect(guilds.isComplete(0)).toBe(true)
    expect(completions).toEqual([
      [0, false],
      [0, true],
    ])
  })

  test('without guilds is complete with READY', () => {
    const { take, connect, guilds } = createIntake()
    connect()
    take('READY', ready([]))
    expect(guilds.isComplete(0)).toBe(true)
  })

  test('does not wait for guilds that stay away', () => {
    const { take, connect, clock, guilds } = createIntake()
    take('READY', ready(['1', '2']))
    connect()
    clock.advance(14_000)
    take('GUILD_CREATE', guildCreate('1', ['10']))
    clock.advance(14_999)
    expect(guilds.isComplete(0)).toBe(false)
    clock.advance(1)
    expect(guilds.isComplete(0)).toBe(true)
    expect(guilds.size).toBe(2)
  })

  test('waits longer for a guild that is there and whose list is not, but not for ever', () => {
    const { take, connect, clock, guilds } = createIntake()
    take('READY', ready(['1']))
    take('GUILD_CREATE', large('1'))
    connect()
    clock.advance(59_999)
    expect(guilds.isComplete(0)).toBe(false)
    clock.advance(1)
    expect(guilds.isComplete(0)).toBe(true)
  })

  test('waits as long as chunks keep coming', () => {
    const { take, connect, clock, requests, guilds } = createIntake()
    take('READY', ready(['1']))
    take('GUILD_CREATE', large('1'))
    connect()
    for (let index = 0; index < 20; index++) {
      clock.advance(10_000)
      const position = { chunk_index: index, chunk_count: 21, nonce: requests.at(-1)?.nonce }
      take('GUILD_MEMBERS_CHUNK', chunk('1', [`1${index}`], position))
      expect(guilds.isComplete(0)).toBe(false)
    }
  })

  test('does not lose patience while it is not connected', () => {
    const { take, connect, disconnect, clock, guilds } = createIntake()
    take('READY', ready(['1']))
    connect()
    disconnect()
    clock.advance(3_600_000)
    expect(guilds.isComplete(0)).toBe(false)
    connect()
    clock.advance(15_000)
    expect(guilds.isComplete(0)).toBe(true)
  })

  test('does not wait for a guild that has an outage, or is left, before it arrived', () => {
    const { take, connect, clock, guilds } = createIntake()
    take('READY', ready(['1', '2']))
    connect()
    take('GUILD_DELETE', { id: '1' })
    take('GUILD_CREATE', guildCreate('2', ['10']))
    expect(guilds.isComplete(0)).toBe(true)
    take('GUILD_CREATE', large('3'))
    take('GUILD_DELETE', { id: '3', unavailable: true })
    clock.advance(15_000)
    expect(guilds.isComplete(0)).toBe(true)
  })

  test('is not complete for a moment when READY drops the only guild it waited for', () => {
    const { take, connect, completions } = createIntake()
    connect()
    take('READY', ready(['1']))
    take('READY', ready(['2']))
    expect(completions).toEqual([[0, false]])
  })
})
