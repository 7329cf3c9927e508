import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json'

const ROOT = join(import.meta.dir, '../..')
const FOLDER = join(ROOT, '.github/workflows')

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly id?: string
}
interface Job {
  readonly steps?: readonly Step[]
  readonly uses?: string
  readonly needs?: string | readonly string[]
  readonly 'runs-on'?: string
  readonly 'timeout-minutes'?: number
  readonly outputs?: Record<string, string>
  readonly strategy?: { readonly matrix: { readonly include: readonly { archive: string }[] } }
}
interface Workflow {
  readonly permissions: Record<string, string>
  readonly jobs: Record<string, Job>
}

const workflows = readdirSync(FOLDER).map(name => {
  const text = readFileSync(join(FOLDER, name), 'utf8')
  return { name, text, ...(Bun.YAML.parse(text) as Workflow) }
})

/** A place in the project that runs commands. */
const COMMANDS = [
  ...workflows.flatMap(({ name, jobs }) =>
    Object.values(jobs).flatMap(({ steps = [] }) => steps.map(({ run = '' }) => [name, run] as const)),
  ),
  ['Dockerfile', readFileSync(join(ROOT, 'Dockerfile'), 'utf8')] as const,
  ['.ci/run', readFileSync(join(ROOT, '.ci/run'), 'utf8')] as const,
  ...['README.md', 'docs/operating.md'].map(path => [path, readFileSync(join(ROOT, path), 'utf8')] as const),
]

/** Every match of the pattern's group in the commands, with where it stands. */
const named = (pattern: RegExp) =>
  COMMANDS.flatMap(([place, text]) => [...text.matchAll(pattern)].map(([, found = '']) => `${place}: ${found}`))

const after = (entry: string) => entry.slice(entry.indexOf(': ') + 2)

describe('what runs elsewhere', () => {
  test('names scripts that exist', () => {
    const scripts = named(/\bbun(?:@[\d.]+)? run ([\w:-]+)/g)
    expect(scripts.length).toBeGreaterThan(5)
    expect(scripts.filter(entry => !Object.hasOwn(packageJson.scripts, after(entry)))).toEqual([])
    const files = named(/\bbash (\.ci\/[\w.-]+)/g)
    expect(files.length).toBeGreaterThan(2)
    expect(files.filter(entry => !existsSync(join(ROOT, after(entry))))).toEqual([])
  })

  test('runs the Bun the project is pinned to', () => {
    const versions = new Set(named(/\b(?:oven\/bun:|bun@)(\d+\.\d+\.\d+)/g).map(after))
    expect([...versions]).toEqual([packageJson.engines.bun])
  })

  test('takes no action without a version, and may only read unless a job says otherwise', () => {
    for (const { name, permissions, jobs } of workflows) {
      expect([name, permissions]).toEqual([name, { contents: 'read' }])
      for (const { uses, steps = [] } of Object.values(jobs)) {
        const actions = [uses, ...steps.map(step => step.uses)].filter(action => action !== undefined)
        expect(actions.filter(action => !/^(\.\/|[\w.-]+\/[\w./-]+@v\d+)/.test(action))).toEqual([])
      }
    }
  })

  test('calls workflows that exist, waits for jobs that exist, and never for ever', () => {
    for (const { jobs } of workflows) {
      for (const [name, job] of Object.entries(jobs)) {
        expect([job.needs ?? []].flat().filter(needed => !Object.hasOwn(jobs, needed))).toEqual([])
        if (job.uses?.startsWith('./')) expect(existsSync(join(ROOT, job.uses))).toBe(true)
        else
          expect([name, job['runs-on'], job['timeout-minutes']]).toEqual([name, expect.any(String), expect.any(Number)])
      }
    }
  })

  test('reads outputs of steps and jobs that have them', () => {
    for (const { text, jobs } of workflows) {
      const ids = Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ id }) => id ?? []))
      for (const [, id = ''] of text.matchAll(/\bsteps\.([\w-]+)\.outputs/g)) expect(ids).toContain(id)
      for (const [, job = '', output = ''] of text.matchAll(/\bneeds\.([\w-]+)\.outputs\.([\w-]+)/g))
        expect(jobs[job]?.outputs).toHaveProperty(output)
    }
  })

  test('tries every executable that is released, on a machine of its kind', () => {
    const targets = [...readFileSync(join(ROOT, '.ci/build-all.ts'), 'utf8').matchAll(/^ {2}'([\w-]+)':/gm)]
    const released = targets.map(
      ([, target = '']) => `exoix-${target}.${target.startsWith('windows') ? 'zip' : 'tar.gz'}`,
    )
    const tried = workflows.flatMap(({ jobs }) =>
      Object.values(jobs).flatMap(({ strategy }) => strategy?.matrix.include.map(({ archive }) => archive) ?? []),
    )
    expect(tried.sort()).toEqual(released.sort())
  })
})
