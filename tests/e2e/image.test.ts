import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildExecutable, start, temporaryFolder } from '../support/executable.ts'

/**
 * What the image's last stage holds, made by the script that the Dockerfile runs, run the way a container engine runs it:
 * a root of its own, /proc and /dev from the engine, the image's user.
 */
const DOCKERFILE = readFileSync(join(import.meta.dir, '../../Dockerfile'), 'utf8')
const ROOTFS_SCRIPT = join(import.meta.dir, '../../.ci/rootfs')
const USER = /^USER (\S+)/m.exec(DOCKERFILE)?.[1] ?? ''

const RUN = `set -eu
root=$1; user=$2; shift 2
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
exec chroot --userspec="$user" "$root" "$@"
`

const mayUnshare = Bun.spawnSync(['unshare', '--mount', '--pid', '--fork', 'true']).exitCode === 0

/** The folder of the C library, as the image's Debian has it. */
const LIBRARIES = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`
const isDebian = existsSync(join(LIBRARIES, 'libc.so.6'))

describe.skipIf(!mayUnshare || !isDebian)('the image (skipped without the right to make a namespace)', () => {
  const folder = temporaryFolder()
  const root = join(folder.path, 'root')
  const runner = join(folder.path, 'run.sh')

  beforeAll(async () => {
    const executable = await buildExecutable(folder.path)
    writeFileSync(runner, RUN)
    expect(Bun.spawnSync(['sh', ROOTFS_SCRIPT, executable, LIBRARIES, root]).exitCode).toBe(0)
    mkdirSync(join(root, 'proc'))
    mkdirSync(join(root, 'dev'))
  }, 60_000)

  afterAll(() => folder[Symbol.dispose]())

  const inside = (args: readonly string[], env: Record<string, string>) =>
    start(['unshare', '--mount', '--pid', '--fork', 'sh', runner, root, USER, ...args], {
      cwd: folder.path,
      env,
    })

  test('has no shell', () => {
    for (const shell of ['bin/sh', 'bin/bash', 'bin/busybox']) expect(existsSync(join(root, shell))).toBe(false)
  })

  test('serves as its own user, and its health check finds it', async () => {
    await using demo = inside(['/exoix', 'demo'], { HOST: '127.0.0.1', PORT: '0' })
    const [, port = ''] = await demo.says(/curl http:\/\/127\.0\.0\.1:(\d+)/)
    expect((await fetch(`http://127.0.0.1:${port}/v1/users/1`)).status).toBe(404)
    await using health = inside(['/exoix', 'health'], { PORT: port })
    expect([await health.exited, health.output().trim()]).toEqual([0, 'ready'])
  })

  test('keeps its database in the data folder its user may write to', async () => {
    const env = {
      HOST: '127.0.0.1',
      PORT: '0',
      BOT_TOKEN: 'x',
      DISCORD_API_URL: 'http://127.0.0.1:9',
      DATABASE_PATH: '/data/exoix.db',
    }
    await using server = inside(['/exoix'], env)
    await server.says(/listening/)
    expect(existsSync(join(root, 'data/exoix.db'))).toBe(true)
  })
})
