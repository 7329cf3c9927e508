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
    ['help', { name: 'help' }],
    ['help serve', { name: 'help' }],
    ['--version', { name: 'version' }],
    ['backup a.db', { name: 'backup', file: 'a.db' }],
    ['backup --every 24h --keep 3 to', { name: 'backups', folder: 'to', every: 86_400_000, keep: 3 }],
    ['backup --every=90m to', { name: 'backups', folder: 'to', every: 5_400_000, keep: 7 }],
    ['people', { name: 'people', text: undefined }],
    ['people ada', { name: 'people', text: 'ada' }],
    ['hide 123', { name: 'hide', userId: '123' }],
    ['show 123', { name: 'show', userId: '123' }],
    ['revoke 123', { name: 'revoke', userId: '123' }],
    ['erase 123', { name: 'erase', userId: '123', isSure: false }],
    ['erase 123 --yes', { name: 'erase', userId: '123', isSure: true }],
    ['stats', { name: 'stats' }],
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
    ['hide'],
    ['hide ada'],
    ['hide 1 2'],
    ['hide 1 --yes'],
    ['erase'],
    ['stats all'],
    ['people a b'],
    ['backup --every 24h'],
    ['backup --every soon to'],
    ['backup --every 0h to'],
    ['backup --every 24h --keep 0 to'],
    ['backup --keep 3 to'],
    ['restore --every 24h a'],
    ['--loud'],
    ['import lanyard'],
    ['import redis://localhost'],
    ['import lanyard http://localhost'],
  ])('"exoix %s" is refused with an explanation', line => {
    expect(() => parseCommand(split(line))).toThrow(UsageError)
  })

  const SECRET = 's3cret/w:rd'
  const ADDRESS = `redis://default:${SECRET}@host`
  test.each([
    [[ADDRESS]],
    [['import', ADDRESS]],
    [['import', 'lanyard', ADDRESS, 'twice']],
    [['import', 'lanyard', `x${ADDRESS}`]],
    [['import', 'lanyard', `--${ADDRESS}`]],
    [['import', 'lanyard', `--url=${ADDRESS}`]],
    [['import', 'lanyard', `-p${SECRET}`]],
    [[`--force=${ADDRESS}`]],
    [['restore', `--help=${ADDRESS}`]],
    [['backup', ADDRESS, ADDRESS]],
    [['health', ADDRESS]],
    [['help', ADDRESS, ADDRESS]],
    [[SECRET]],
    [[`demo:${SECRET}`]],
  ])('%j is refused without a password being repeated', args => {
    try {
      parseCommand(args)
      throw new Error('it was understood')
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      expect((error as UsageError).message).not.toMatch(/s3cret|w:rd|default|host/)
    }
  })

  test('an option that does not exist is named, and no more said of it', () => {
    expect(() => parseCommand(['backup', '--loud', 'a'])).toThrow(new UsageError("Unknown option '--loud'"))
    expect(() => parseCommand(['-q'])).toThrow(new UsageError("Unknown option '-q'"))
  })
})

const split = (line: string) => line.split(' ').filter(word => word !== '')
