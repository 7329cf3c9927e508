import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { health } from '../../src/commands/health.ts'
import { start, temporaryFolder } from '../support/executable.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')

/** A server that answers everything with this. */
function answering(body: unknown, status = 200) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(text, { status }) })
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop(true) })
}

async function said(port: number, host = '127.0.0.1'): Promise<[boolean, string]> {
  let told = ''
  const ready = await health({ host, port }, text => {
    told += text
  })
  return [ready, told]
}

const failure = (code: string, message: string) => ({ success: false, error: { code, message } })

describe('exoix health', () => {
  test.each([
    [{ success: true, data: { status: 'ready' } }, 200, [true, 'ready']],
    [failure('starting', 'Members are on their way'), 503, [false, 'starting: Members are on their way']],
    [failure('reconnecting', 'Back soon'), 503, [false, 'reconnecting: Back soon']],
    [{ success: true, data: { status: 'ready' } }, 503, [false, 'ready: the answer was not understood']],
    ['<html>', 200, [false, 'not ready: the answer was not understood']],
    [null, 200, [false, 'not ready: the answer was not understood']],
    [{ data: { status: 'fine' } }, 200, [false, 'not ready: the answer was not understood']],
  ] as const)('takes %j with status %d for %j', async (body, status, expected) => {
    await using server = answering(body, status)
    expect(await said(server.port ?? 0)).toEqual([...expected])
  })

  test.each(['0.0.0.0', '::'])('finds on the loopback address what listens on %s', async host => {
    await using server = answering({ success: true, data: { status: 'ready' } })
    expect(await said(server.port ?? 0, host)).toEqual([true, 'ready'])
  })

  test('says in words that nothing listens, or that it is no HTTP', async () => {
    const server = answering('')
    const { port = 0 } = server
    await server.stop(true)
    expect(await said(port)).toEqual([false, `no answer from http://127.0.0.1:${port}/health: nothing listens there`])
    const other = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket) {
          socket.end('SSH-2.0-OpenSSH_9\r\n')
        },
      },
    })
    const [ready, told] = await said(other.port)
    other.stop(true)
    expect([ready, told]).toEqual([false, expect.stringContaining('no answer from')])
  })

  test('asks this machine itself, whatever proxy the environment names', async () => {
    await using server = answering({ success: true, data: { status: 'ready' } })
    await using proxy = answering('from the proxy', 502)
    using folder = temporaryFolder()
    const address = `http://127.0.0.1:${proxy.port}`
    const env = { HTTP_PROXY: address, http_proxy: address, ALL_PROXY: address, PORT: String(server.port) }
    await using running = start([process.execPath, MAIN, 'health'], { cwd: folder.path, env })
    expect([await running.exited, running.output()]).toEqual([0, 'ready\n'])
  })
})
