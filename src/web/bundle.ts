import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Code for browsers, from modules in TypeScript: each entry with all it imports, as text. A macro: it runs where Exoix is
 * built, or read from source, and its answer stands in the place of the call. So the executable needs no bundler.
 * `iife` is a plain script that leaves no names behind, `esm` a module.
 */
export function bundle(format: 'iife' | 'esm', ...entries: string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'exoix-bundle-'))
  const files = entries.map(entry => join(import.meta.dir, entry))
  const flags = [
    '--target=browser',
    '--minify',
    `--format=${format}`,
    '--outdir',
    folder,
    '--entry-naming',
    '[name].js',
  ]
  // A process of its own: the bundler that waits for this macro cannot bundle for it.
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, 'build', ...files, ...flags])
  if (exitCode !== 0) throw new Error(`the code for browsers cannot be bundled: ${stderr}`)
  const scripts = entries.map(entry => readFileSync(join(folder, `${/(\w+)\.ts$/.exec(entry)?.[1]}.js`), 'utf8'))
  rmSync(folder, { recursive: true })
  return scripts
}
