import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Code for browsers, from modules in TypeScript: each entry with all it imports, as the text of one module. A macro: it
 * runs where Exoix is built, or read from source, and its answer stands in the place of the call. So the executable needs
 * no bundler.
 */
export function bundle(...entries: string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'exoix-bundle-'))
  const files = entries.map(entry => join(import.meta.dir, entry))
  const flags = ['--target=browser', '--minify', '--format=esm', '--outdir', folder, '--entry-naming', '[name].js']
  // A process of its own: the bundler that waits for this macro cannot bundle for it.
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, 'build', ...files, ...flags])
  if (exitCode !== 0) throw new Error(`the code for browsers cannot be bundled: ${stderr}`)
  const modules = entries.map(entry => readFileSync(join(folder, `${/(\w+)\.ts$/.exec(entry)?.[1]}.js`), 'utf8'))
  rmSync(folder, { recursive: true })
  return modules
}
