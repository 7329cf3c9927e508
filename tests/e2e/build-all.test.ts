import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json'
import { start, temporaryFolder } from '../support/executable.ts'

const SCRIPT = join(import.meta.dir, '../../.ci/build-all.ts')
const HERE = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
const ELSEWHERE = HERE === 'linux-arm64' ? 'darwin-x64' : 'linux-arm64'

const buildAll = (folder: string, args: readonly string[], env: Record<string, string> = {}) =>
  start([process.execPath, SCRIPT, `--outdir=${join(folder, 'out')}`, ...args], { cwd: folder, env })

describe.skipIf(process.platform !== 'linux')('executables for every machine', () => {
  test('what cannot be had is named and left out, the rest is built and summed up, and the exit code is 1', async () => {
    using folder = temporaryFolder()
    // Nothing listens there, and nothing was kept from before.
    const cutOff = { BUN_COMPILE_TARGET_TARBALL_URL: 'http://127.0.0.1:9/', BUN_INSTALL_CACHE_DIR: folder.path }
    await using building = buildAll(folder.path, [ELSEWHERE, HERE], cutOff)
    expect(await building.exited).toBe(1)
    expect(building.output()).toContain(`not built: ${ELSEWHERE}\n`)
    expect(readdirSync(join(folder.path, 'out')).sort()).toEqual(['SHA256SUMS', `exoix-${HERE}`])

    await using sums = start(['sha256sum', '--check', '--strict', 'SHA256SUMS'], { cwd: join(folder.path, 'out') })
    expect([await sums.exited, sums.output()]).toEqual([0, `exoix-${HERE}: OK\n`])
    await using version = start([join(folder.path, 'out', `exoix-${HERE}`), '--version'], { cwd: folder.path })
    expect([await version.exited, version.output()]).toEqual([0, `${packageJson.version}\n`])
  })

  test('a target nobody knows is refused before anything is built', async () => {
    using folder = temporaryFolder()
    await using building = buildAll(folder.path, ['amiga-68k'])
    expect([await building.exited, building.output()]).toEqual([1, expect.stringContaining('linux-x64')])
    expect(existsSync(join(folder.path, 'out'))).toBe(false)
  })
})
