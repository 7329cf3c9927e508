#!/usr/bin/env bun
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '../package.json' with { type: 'json' }

const ROOT = join(import.meta.dir, '..')
const ENTRIES = ['client', 'element', 'react', 'vue', 'svelte']
const FRAMEWORKS = { react: '>=18', vue: '>=3.3', svelte: '>=4' }

/**
 * `bun run client-package [folder]`: writes the client as a package for npm, by default into dist/client: modules with
 * types, without dependencies. A framework is needed by whoever imports its adapter, and by nobody else.
 */
const folder = process.argv[2] ?? join(ROOT, 'dist/client')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const built = await Bun.build({
  entrypoints: ENTRIES.map(name => join(ROOT, 'src/client', `${name}.ts`)),
  outdir: folder,
  target: 'browser',
  format: 'esm',
  // What two entries share is in one module: followers of one service share a socket.
  splitting: true,
  packages: 'external',
})
if (!built.success) throw new AggregateError(built.logs, 'the client cannot be built')

const types = Bun.spawnSync(
  [
    join(ROOT, 'node_modules/.bin/tsc'),
    ...['--declaration', '--emitDeclarationOnly', '--rewriteRelativeImportExtensions', '--outDir', folder],
    ...[
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
      '--target',
      'es2022',
      '--lib',
      'es2024,dom,dom.iterable',
    ],
    ...['--strict', '--skipLibCheck', '--types', '', '--ignoreConfig'],
    ...ENTRIES.map(name => join(ROOT, 'src/client', `${name}.ts`)),
  ],
  { cwd: ROOT },
)
if (types.exitCode !== 0) throw new Error(`the types of the client cannot be written:\n${types.stdout}${types.stderr}`)

cpSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
const exported = (name: string) => ({ types: `./${name}.d.ts`, default: `./${name}.js` })
const manifest = {
  name: 'exoix-client',
  version,
  description: 'Follow Discord presences that Exoix serves',
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  exports: {
    '.': exported('client'),
    './element': exported('element'),
    ...Object.fromEntries(Object.keys(FRAMEWORKS).map(name => [`./${name}`, exported(name)])),
  },
  peerDependencies: FRAMEWORKS,
  peerDependenciesMeta: Object.fromEntries(Object.keys(FRAMEWORKS).map(name => [name, { optional: true }])),
}
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
