#!/usr/bin/env bun
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * No builds for x64 without AVX2 beside these: with Bun 1.4.5 "bun-linux-x64-baseline" is the same file, byte for byte,
 * which chooses its instructions while it runs and wants SSE4.2.
 *
 * How the first bytes of an executable for each machine begin: what was fetched from elsewhere is looked at.
 */
const TARGETS: Readonly<Record<string, (bytes: DataView) => boolean>> = {
  'linux-x64': elf(0x3e),
  'linux-x64-musl': elf(0x3e),
  'linux-arm64': elf(0xb7),
  'linux-arm64-musl': elf(0xb7),
  'darwin-x64': macho(0x01000007),
  'darwin-arm64': macho(0x0100000c),
  'windows-x64': pe(0x8664),
}

const ROOT = join(import.meta.dir, '..')
const HEADER = 4096

/**
 * `bun run build:all [--outdir=dist] [target…]`: executables for every machine, from one, and their SHA256SUMS. Bun
 * fetches itself for the other machines, through HTTPS_PROXY if set, and keeps it in BUN_INSTALL_CACHE_DIR. A target
 * that cannot be had is named, the rest is built, and the exit code is 1.
 */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { outdir: { type: 'string' } } })
  const unknown = positionals.filter(name => !Object.hasOwn(TARGETS, name))
  if (unknown.length > 0) {
    console.error(`no such target: ${unknown.join(', ')}. There are: ${Object.keys(TARGETS).join(', ')}`)
    return 1
  }
  const folder = resolve(values.outdir ?? join(ROOT, 'dist'))
  mkdirSync(folder, { recursive: true })
  const built: string[] = []
  const failed: string[] = []
  for (const target of positionals.length > 0 ? positionals : Object.keys(TARGETS)) {
    const file = await build(target, folder)
    if (file === null) failed.push(target)
    else built.push(file)
  }
  await Bun.write(join(folder, 'SHA256SUMS'), (await Promise.all(built.map(file => checksum(folder, file)))).join(''))
  console.log(`built ${built.length} of ${built.length + failed.length} in ${folder}`)
  if (failed.length > 0) console.error(`not built: ${failed.join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

/** The name of the executable, or null when it could not be built; the reason has been told. */
async function build(target: string, folder: string): Promise<string | null> {
  const path = join(folder, `exoix-${target}`)
  const file = target.startsWith('windows') ? `exoix-${target}.exe` : `exoix-${target}`
  rmSync(join(folder, file), { force: true })
  const child = Bun.spawn([process.execPath, 'run', 'build', `--target=bun-${target}`, `--outfile=${path}`], {
    cwd: ROOT,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const told = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const good = (await child.exited) === 0 && (await isFor(target, join(folder, file)))
  // The executable carries its source maps; the second copies beside it are for nobody.
  for (const map of [`${path}.map`, join(folder, 'worker.js.map')]) rmSync(map, { force: true })
  console.log(`${good ? 'ok   ' : 'WRONG'} ${file}`)
  if (good) return file
  console.error((await told).join('').trim())
  rmSync(join(folder, file), { force: true })
  return null
}

async function isFor(target: string, path: string): Promise<boolean> {
  const header = await Bun.file(path).slice(0, HEADER).arrayBuffer()
  const good = header.byteLength === HEADER && TARGETS[target]?.(new DataView(header)) === true
  if (!good) console.error(`${path} is no executable for ${target}`)
  return good
}

/** A line of `sha256sum`, which `sha256sum -c` reads. */
async function checksum(folder: string, file: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const chunk of Bun.file(join(folder, file)).stream()) hasher.update(chunk)
  return `${hasher.digest('hex')}  ${file}\n`
}

/** Source: System V ABI, "ELF Header". */
function elf(machine: number) {
  return (bytes: DataView) => bytes.getUint32(0) === 0x7f454c46 && bytes.getUint16(18, true) === machine
}

/** Source: Apple's mach-o/loader.h. */
function macho(cpu: number) {
  return (bytes: DataView) => bytes.getUint32(0, true) === 0xfeedfacf && bytes.getUint32(4, true) === cpu
}

/** Source: Microsoft's "PE Format". */
function pe(machine: number) {
  return (bytes: DataView) => {
    const start = bytes.getUint32(0x3c, true)
    return bytes.getUint16(0) === 0x4d5a && start < HEADER - 6 && bytes.getUint16(start + 4, true) === machine
  }
}

process.exit(await main())
