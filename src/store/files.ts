import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { HOUR } from '../lib/clock.ts'
import { APPLICATION_ID } from './migrations.ts'

export const MEMORY = ':memory:'

/** What SQLite puts beside a database, and the lock. */
const BESIDE = ['-wal', '-shm', '-journal', '.lock']

const OWNER_ONLY = 0o600

/** The file a setting means: absolute, links followed, so that every process agrees on its lock. */
export function databaseFile(path: string): string {
  return path === MEMORY ? path : target(resolve(path))
}

/** Where a path leads, also one whose last link leads to what is not there yet: SQLite would make it there. */
function target(path: string, links = 0): string {
  if (existsSync(path)) return realpathSync(path)
  const folder = dirname(path)
  const place = existsSync(folder) ? join(realpathSync(folder), basename(path)) : path
  const isLink = lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  return isLink && links < 40 ? target(resolve(dirname(place), readlinkSync(place)), links + 1) : place
}

/**
 * Makes the file when it is not there, for its owner alone from the first byte; SQLite gives what it puts beside it the
 * same mode. Says nothing of what cannot be done: SQLite will.
 * @param owned what root makes belongs to whom this belongs to; null: to root
 */
export function createPrivate(file: string, owned: string | null = dirname(file)): void {
  attempt(() => create(file, owned))
}

/** Shuts a file of ours that everybody may read, as earlier versions made it, and what is beside it. */
export function shutOut(file: string): void {
  for (const path of [file, ...BESIDE.map(suffix => file + suffix)]) attempt(() => shut(path))
}

/** Not opened when it is there: closing it again would drop every lock this process has on it. */
function create(file: string, owned: string | null): void {
  if (existsSync(file)) return
  closeSync(openSync(file, 'wx', OWNER_ONLY))
  if (owned !== null) giveTo(file, statSync(owned))
}

function shut(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode !== undefined && isOpenToAll(mode)) chmodSync(path, mode & 0o700)
}

/** A group that was let in was let in on purpose. */
const isOpenToAll = (mode: number) => (mode & 0o007) !== 0

/** What root makes belongs to whom it is made for, who could not open it else. */
function giveTo(path: string, { uid, gid }: Pick<Stats, 'uid' | 'gid'>): void {
  if (process.getuid?.() === 0) attempt(() => chownSync(path, uid, gid))
}

/** Makes one file as open as another: its owner, and who may read it besides; never everybody. */
export function makeLike(path: string, other: Stats): void {
  attempt(() => chmodSync(path, isOpenToAll(other.mode) ? OWNER_ONLY : other.mode & 0o777))
  giveTo(path, other)
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // What matters is told by whoever uses the file next.
  }
}

/** What tells one file from another that has its name. */
export function identityOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`
}

export function makeDurable(path: string): void {
  // Windows knows no such thing for folders.
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Under which name a copy is written until it is whole. */
export const partialOf = (file: string) => `${file}.partial-${process.pid}`

/** A copy takes no longer than this to be written, so an older one is nobody's any more. Milliseconds. */
const OLD = HOUR

/** Removes copies in the folder that were never finished, because the process that wrote them was killed. */
export function removeLeftovers(folder: string): void {
  attempt(() => {
    for (const name of readdirSync(folder)) {
      const pid = /\.partial-(\d+)(?:-journal|-wal|-shm)?$/.exec(name)?.[1]
      if (pid === undefined) continue
      const path = join(folder, name)
      if (isAbandoned(path, Number(pid)) && isOurs(path)) attempt(() => rmSync(path, { force: true }))
    }
  })
}

function isAbandoned(path: string, pid: number): boolean {
  if (pid === process.pid) return false
  if (Date.now() - statSync(path).mtimeMs > OLD) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as { code?: unknown }).code === 'ESRCH'
  }
}

/** Whether a file begins as a copy of ours does, however far it has come. Source: SQLite docs, "The Database Header". */
function isOurs(path: string): boolean {
  const header = Buffer.alloc(100)
  const descriptor = openSync(path, 'r')
  try {
    readSync(descriptor, header)
  } finally {
    closeSync(descriptor)
  }
  return (
    header.every(byte => byte === 0) || header.readUInt32BE(68) === APPLICATION_ID || /-(journal|wal|shm)$/.test(path)
  )
}
