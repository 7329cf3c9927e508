import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, start, temporaryFolder } from '../support/executable.ts'

/** The Dockerfile as podman (and buildah in it) builds it, from bases made of what this machine has. */
const ROOT = join(import.meta.dir, '../..')

/** What the Dockerfile starts from, as far as it uses it: Bun with a shell, and Debian's C library. */
const BASES = `set -eu
bun=$1/bun
mkdir -p "$bun/bin" "$bun/usr/bin" "$bun/usr/local/bin" "$bun/tmp" "$bun/etc" "$bun/root"
chmod 1777 "$bun/tmp"
ln -s ../../bin/env "$bun/usr/bin/env"
copy() {
  cp -L "$1" "$bun/$2"
  ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$bun$(dirname "$library")"
    cp -L "$library" "$bun$library"
  done
}
for name in sh sed cp mkdir chmod chown cat dirname basename env; do copy "$(command -v $name)" "bin/$name"; done
copy "$2" usr/local/bin/bun
echo root:x:0:0::/root:/bin/sh > "$bun/etc/passwd"
debian=$1/debian/usr/lib/x86_64-linux-gnu
mkdir -p "$debian"
for name in ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0; do
  cp -L "/usr/lib/x86_64-linux-gnu/$name" "$debian"
done
printf 'FROM scratch\\nCOPY . /\\nENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/root\\n' > "$1/Base"
`

/** Lets go of file systems that a build has left mounted. */
const RELEASE = `grep -o " $1/[^ ]*" /proc/mounts | sort -r | while read -r place; do umount -l "$place"; done`

const possible =
  process.getuid?.() === 0 &&
  process.arch === 'x64' &&
  ['podman', 'runc', 'ldd'].every(name => Bun.which(name) !== null) &&
  Bun.spawnSync(['unshare', '--mount', 'true']).exitCode === 0

describe.skipIf(!possible)('an image built by podman (skipped where it is not installed, or may not be used)', () => {
  const folder = temporaryFolder()
  const podman = (...args: readonly string[]): Running =>
    start(
      [
        'podman',
        ...['--root', join(folder.path, 'root'), '--runroot', join(folder.path, 'run'), '--storage-driver', 'overlay'],
        ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--runtime', 'runc'],
        ...args,
      ],
      { cwd: ROOT, env: { BUILDAH_ISOLATION: 'chroot' } },
    )

  async function done(running: Running): Promise<string> {
    if ((await running.exited) !== 0) throw new Error(running.output())
    return running.output()
  }

  beforeAll(async () => {
    const bases = Bun.spawnSync(['sh', '-c', BASES, 'sh', folder.path, process.execPath], { stderr: 'inherit' })
    expect(bases.exitCode).toBe(0)
    for (const [tag, base] of [
      ['docker.io/oven/bun:1.4.5-debian', 'bun'],
      ['docker.io/library/debian:13-slim', 'debian'],
    ] as const) {
      await done(podman('build', '--quiet', '--file', join(folder.path, 'Base'), '--tag', tag, join(folder.path, base)))
    }
    const cache = Bun.spawnSync([process.execPath, 'pm', 'cache'], { cwd: ROOT }).stdout.toString().trim()
    const options = ['--pull=never', '--format', 'docker', '--volume', `${cache}:/root/.bun/install/cache`]
    await done(podman('build', ...options, '--tag', 'exoix', '.'))
  }, 600_000)

  afterAll(() => {
    Bun.spawnSync(['sh', '-c', RELEASE, 'sh', folder.path])
    folder[Symbol.dispose]()
  }, 120_000)

  const run = (...args: readonly string[]) =>
    podman(
      ...['run', '--rm', '--pull', 'never', '--network', 'host', '--read-only'],
      ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096', '--no-healthcheck'],
      ...args,
    )

  test('says its version, as its own user on a file system it may not change', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect((await done(run('exoix', '--version'))).trim()).toBe(version)
    const [image] = JSON.parse(await done(podman('inspect', 'exoix'))) as Record<string, unknown>[]
    expect(image).toMatchObject({
      Config: { User: '65532:65532', Entrypoint: ['/exoix'] },
      Healthcheck: { Test: ['CMD', '/exoix', 'health'] },
    })
  }, 60_000)

  test('serves, and keeps its database where its user may write', async () => {
    const settings = { HOST: '127.0.0.1', PORT: '0', BOT_TOKEN: 'x', DISCORD_API_URL: 'http://127.0.0.1:9' }
    const env = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`])
    await using server = run(...env, 'exoix')
    const [, url = ''] = await server.says(/"url":"(\S+?)"/)
    expect((await fetch(`${url}/v1/users/1`)).status).toBe(503)
    server.kill('SIGTERM')
    expect(await server.exited).toBe(0)
  }, 60_000)
})
