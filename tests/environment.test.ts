import { describe, expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../src/config.ts'
import { parseEnvironment } from '../src/environment.ts'
import { start, temporaryFolder } from './support/executable.ts'

const MAIN = join(import.meta.dir, '../src/main.ts')

describe('a file .env', () => {
  test.each([
    ['PORT=4002', { PORT: '4002' }],
    [' export PORT = 4002 ', { PORT: '4002' }],
    ['PORT=1\r\nHOST=::1\r\n', { PORT: '1', HOST: '::1' }],
    ['\ufeffPORT=1', { PORT: '1' }],
    ['# a comment\n\n  # another\nPORT=1', { PORT: '1' }],
    ['PORT=1\nPORT=2', { PORT: '2' }],
    ['A="two words"\nB=\'x\'', { A: 'two words', B: 'x' }],
    ['A="a#b" # said aside\nB=a#b # said aside\nC=# nothing', { A: 'a#b', B: 'a#b', C: '' }],
    ['A="$HOME"\nB=$HOME-$(id)\nC=\'`id`\'', { A: '$HOME', B: '$HOME-$(id)', C: '`id`' }],
    ['A=\nB=""', { A: '', B: '' }],
    ['A=it\'s\nB="open', { A: "it's", B: '"open' }],
    ['A="\\n\\"', { A: '\\n\\' }],
    ['A=x=y==', { A: 'x=y==' }],
    ['', {}],
  ])('%j means %j', (text, variables) => {
    expect(parseEnvironment(text)).toEqual(variables)
  })

  test('that has other lines is refused with their numbers, and without what stands there', () => {
    try {
      parseEnvironment('PORT=1\nmy-secret-token\n# fine\n=x\n1A=b')
      throw new Error('it was taken')
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      expect((error as ConfigError).mistakes).toEqual(
        [2, 4, 5].map(line => `.env must have NAME=value in line ${line}`),
      )
    }
  })

  /** What the program says when it is run from source in a folder with these files. */
  async function says(args: readonly string[], files: Record<string, string>, env: Record<string, string> = {}) {
    using folder = temporaryFolder()
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text)
    await using running = start([process.execPath, MAIN, ...args], { cwd: folder.path, env })
    return [await running.exited, running.output().replaceAll(folder.path, '')]
  }

  test('is read from the working folder, without expanding anything', async () => {
    const files = { '.env': 'DATABASE_PATH="./$HOME/no.db"\n' }
    expect(await says(['backup', 'copy.db'], files)).toEqual([1, 'exoix: There is no file /$HOME/no.db.\n'])
  })

  test('is read alone: no other of its kind, from source neither', async () => {
    const other = 'PORT=12\nDATABASE_PATH=./other.db\n'
    const files = { '.env.local': other, '.env.development': other, '.env.production': other, '.env': 'PORT=11\n' }
    expect(await says(['backup', 'copy.db'], files)).toEqual([1, 'exoix: There is no file /exoix.db.\n'])
    const [, told] = await says(['health'], files)
    expect(told).toContain('http://127.0.0.1:11/health')
  })

  test('says less than the environment', async () => {
    const [, told] = await says(['health'], { '.env': 'PORT=11\n' }, { PORT: '13' })
    expect(told).toContain('http://127.0.0.1:13/health')
  })

  test('that is wrong stops every command with the sentence that says where', async () => {
    const [code, told] = await says(['check'], { '.env': 'BOT_TOKEN=x\nsecret-without-a-name\n' })
    expect(code).toBe(1)
    expect(told).toContain('.env must have NAME=value in line 2')
    expect(told).not.toContain('secret-without')
  })

  test('that is a folder is said to be unreadable', async () => {
    using folder = temporaryFolder()
    mkdirSync(join(folder.path, '.env'))
    await using running = start([process.execPath, MAIN, 'health'], { cwd: folder.path })
    expect([await running.exited, running.output()]).toEqual([1, expect.stringContaining('.env cannot be read')])
  })
})
