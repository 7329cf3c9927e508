import { afterEach, describe, expect, test } from 'bun:test'
import { startApp } from '../../src/app.ts'
import type { Config } from '../../src/config.ts'
import { type GithubSimulatorOptions, startGithubSimulator } from '../../src/simulator/github/github.ts'
import { connectGithubPeople } from '../../src/simulator/github/people.ts'
import { scratch } from '../store/support/files.ts'
import { silent, startTestApp, testConfig } from '../support/app.ts'

const ID = '470320681905684500'
const GUILD = '880000000000000042'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

/** The person of harmy's documents, with their GitHub account. */
function startHub(options?: GithubSimulatorOptions) {
  const hub = startGithubSimulator(options)
  stops.push(hub.stop)
  hub.world.addUser({ id: 111227553, login: 'vaqqq', blog: 'https://harmy.gg', bio: 'casual coder', public_repos: 1 })
  return hub
}

type Hub = ReturnType<typeof startHub>

/** The real app, on real clocks and connections. */
async function start(hub: Hub, { device = false, ...config }: Partial<Config> & { device?: boolean } = {}) {
  const running = await startTestApp({
    config: {
      githubApiUrl: hub.apiUrl,
      githubUrl: hub.url,
      githubClientId: device ? hub.clientId : undefined,
      ...config,
    },
    simulator: { identifyIntervalMs: 0 },
    world({ world }) {
      const user = { id: ID, username: 'vaq', global_name: 'Vaq', avatar: '5c11d7292c91e510c2b4f07946ea6d72' }
      world.addGuild({ id: GUILD, members: [{ user }] })
      world.placePresence(ID, { status: 'dnd' })
    },
  })
  stops.push(() => running[Symbol.asyncDispose]())
  await running.ready()
  const { simulator, app } = running
  return {
    ...running,
    async ask(content: string) {
      simulator.sendMessage({ authorId: ID, content })
      return (await simulator.nextMessage()).content
    },
    /** Changes the presence and waits until it has arrived. */
    async play(activities: NonNullable<Parameters<typeof simulator.world.setPresence>[1]>['activities']) {
      const changed = Promise.withResolvers<void>()
      const stop = app.presences.onChange(() => changed.resolve())
      simulator.world.setPresence(ID, { status: 'dnd', activities })
      await changed.promise
      stop()
    },
    read: async (headers: Record<string, string> = {}) => fetch(`${app.url}/user/${ID}`, { headers }),
  }
}

const ACCOUNT = {
  id: 111227553,
  username: 'vaqqq',
  avatar_url: 'https://avatars.githubusercontent.com/u/111227553?v=4',
  url: 'https://github.com/vaqqq',
  company: null,
  blog: 'https://harmy.gg',
  bio: 'casual coder',
  public_repos: 1,
}

async function linkWithCode(running: Awaited<ReturnType<typeof start>>, hub: Hub): Promise<void> {
  const told = await running.ask('.github connect vaqqq')
  hub.world.addGist(ACCOUNT.id, { files: { 'proof.txt': /exoix-link-\w+/.exec(told)?.[0] ?? '' } })
  expect(await running.ask('.github verify')).toContain('`vaqqq` is connected')
}

