import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')

/** A folder of one's own, removed with what is in it. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'exoix-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Builds the executable as `bun run build` does, into the folder; its path. */
export async function buildExecutable(folder: string): Promise<string> {
  const outfile = join(folder, 'exoix')
  const build = Bun.spawn([process.execPath, 'run', 'build', `--outfile=${outfile}`], {
    cwd: ROOT,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  if ((await build.exited) !== 0) throw new Error(await new Response(build.stderr).text())
  return outfile
}

/** A running program whose output can be waited for. */
export interface Running extends AsyncDisposable {
  readonly pid: number
  readonly exited: Promise<number>
  /** Everything written to both outputs so far. */
  output(): string
  /** Resolves with the match once the output has it; rejects when the program ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
}

export function start(command: readonly string[], options: { cwd: string; env?: Record<string, string> }): Running {
  const child = Bun.spawn([...command], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', HOME: options.cwd, ...options.env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
  })
  /** The whole process group, as a terminal does: what the program started has to go with it. */
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal)
  }
  let text = ''
  const watchers = new Set<() => void>()
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true })
      for (const watcher of watchers) watcher()
    }
  }
  const ended = Promise.all([read(child.stdout), read(child.stderr), child.exited])

  return {
    pid: child.pid,
    exited: ended.then(([, , code]) => code),
    output: () => text,
    kill,
    says: pattern =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text)
          if (match === null) return
          watchers.delete(look)
          resolve(match)
        }
        watchers.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without saying ${pattern}:\n${text}`)))
      }),
    async [Symbol.asyncDispose]() {
      kill('SIGKILL')
      await ended
    },
  }
}
