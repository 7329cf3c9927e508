import { temporaryFolder } from './executable.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Ends it at once, and starts it again at the same port with nothing in it. */
  restart(): Promise<void>
  /** Ends it at once. */
  kill(): Promise<void>
  /** Stops it from doing anything until `thaw`. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

/** Whether there is a redis-server to be tested with; says so when not. */
export function hasRedis(what: string): boolean {
  const installed = Bun.which('redis-server') !== null
  if (!installed) console.warn(`redis-server is not installed: ${what} is not tested`)
  return installed
}

/** A redis-server of its own on a free port, with nothing kept on disk. */
export async function startRedis(...more: readonly string[]): Promise<RedisServer> {
  const space = temporaryFolder()
  const port = freePort()
  const begin = () => spawnRedis(port, space.path, more)
  let child = await begin()

  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await child.exited
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    async restart() {
      await kill()
      child = await begin()
    },
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    async stop() {
      await kill()
      space[Symbol.dispose]()
    },
  }
}

async function spawnRedis(port: number, folder: string, more: readonly string[]) {
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
  const nothingKept = ['--save', '', '--appendonly', 'no']
  const child = Bun.spawn(['redis-server', ...place, ...nothingKept, ...more], { stdout: 'pipe', stderr: 'inherit' })
  await ready(child.stdout)
  return child
}

/** A port that nobody listens to at the moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}

async function ready(output: ReadableStream<Uint8Array>): Promise<void> {
  let seen = ''
  const text = new TextDecoder()
  // The stream goes on being read for as long as the server writes.
  return new Promise((resolve, reject) => {
    void (async () => {
      for await (const chunk of output) {
        seen += text.decode(chunk, { stream: true })
        if (seen.includes('Ready to accept connections')) resolve()
      }
      reject(new Error(`redis-server ended:\n${seen}`))
    })()
  })
}
