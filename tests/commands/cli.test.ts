import { describe, expect, test } from 'bun:test'
import { type Command, parseCommand, UsageError } from '../../src/commands/cli.ts'

describe('the command line', () => {
  test.each<[string, Command]>([
    ['', { name: 'serve' }],
    ['serve', { name: 'serve' }],
    ['demo', { name: 'demo' }],
    ['health', { name: 'health' }],
    ['check', { name: 'check' }],
    ['--help', { name: 'help' }],
    ['demo -h', { name: 'help' }],
    ['--version', { name: 'version' }],
    ['backup a.db', { name: 'backup', file: 'a.db' }],
    ['restore a.db', { name: 'restore', file: 'a.db', force: false }],
    ['restore a.db --force', { name: 'restore', file: 'a.db', force: true }],
    ['import lanyard redis://localhost:6379', { name: 'import', url: 'redis://localhost:6379' }],
  ])('"exoix %s" asks for %p', (line, command) => {
    expect(parseCommand(split(line))).toEqual(command)
  })

  test.each([
    ['serv'],
    ['demo twice'],
    ['backup'],
    ['backup a b'],
    ['restore'],
    ['--force'],
    ['--loud'],
    ['import lanyard'],
    ['import redis://localhost'],
    ['import lanyard http://localhost'],
  ])('"exoix %s" is refused with an explanation', line => {
    expect(() => parseCommand(split(line))).toThrow(UsageError)
  })

  test('an option that does not exist is named, and no more said of it', () => {
    expect(() => parseCommand(['backup', '--loud', 'a'])).toThrow(new UsageError("Unknown option '--loud'"))
    expect(() => parseCommand(['-q'])).toThrow(new UsageError("Unknown option '-q'"))
  })
})

const split = (line: string) => line.split(' ').filter(word => word !== '')
