import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startReadyWorld, type World } from '../conformance/support.ts'
import { type Running, start, temporaryFolder } from '../support/executable.ts'

/** What operators are given to paste is what is tried here, but for names, ports and certificates. */
const OPERATING = readFileSync(join(import.meta.dir, '../../docs/operating.md'), 'utf8')
const blocks = (language: string) =>
  Array.from(OPERATING.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm')), ([, text = '']) => text)

const path = `${process.env.PATH}:/usr/sbin:/sbin`
const has = (program: string) => Bun.which(program, { PATH: path }) !== null

/** A port that is free now. */
function freePort(): number {
  const server = Bun.serve({ port: 0, fetch: () => new Response() })
  const port = server.port ?? 0
  void server.stop(true)
  return port
}

interface Proxy {
  readonly name: string
  /** Whether it adds to the addresses a client claims to pass on, or puts the client's own in their place. */
  readonly appends: boolean
  /** Resolves once it serves on that port and passes everything on to the other, under `/presence/` as well. */
  run(folder: string, port: number, upstream: number): Promise<Running>
}

/** The program, once it says that it serves. */
async function serving(command: readonly string[], folder: string, sign: RegExp): Promise<Running> {
  const running = start(command, { cwd: folder, env: { PATH: path } })
  await running.says(sign)
  return running
}

const CADDY: Proxy = {
  name: 'caddy',
  appends: false,
  async run(folder, port, upstream) {
    const [root = '', under = ''] = blocks('caddyfile').map(text => text.replaceAll('4001', String(upstream)))
    const body = (text: string) => text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'))
    const both = `${body(under)}\nhandle {${body(root)}}\n`
    writeFileSync(join(folder, 'Caddyfile'), `{\nadmin off\nauto_https off\n}\nhttp://:${port} {${both}}\n`)
    return serving(
      ['caddy', 'run', '--adapter', 'caddyfile', '--config', 'Caddyfile'],
      folder,
      /serving initial configuration/,
    )
  },
}

const NGINX: Proxy = {
  name: 'nginx',
  appends: true,
  async run(folder, port, upstream) {
    const site = (blocks('nginx')[0] ?? '')
      .replace('listen 443 ssl', `listen ${port}`)
      .replace(/ *ssl_certificate.*\n/g, '')
      .replaceAll('4001', String(upstream))
    const root = /^ {2}location \/ \{[\s\S]*?^ {2}\}\n/m.exec(site)?.[0] ?? ''
    const under = root.replace('location /', 'location /presence/').replace(`:${upstream}`, `:${upstream}/`)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      name => `${name}_temp_path ${folder}/${name};`,
    )
    // Else its workers become somebody who may not look into the folder.
    const asRoot = process.getuid?.() === 0 ? 'user root;\n' : ''
    const http = `access_log off;\n${temporary.join('\n')}\n${site.replace(root, root + under)}`
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off;\n${asRoot}error_log stderr notice;\npid ${folder}/pid;\nevents {}\nhttp {\n${http}}\n`,
    )
    mkdirSync(join(folder, 'logs'))
    return serving(['nginx', '-p', folder, '-e', 'stderr', '-c', 'nginx.conf'], folder, /start worker process/)
  },
}

describe.each([CADDY, NGINX])('behind $name', proxy => {
  describe.skipIf(!has(proxy.name))('set up as in docs/operating.md (skipped where it is not installed)', () => {
    const folder = temporaryFolder()
    let world: World
    let running: Running
    let port = 0

    beforeAll(async () => {
      world = await startReadyWorld({ config: { trustedProxies: ['127.0.0.1'], rateLimitPerMinute: 30 } })
      port = freePort()
      running = await proxy.run(folder.path, port, world.port)
    })
    afterAll(async () => {
      await running?.[Symbol.asyncDispose]()
      await world?.[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    })

    test.each([[''], ['/presence']])('presences are read, and followed both ways, under "%s/"', async prefix => {
      const url = `http://127.0.0.1:${port}${prefix}`
      const { ada } = world.people
      const presence = await (await fetch(`${url}/v1/users/${ada}`)).json()
      expect(presence).toMatchObject({ success: true, data: { discord_user: { id: ada } } })

      const socket = new WebSocket(`${url.replace('http', 'ws')}/socket`)
      const hello = await new Promise<MessageEvent>(resolve =>
        socket.addEventListener('message', resolve, { once: true }),
      )
      expect(JSON.parse(hello.data).op).toBe(1)
      socket.close()

      // The answer has no end: what is not buffered on the way arrives all the same.
      const ending = new AbortController()
      const events = await fetch(`${url}/v1/users/${ada}/events`, { signal: ending.signal })
      const { value } = (await events.body?.getReader().read()) ?? {}
      expect(new TextDecoder().decode(value)).toMatch(/retry:|data:/)
      ending.abort()
    })

    test('a large PATCH gets through', async () => {
      const { bob } = world.people
      const pairs = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`k${n}`, 'x'.repeat(30_000)]))
      const answer = await fetch(`http://127.0.0.1:${port}/v1/users/@me/kv`, {
        method: 'PATCH',
        headers: { Authorization: await world.key(bob) },
        body: JSON.stringify(pairs),
      })
      expect(answer.status).toBe(204)
    })

    // The test is a client on the proxy's own machine, which is trusted with the address before its own, but not with more.
    test('the limit counts the last address that is not trusted, whatever stands in front of it', async () => {
      const statuses: number[] = []
      for (let count = 0; count < 40; count++) {
        const headers = { 'X-Forwarded-For': `198.51.100.${count}, 203.0.113.9` }
        statuses.push((await fetch(`http://127.0.0.1:${port}/health`, { headers })).status)
      }
      expect([statuses[0], statuses.at(-1)]).toEqual([200, 429])
      // What is passed on for this machine is counted, too: once here, or 41 times where nothing else was passed on.
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(proxy.appends ? 200 : 429)
    })
  })
})

describe.skipIf(!has('systemd-analyze'))('the systemd units (skipped without systemd-analyze)', () => {
  const [unit = ''] = blocks('ini')

  test.each([
    ['exoix', unit],
    ...['exoix-hub', 'exoix-edge'].map(name => [
      name,
      readFileSync(join(import.meta.dir, `../../docs/deploy/${name}.service`), 'utf8'),
    ]),
  ])('%s.service is understood, and leaves JavaScript its compiler', async (name, text) => {
    using folder = temporaryFolder()
    const file = join(folder.path, `${name}.service`)
    writeFileSync(file, `${text}`.replaceAll('/usr/local/bin/exoix', process.execPath))
    await using verifying = start(['systemd-analyze', 'verify', '--man=no', file], { cwd: folder.path })
    expect([await verifying.exited, verifying.output()]).toEqual([0, ''])
    expect(text).not.toMatch(/^MemoryDenyWriteExecute/m)
  })
})
