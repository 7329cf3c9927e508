import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseCommand } from '../../src/commands/cli.ts'
import { readConfig, SETTINGS } from '../../src/config.ts'
import { startTestApp } from '../support/app.ts'

const ROOT = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

const PAGES = [
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/operating.md',
  'docs/privacy.md',
  'tests/README.md',
  'tests/bench/README.md',
]

interface Presence {
  readonly discord_status: string
}
/** What is told of what plays. */
const NOW_PLAYING = [
  'source',
  'song',
  'artist',
  'album',
  'album_art_url',
  'track_id',
  'track_url',
  'timestamps',
  'duration_ms',
]

/** The names that headings of a page have in addresses. */
function anchorsOf(text: string): string[] {
  const headings = text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)
  return Array.from(headings, ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('the documents', () => {
  test.each(PAGES)('%s links to nothing that is not there', page => {
    const text = read(page).replaceAll(/^```[\s\S]*?^```/gm, '')
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"\s]+)"/g)].map(
      match => match[1] ?? match[2] ?? '',
    )
    const own = links.filter(link => !/^\w+:/.test(link))
    expect(own.filter(link => !leadsSomewhere(page, link))).toEqual([])
  })

  test('name no setting that does not exist', () => {
    const known: string[] = Object.values(SETTINGS).map(({ env }) => env)
    const named = ['docs/operating.md', 'docs/privacy.md', 'compose.yaml', 'SECURITY.md'].flatMap(page =>
      [
        ...read(page).matchAll(
          /\b([A-Z]+_(?:URL|PATH|TOKEN|DAYS|PROXIES|PREFIX|LEVEL|FORMAT|ADDRESS|MINUTE|INVITE|USERS|ID))\b/g,
        ),
      ].map(([, name = '']) => name),
    )
    expect([...new Set(named)].filter(name => !known.includes(name))).toEqual([])
  })

  test('tell Home Assistant of an address and values that are there', async () => {
    const [, text = ''] = /```yaml\n# configuration\.yaml\n([\s\S]*?)```/.exec(read('README.md')) ?? []
    const { rest } = Bun.YAML.parse(text) as {
      rest: { resource: string; sensor: { value_template: string; json_attributes: string[] }[] }[]
    }
    const [{ resource, sensor }] = rest as [(typeof rest)[0]]
    await using running = await startTestApp({
      world: ({ world }) => {
        world.addGuild({ members: [{ user: { id: '94490510688792576' }, presence: { status: 'idle' } }] })
      },
    })
    await running.ready()
    const { data } = (await (await fetch(running.url + new URL(resource).pathname)).json()) as { data: Presence }
    for (const { value_template, json_attributes } of sensor) {
      expect(value_template).toBe('{{ value_json.data.discord_status }}')
      expect(data.discord_status).toBe('idle')
      expect(json_attributes.filter(name => !NOW_PLAYING.includes(name))).toEqual([])
    }
  })

  test('have a compose file of a hub and edges, each with a command there is and settings there are', () => {
    const { services } = Bun.YAML.parse(read('docs/deploy/edges.compose.yaml')) as {
      services: Record<string, { command: string; environment?: Record<string, string> }>
    }
    const known: string[] = Object.values(SETTINGS).map(({ env }) => env)
    for (const name of ['hub', 'edge']) {
      const { command, environment = {} } = services[name] ?? { command: '' }
      expect(parseCommand([command])).toEqual({ name: name as 'hub' })
      expect(Object.keys(environment).filter(setting => !known.includes(setting))).toEqual([])
      expect(readFileSync(join(ROOT, `docs/deploy/exoix-${name}.service`), 'utf8')).toContain(`/exoix ${name}\n`)
    }
    expect(services.edge?.environment).not.toHaveProperty('BOT_TOKEN')
  })

  test('have a compose file that needs nothing but a token', () => {
    const { services } = Bun.YAML.parse(read('compose.yaml')) as {
      services: { exoix: { environment: Record<string, string>; volumes: string[]; read_only: boolean } }
    }
    // What compose makes of `${NAME:-default}` and `${NAME:?reason}` when only the token is there.
    const environment = Object.fromEntries(
      Object.entries(services.exoix.environment).map(([name, value]) => [
        name,
        value.replace(/\$\{BOT_TOKEN:\?[^}]*\}/, 'token').replace(/\$\{\w+:-([^}]*)\}/, '$1'),
      ]),
    )
    expect(readConfig(environment).botToken).toBe('token')
    expect(services.exoix).toMatchObject({ volumes: ['exoix:/data'], read_only: true })
  })
})

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(ROOT, target))) return false
  return anchor === undefined || anchorsOf(read(target)).includes(anchor)
}

/** The code of the room that brings presences to other threads and machines. */
function readFeed(): string {
  const folder = join(ROOT, 'src/feed')
  return readdirSync(folder)
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
}

describe('what watches an instance', () => {
  test('asks for no metric that is not there', async () => {
    await using running = await startTestApp()
    const metrics = await (await fetch(`${running.url}/metrics`)).text()
    const known = new Set(Array.from(metrics.matchAll(/^# TYPE (\w+)/gm), ([, name]) => name))
    // Those of serving threads, hubs and edges stand only where there are any.
    for (const [, name] of readFeed().matchAll(/'((?:feed|link|worker)_\w+)'/g)) known.add(`exoix_${name}`)
    for (const file of ['docs/monitoring/alerts.yml', 'docs/monitoring/dashboard.json']) {
      const asked = Array.from(read(file).matchAll(/\bexoix_\w+/g), ([name]) => name)
      expect(asked.length).toBeGreaterThan(5)
      expect(asked.filter(name => !known.has(name))).toEqual([])
    }
  })

  test('has rules that each say what to do', () => {
    const { groups } = Bun.YAML.parse(read('docs/monitoring/alerts.yml')) as {
      groups: { rules: { alert: string; expr: string; annotations: { summary: string; description: string } }[] }[]
    }
    const rules = groups.flatMap(group => group.rules)
    expect(new Set(rules.map(rule => rule.alert)).size).toBe(rules.length)
    for (const { expr, annotations } of rules) {
      expect([expr, annotations]).toEqual([
        expect.any(String),
        { summary: expect.any(String), description: expect.any(String) },
      ])
    }
  })
})
