import { describe, expect } from 'bun:test'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { compile } from 'svelte/compiler'
import { temporaryFolder } from '../../support/executable.ts'
import { ADA, inBrowser, join, open, startServer, startSite } from './support.ts'

const ROOT = joinPath(import.meta.dir, '../../..')
const BO = '204255221017214978'

/** What a site has: the package, written as a release has it, and a page that shows one person and can change whom. */
type Site = (host: string) => string

const REACT: Site = host => `
  import { createElement, useState } from 'react'
  import { createRoot } from 'react-dom/client'
  import { usePresence } from 'exoix-client/react'

  function App() {
    const [user, setUser] = useState('${ADA}')
    const { presence, state } = usePresence(user, '${host}')
    const show = id => () => setUser(id)
    return createElement('p', {},
      createElement('output', {}, state + ' ' + (presence?.discord_status ?? '-')),
      createElement('button', { onClick: show('${BO}') }, 'Bo'),
      createElement('button', { onClick: show(undefined) }, 'Nobody'))
  }
  createRoot(document.querySelector('main')).render(createElement(App))
`

const VUE: Site = host => `
  import { createApp, h, ref } from 'vue'
  import { usePresence } from 'exoix-client/vue'

  createApp({
    setup() {
      const user = ref('${ADA}')
      const followed = usePresence(user, '${host}')
      const show = id => () => { user.value = id }
      return () => h('p', [
        h('output', followed.value.state + ' ' + (followed.value.presence?.discord_status ?? '-')),
        h('button', { onClick: show('${BO}') }, 'Bo'),
        h('button', { onClick: show(undefined) }, 'Nobody')])
    },
  }).mount('main')
`

const SVELTE = (host: string) => `
<script>
  import { presenceOf } from 'exoix-client/svelte'
  let user = $state('${ADA}')
  const shown = $derived(user === undefined ? undefined : presenceOf(user, '${host}'))
</script>
<p>
  <output>{$shown?.state ?? 'connecting'} {$shown?.presence?.discord_status ?? '-'}</output>
  <button onclick={() => (user = '${BO}')}>Bo</button>
  <button onclick={() => (user = undefined)}>Nobody</button>
</p>
`

const SITES = { react: REACT, vue: VUE, svelte: SVELTE }

/** The page's script, bundled with the package in `client`. */
async function bundle(kind: keyof typeof SITES, host: string, folder: string, client: string): Promise<string> {
  symlinkSync(joinPath(ROOT, 'node_modules'), joinPath(folder, 'node_modules'))
  const entry = joinPath(folder, `${kind}.js`)
  const source = SITES[kind](host)
  if (kind === 'svelte') {
    const { js } = compile(source, { generate: 'client', filename: 'App.svelte' })
    writeFileSync(joinPath(folder, 'App.js'), js.code)
    writeFileSync(
      entry,
      `import { mount } from 'svelte'\nimport App from './App.js'\nmount(App, { target: document.querySelector('main') })`,
    )
  } else writeFileSync(entry, source)
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
    conditions: ['browser', 'production'],
    plugins: [
      {
        name: 'site',
        setup(build) {
          build.onResolve({ filter: /^exoix-client\// }, ({ path }) => ({
            path: joinPath(client, `${path.slice('exoix-client/'.length)}.js`),
          }))
        },
      },
    ],
  })
  return (await outputs[0]?.text()) ?? ''
}

export function adapterTests(): void {
  describe('the package of the client', () => {
    for (const kind of ['react', 'vue', 'svelte'] as const) {
      inBrowser(`shows somebody in a page made with ${kind}, somebody else, and nobody`, async () => {
        using folder = temporaryFolder()
        const client = joinPath(folder.path, 'client')
        const built = Bun.spawnSync([process.execPath, joinPath(ROOT, '.ci/client-package.ts'), client])
        expect([built.exitCode, String(built.stderr)]).toEqual([0, ''])
        await using server = startServer()
        join(server.presences)
        const script = await bundle(kind, server.url, folder.path, client)
        const html = `<!doctype html><html lang="en"><title>Ada</title><main></main><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`
        await using site = startSite(html, "script-src 'unsafe-inline'")
        await using view = await open(site.url, [server.url])
        const says = (text: string) => view.page.locator('output', { hasText: text }).waitFor()
        await says('live online')
        server.presences.patchPresence({ user: { id: ADA }, status: 'dnd' })
        await says('live dnd')
        await view.page.getByRole('button', { name: 'Bo', exact: true }).click()
        await says('unknown -')
        await view.page.getByRole('button', { name: 'Nobody' }).click()
        await says('connecting -')
        await view.until(() => view.sockets.size === 0)
        expect(view.problems).toEqual([])
      })
    }

    inBrowser('needs nothing but itself, and has types', async () => {
      using folder = temporaryFolder()
      Bun.spawnSync([process.execPath, joinPath(ROOT, '.ci/client-package.ts'), folder.path])
      const manifest = JSON.parse(readFileSync(joinPath(folder.path, 'package.json'), 'utf8'))
      expect(manifest.dependencies).toBeUndefined()
      const files = readdirSync(folder.path)
      for (const { types, default: module } of Object.values<Record<string, string>>(manifest.exports)) {
        expect(files).toContain(String(types).slice(2))
        expect(files).toContain(String(module).slice(2))
      }
    })
  })
}
