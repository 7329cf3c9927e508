import { describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Document } from '../../.ci/client-types/routes.ts'
import { clientTypes } from '../../.ci/client-types/write.ts'
import { startServer } from '../http/harness.ts'
import { start, temporaryFolder } from '../support/executable.ts'

const ROOT = join(import.meta.dir, '../..')
const TYPES = join(ROOT, 'src/client.d.ts')
const SAMPLE = readFileSync(join(import.meta.dir, 'sample.ts'), 'utf8')

/** A project of a stranger's, with Exoix and Eden among its packages. */
function strangersProject() {
  const folder = temporaryFolder()
  const at = (...path: string[]) => join(folder.path, ...path)
  mkdirSync(at('node_modules/@elysiajs'), { recursive: true })
  mkdirSync(at('node_modules/exoix/src'), { recursive: true })
  for (const name of ['elysia', '@elysiajs/eden'])
    symlinkSync(join(ROOT, 'node_modules', name), at('node_modules', name))
  copyFileSync(join(ROOT, 'package.json'), at('node_modules/exoix/package.json'))
  copyFileSync(TYPES, at('node_modules/exoix/src/client.d.ts'))
  writeFileSync(at('package.json'), '{"type":"module"}')
  return { ...folder, at }
}

/** What the compiler says of the stranger's files; nothing when they are right. */
async function compile(
  project: ReturnType<typeof strangersProject>,
  module: string,
  resolution: string,
): Promise<string> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module,
    moduleResolution: resolution,
    skipLibCheck: true,
    types: [],
  }
  const settings = {
    compilerOptions: { ...compilerOptions, target: 'ES2022', lib: ['ES2022', 'DOM'] },
    files: ['app.ts'],
  }
  writeFileSync(project.at('tsconfig.json'), JSON.stringify(settings))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  await using compiling = start([process.execPath, tsc, '--pretty', 'false'], { cwd: project.path })
  await compiling.exited
  return compiling.output()
}

describe('the types for Eden Treaty', () => {
  test('are what the API document says (if not: bun run client-types)', async () => {
    await using server = startServer()
    const document = (await (await server.get('/swagger/json')).json()) as Document
    expect(readFileSync(TYPES, 'utf8')).toBe(clientTypes(document))
  })

  test.each([
    ['a bundler', 'ESNext', 'Bundler'],
    ['Node', 'NodeNext', 'NodeNext'],
  ])('let right code compile and wrong code not, in a project for %s', async (_, module, resolution) => {
    using project = strangersProject()
    writeFileSync(project.at('app.ts'), SAMPLE)
    expect(await compile(project, module, resolution)).toBe('')
  })

  test('find each mistake in the sample', async () => {
    using project = strangersProject()
    writeFileSync(project.at('app.ts'), SAMPLE.replaceAll('// @ts-expect-error', '//'))
    const mistakes = (await compile(project, 'ESNext', 'Bundler')).match(/error TS\d+/g) ?? []
    expect(mistakes.length).toBe(SAMPLE.match(/@ts-expect-error/g)?.length ?? 0)
    // Nothing is "any", and nothing is simply missing.
    expect(mistakes).not.toContain('error TS2307')
  })

  test('work as a single file that was downloaded', async () => {
    using project = strangersProject()
    copyFileSync(TYPES, project.at('exoix-api.d.ts'))
    writeFileSync(project.at('app.ts'), SAMPLE.replace("'exoix/client'", "'./exoix-api.js'"))
    expect(await compile(project, 'NodeNext', 'NodeNext')).toBe('')
  })
})
