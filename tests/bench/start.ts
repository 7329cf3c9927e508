import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Upstream } from './processes/exoix.ts'
import { alternate, type Benchmark } from './support/benchmark.ts'
import { withChildren } from './support/child.ts'

const ROOT = join(import.meta.dir, '../..')
const HELLO = "Bun.serve({ port: Number(process.env.PORT), hostname: '127.0.0.1', fetch: () => new Response('hello') })"
/** As the project's own build, so that the same work is compared. */
const FLAGS = ['--format=esm', '--bytecode', '--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig']
/** A start is short; its median needs more of them. Rounds. */
const AT_LEAST = 10

/** The executable's spawn to its first HTTP answer, in an empty folder, beside an executable that only says hello. */
export const benchmark: Benchmark = {
  name: 'start',
  run: ({ rounds, say }) =>
    withChildren(['discord'], async discord => {
      const folder = await mkdtemp(join(tmpdir(), 'exoix-bench-'))
      try {
        say('building the executables')
        const hello = join(folder, 'hello')
        await Bun.write(`${hello}.ts`, HELLO)
        run(ROOT, ['build', `${hello}.ts`, '--compile', ...FLAGS, '--outfile', hello])
        run(ROOT, ['run', 'build'])
        const { apiUrl, token } = await discord.call<Upstream>('start')
        const env = { BOT_TOKEN: token, DISCORD_API_URL: apiUrl, HOST: '127.0.0.1', LOG_LEVEL: 'error' }
        const pairs = await alternate(
          Math.max(rounds, AT_LEAST),
          () => firstAnswer(hello, {}),
          () => firstAnswer(join(ROOT, 'dist/exoix'), env),
        )
        return [{ name: 'spawn to first answer', unit: 'ms', better: 'lower', ...pairs, target: '≤ 150 ms' }]
      } finally {
        await rm(folder, { recursive: true })
      }
    }),
}

function run(cwd: string, command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, ...command], { cwd })
  if (exitCode !== 0) throw new Error(`bun ${command.join(' ')}: ${stderr}`)
}

/** Milliseconds from the spawn to the first byte of an answer. */
async function firstAnswer(executable: string, env: Readonly<Record<string, string>>): Promise<number> {
  const port = freePort()
  const cwd = await mkdtemp(join(tmpdir(), 'exoix-bench-empty-'))
  const began = performance.now()
  const child = Bun.spawn([executable], {
    cwd,
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    while (!(await isAnswering(port))) {
      if (child.exitCode !== null) throw new Error(`${executable} ended with ${child.exitCode}`)
      await Bun.sleep(1)
    }
    return performance.now() - began
  } finally {
    child.kill('SIGKILL')
    await child.exited
    await rm(cwd, { recursive: true })
  }
}

function freePort(): number {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  server.stop(true)
  return server.port
}

/** False while nobody listens. */
async function isAnswering(port: number): Promise<boolean> {
  const answered = Promise.withResolvers<boolean>()
  const socket = {
    open: (socket: Bun.Socket) => void socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    data: () => answered.resolve(true),
    close: () => answered.resolve(false),
    connectError: () => answered.resolve(false),
  }
  const connection = await Bun.connect({ hostname: '127.0.0.1', port, socket }).catch(() => null)
  const answer = connection !== null && (await answered.promise)
  connection?.end()
  return answer
}
