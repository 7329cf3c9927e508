import { describe, expect, test } from 'bun:test'
import { Addresses } from '../../src/bot/addresses.ts'
import { keyCommands } from '../../src/bot/keys.ts'
import { pairCommands } from '../../src/bot/kv.ts'
import { privacyCommands } from '../../src/bot/privacy.ts'
import { commandDefinitions } from '../../src/bot/registration.ts'
import { Registry } from '../../src/bot/registry.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { checkCommands } from '../../src/simulator/rest/command-rules.ts'

/** The table alone: nothing is run, so what commands act on need not be there. */
function makeRegistry(prefix = '.') {
  const presences = new PresenceStore()
  const nowhere = undefined as never
  const addresses = new Addresses(undefined)
  const groups = [
    pairCommands({ kv: nowhere, presences, addresses }),
    keyCommands(nowhere),
    privacyCommands({ privacy: nowhere, presences, sender: nowhere, addresses, now: Date.now }),
  ]
  return new Registry(groups, prefix, addresses)
}

describe('the table of commands', () => {
  const registry = makeRegistry()
  const { commands } = registry

  test('has every name once, in lower case, and finds it in any case', () => {
    const names = commands.flatMap(command => command.names)
    expect(new Set(names).size).toBe(names.length)
    for (const command of commands) {
      for (const name of command.names) {
        expect(name).toMatch(/^[a-z]+( [a-z]+)?$/)
        const [first = '', second = ''] = name.split(' ')
        expect(registry.find({ name: first, rest: second && `  ${second.toUpperCase()}` })).toMatchObject({ command })
      }
    }
  })

  test('has every slash command once', () => {
    const paths = commands.flatMap(({ slash }) => slash ?? [])
    expect(new Set(paths).size).toBe(paths.length)
    for (const path of paths) expect(registry.findSlash(path)?.slash).toBe(path)
    expect(registry.findSlash('')).toBeUndefined()
  })

  test('gives every command a way in', () => {
    for (const { names, slash } of commands) expect(names.length + (slash?.length ?? 0)).toBeGreaterThan(0)
  })

  test('knows nothing by the names of JavaScript objects', () => {
    for (const name of ['constructor', '__proto__', 'tostring', ''])
      expect(registry.find({ name, rest: ' a b' })).toBeNull()
  })

  test('takes optional arguments last, and texts at the very end', () => {
    for (const { options } of commands) {
      const optional = options.map(option => option.optional === true)
      expect(optional).toEqual(optional.toSorted())
      for (const { kind } of options.slice(0, -1)) expect(['word', 'integer']).toContain(kind)
    }
  })

  test('makes slash commands Discord takes', () => {
    expect(checkCommands(commandDefinitions(makeRegistry()))).toEqual([])
  })

  test('describes every group of slash commands', () => {
    for (const { name, ...definition } of commandDefinitions(makeRegistry()))
      expect(definition).not.toMatchObject({ description: name })
  })
})
