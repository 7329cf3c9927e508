import { describe, expect, test } from 'bun:test'
import { type Import, longFunctions, readModule, readModules } from './support/modules.ts'

const LONGEST_FILE = 280
const LONGEST_FUNCTION = 60
const LONGEST_CHAIN = 10

/** Files that are one table each: long because there is much to list. */
const TABLES: readonly string[] = []

/** What is still being mended, by the name of the test. What is mended leaves this list, and nothing is added to it. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  'no function is longer than 60 lines': [],
}

const CONFIG = 'src/config.ts'
/** They know nothing of the rest: the base, what must not share a mistake with what it tests, and what others take along. */
const SEALED = ['lib', 'simulator', 'client']
const modules = readModules('src')

interface Edge extends Omit<Import, 'target'> {
  readonly from: string
  readonly to: string
}

const edges: readonly Edge[] = [...modules.values()].flatMap(({ path, imports }) =>
  imports
    .filter(({ target }) => target.startsWith('src/'))
    .map(({ target, ...rest }) => ({ ...rest, from: path, to: target })),
)

/** Which room a file is in; the root is '' and the command line belongs to it. */
function roomOf(path: string): string {
  const [, room = '', ...rest] = path.split('/')
  return rest.length === 0 || room === 'commands' ? '' : room
}

const isRoot = (path: string) => roomOf(path) === ''

function mayImport(from: string, to: string): boolean {
  if (roomOf(from) === roomOf(to) || isRoot(from)) return true
  if (SEALED.includes(roomOf(from))) return false
  if (roomOf(to) === 'lib') return true
  if (roomOf(from) === 'domain') return false
  if (roomOf(to) === 'domain' || to === CONFIG) return true
  if (roomOf(from) === 'web' && roomOf(to) === 'client') return true
  return roomOf(from) === 'http' && (roomOf(to) === 'card' || roomOf(to) === 'web')
}

const say = ({ from, to }: Edge) => `${from} imports ${to}`

/** A rule about src/ as a test: it gives every place that breaks it. */
function rule(sentence: string, broken: () => readonly string[]): void {
  test(sentence, () => {
    const places = [...new Set(broken())].sort()
    expect(places).toEqual([...(KNOWN[sentence] ?? [])].sort())
  })
}

describe('the walls between the rooms', () => {
  rule('lib knows nothing of the rest, the domain only lib, a room these two, and the root all of them', () =>
    edges.filter(({ from, to }) => !mayImport(from, to)).map(say),
  )

  rule('a room takes nothing of the settings but their type', () =>
    edges
      .filter(({ from, to, names }) => to === CONFIG && !isRoot(from) && `${names}` !== 'Config')
      .map(({ from, names }) => `${from} takes ${names.join(' and ')}`),
  )

  for (const room of ['card', 'web']) {
    rule(`http looks into ${room} in one file`, () => {
      const users = edges
        .filter(({ from, to }) => roomOf(from) === 'http' && roomOf(to) === room)
        .map(({ from }) => from)
      return new Set(users).size > 1 ? users : []
    })
  }

  rule('nobody but the demo imports the simulator', () =>
    edges
      .filter(({ from, to }) => roomOf(to) === 'simulator' && roomOf(from) !== 'simulator')
      .filter(({ from }) => from !== 'src/commands/demo.ts')
      .map(say),
  )
})

/** Modules that run because this one does. */
const runs = new Map(
  [...modules.keys()].map(path => {
    const onward = edges.filter(
      ({ from, to, typeOnly, asset }) => from === path && !typeOnly && !asset && modules.has(to),
    )
    return [path, onward.map(({ to }) => to)]
  }),
)

/** The longest way from a module to one that imports none, and the circles met on the way. */
function longestChain(start: string): { chain: readonly string[]; circles: readonly string[] } {
  const known = new Map<string, readonly string[]>()
  const circles: string[] = []
  const visit = (path: string, above: readonly string[]): readonly string[] => {
    if (above.includes(path)) {
      circles.push([...above.slice(above.indexOf(path)), path].join(' → '))
      return []
    }
    const chains = (runs.get(path) ?? []).map(next => known.get(next) ?? visit(next, [...above, path]))
    const chain = [path, ...(chains.sort((one, other) => other.length - one.length)[0] ?? [])]
    known.set(path, chain)
    return chain
  }
  return { chain: visit(start, []), circles }
}

describe('the way through the modules', () => {
  rule('no module imports itself through others', () => [...runs.keys()].flatMap(path => longestChain(path).circles))

  rule(`the longest way from main.ts to the bottom is ${LONGEST_CHAIN} files`, () => {
    const { chain } = longestChain('src/main.ts')
    return chain.length > LONGEST_CHAIN ? [chain.join(' → ')] : []
  })

  rule('every imported file is there', () =>
    edges.filter(({ to, asset }) => !asset && !modules.has(to) && !to.endsWith('.d.ts')).map(say),
  )
})

describe('the size of things', () => {
  rule(`no file but a table is longer than ${LONGEST_FILE} lines`, () =>
    [...modules.values()]
      .filter(({ path, lines }) => lines.length > LONGEST_FILE && !TABLES.includes(path))
      .map(({ path }) => path),
  )

  rule(`no function is longer than ${LONGEST_FUNCTION} lines`, () =>
    [...modules.values()].flatMap(module =>
      longFunctions(module, LONGEST_FUNCTION).map(({ name }) => `${module.path} ${name}`),
    ),
  )

  test('every table that may be long is there and is long', () => {
    expect(TABLES.filter(path => (modules.get(path)?.lines.length ?? 0) <= LONGEST_FILE)).toEqual([])
  })
})

describe('the reader of modules', () => {
  const TEXT = `
import { readFile } from 'node:fs'
import type { One } from './one.ts'
import { type Two, three as four } from '../two.ts'
import {
  type Five,
  type Six,
} from './five.ts'
import whole, * as all from './whole.ts'
import './side.ts'
import page from './page.js' with { type: 'text' }
export { seven } from './seven.ts'
export const eight = () => import('./eight.ts')
type Nine = import('./nine.ts').Nine
`

  test('finds every way to import', () => {
    const { imports } = readModule('src/room/file.ts', TEXT)
    const named = imports.map(({ target, names, typeOnly, asset }) => {
      return `${target} ${names}${typeOnly ? ' type' : ''}${asset ? ' asset' : ''}`
    })
    expect(named).toEqual([
      'node:fs readFile',
      'src/room/one.ts One type',
      'src/two.ts Two,three',
      'src/room/five.ts Five,Six type',
      'src/room/whole.ts default',
      'src/room/side.ts ',
      'src/room/page.js default asset',
      'src/room/seven.ts seven',
      'src/room/eight.ts *',
      'src/room/nine.ts * type',
    ])
  })

  test('measures declarations, methods and arrows, however long their heads are', () => {
    const body = (indent: string) => Array.from({ length: 5 }, (_, line) => `${indent}  line${line}()`).join('\n')
    const text = [
      `export function one({\n  a,\n}: Options): void {\n${body('')}\n}`,
      `const two = (\n  a: string,\n): void => {\n${body('')}\n}`,
      `class Three {\n  async #four(\n    a: string,\n  ) {\n${body('  ')}\n  }\n\n  five() {}\n}`,
      `if (six) {\n${body('')}\n}`,
    ].join('\n\n')
    expect(longFunctions(readModule('src/file.ts', text), 4)).toEqual([
      { name: 'one', lines: 5 },
      { name: 'two', lines: 5 },
      { name: '#four', lines: 5 },
    ])
    expect(longFunctions(readModule('src/file.ts', text), 5)).toEqual([])
  })
})
