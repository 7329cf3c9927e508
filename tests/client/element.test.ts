import { expect, test } from 'bun:test'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { start, temporaryFolder } from '../support/executable.ts'

const ROOT = join(import.meta.dir, '../..')

const SAMPLE = `import type {} from 'exoix-client/react'
import type { DiscordPresenceElement } from 'exoix-client/element'

export const shown = <discord-presence user="94490510688792576" layout="compact" show="kv" hide="avatar links" theme="dark" />
export const wrong = <discord-presence layout="sideways" />

const element: DiscordPresenceElement | null = document.querySelector('discord-presence')
const status: 'online' | 'idle' | 'dnd' | 'offline' | undefined = element?.presence?.discord_status
export const words = [status, element?.state === 'live', element?.state === 'sideways']
`

test('a site in TypeScript and JSX is told what the element takes and has', async () => {
  await using folder = temporaryFolder()
  const at = (...path: string[]) => join(folder.path, ...path)
  mkdirSync(at('node_modules/@types'), { recursive: true })
  await using writing = start(
    [process.execPath, join(ROOT, '.ci/client-package.ts'), at('node_modules/exoix-client')],
    {
      cwd: ROOT,
    },
  )
  expect(await writing.exited).toBe(0)
  for (const name of ['@types/react', 'csstype'])
    symlinkSync(join(ROOT, 'node_modules', name), at('node_modules', name))
  const compilerOptions = {
    strict: true,
    noEmit: true,
    jsx: 'react-jsx',
    module: 'ESNext',
    moduleResolution: 'bundler',
  }
  const lib = { lib: ['ES2022', 'DOM'], types: [], skipLibCheck: true }
  writeFileSync(at('package.json'), '{"type":"module"}')
  writeFileSync(
    at('tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, ...lib }, files: ['page.tsx'] }),
  )
  writeFileSync(at('page.tsx'), SAMPLE)
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  await using compiling = start([process.execPath, tsc, '--pretty', 'false'], { cwd: folder.path })
  await compiling.exited
  const mistakes = Array.from(compiling.output().matchAll(/^page\.tsx\((\d+)/gm), ([, line]) => Number(line))
  expect(mistakes).toEqual([5, 9])
  expect(compiling.output()).toContain('"sideways"')
}, 30_000)