describe("the example in harmy's documents", () => {
  test('comes out field for field, with Spotify and without', async () => {
    const hub = startHub()
    const running = await start(hub)
    await linkWithCode(running, hub)
    await running.ask('.add First1 Key/ValuePair0')
    const presence = {
      userId: ID,
      status: 'dnd',
      global_name: 'Vaq',
      server_name: null,
      avatar: '5c11d7292c91e510c2b4f07946ea6d72',
    }
    const rest = { KV: { First1: 'Key/ValuePair0' }, github: ACCOUNT }
    const idle = { presence: { ...presence, spotifyActivity: null }, ...rest }
    expect(await (await running.read()).text()).toBe(JSON.stringify(idle))

    await running.play([
      {
        id: 'spotify:1',
        name: 'Spotify',
        type: 2,
        details: 'BMW',
        state: 'Pashanim',
        timestamps: { start: 1720814201608, end: 1720814322741 },
        party: { id: `spotify:${ID}` },
        sync_id: '56MDdzieU2dTT3YLpCdpcA',
        session_id: '0123456789abcdef0123456789abcdef',
        assets: { large_text: 'Himmel über Berlin', large_image: 'spotify:ab67616d0000b273fa2f0c9e719ca71f2686ddf3' },
        flags: 48,
        created_at: 1720814203334,
      },
    ])
    const spotifyActivity = {
      name: 'Spotify',
      type: 2,
      song: 'BMW',
      artist: 'Pashanim',
      applicationId: null,
      timestamps: { start: 1720814201608, end: 1720814322741 },
      party: { id: `spotify:${ID}` },
      syncId: '56MDdzieU2dTT3YLpCdpcA',
      assets: { largeText: 'Himmel über Berlin', largeImage: 'ab67616d0000b273fa2f0c9e719ca71f2686ddf3' },
      flags: 48,
      createdTimestamp: 1720814203334,
    }
    const playing = { presence: { ...presence, spotifyActivity }, ...rest }
    expect(await (await running.read()).text()).toBe(JSON.stringify(playing))
  })
})

test('people of a demo are linked by the bot', async () => {
  const hub = startHub()
  const { simulator, read } = await start(hub)
  await connectGithubPeople(simulator, hub, [ID])
  const { github } = (await (await read()).json()) as { github: unknown }
  expect(github).toMatchObject({ username: 'harbour-lights', bio: 'Lighthouses, mostly', public_repos: 42 })
})

describe('a linked account, in the running app', () => {
  test('is linked by signing in, over real connections', async () => {
    const hub = startHub({ interval: 1 })
    const { ask, simulator, read } = await start(hub, { device: true })
    const told = await ask('.github connect vaqqq')
    hub.device.authorize(/WDJB-\d+/.exec(told)?.[0] ?? '', 'vaqqq')
    expect((await simulator.nextMessage()).content).toBe('Your GitHub account `vaqqq` is connected.')
    expect(((await (await read()).json()) as { github: unknown }).github).toEqual(ACCOUNT)
  })

  test('changes the ETag of what harmy shows, and nothing that Lanyard shows', async () => {
    const hub = startHub()
    const running = await start(hub)
    const lanyard = async () => (await fetch(`${running.url}/v1/users/${ID}`)).headers.get('etag')
    const [harmyBefore, lanyardBefore] = [(await running.read()).headers.get('etag') ?? '', await lanyard()]
    await linkWithCode(running, hub)
    const response = await running.read({ 'if-none-match': harmyBefore })
    expect(response.status).toBe(200)
    expect(await lanyard()).toBe(lanyardBefore)
    const now = response.headers.get('etag') ?? ''
    expect((await running.read({ 'if-none-match': now })).status).toBe(304)
  })

  test('is there after a restart while GitHub is not, and gone after an erasure', async () => {
    using space = scratch()
    const databasePath = space.file('exoix.db')
    const hub = startHub()
    const first = await start(hub, { databasePath })
    await linkWithCode(first, hub)
    await first.app.stop()
    hub.fail({ kind: 503, times: 1000 })
    const config = { databasePath, githubApiUrl: hub.apiUrl, githubUrl: hub.url }
    const second = startApp(testConfig(first.simulator, config), { log: silent })
    stops.push(second.stop)
    await second.gateway.whenLoaded
    const github = async () => ((await (await fetch(`${second.url}/user/${ID}`)).json()) as { github: unknown }).github
    expect(await github()).toEqual(ACCOUNT)
    await first.ask('.privacy delete confirm')
    expect(await github()).toBeNull()
  })

  test('is told of in the metrics', async () => {
    const hub = startHub()
    const running = await start(hub)
    await linkWithCode(running, hub)
    await running.read()
    const metrics = await (await fetch(`${running.url}/metrics`)).text()
    expect(metrics).toContain('exoix_github_links 1\n')
    expect(metrics).toMatch(/^exoix_github_requests_total\{status="2xx"\} 4$/m)
    expect(metrics).toMatch(/^exoix_github_oldest_copy_seconds \d$/m)
    expect(metrics).toMatch(/^exoix_github_rate_limit_remaining 56$/m)
  })
})
