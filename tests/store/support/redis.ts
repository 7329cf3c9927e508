import { scratch } from './files.ts'

export interface RedisServer {
  readonly url: string
  stop(): Promise<void>
}

/** A redis-server of its own on a free port, with nothing kept on disk. */
export async function startRedis(): Promise<RedisServer> {
  const space = scratch()
  const port = freePort()
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    space.folder,
  ]
  const child = Bun.spawn(['redis-server', ...options], { stdout: 'pipe', stderr: 'inherit' })
  await ready(child.stdout)
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await child.exited
      space[Symbol.dispose]()
    },
  }
}

function freePort(): number {
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
