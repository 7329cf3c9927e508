import { type App, type AppOptions, startApp } from '../../src/app.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Presences } from '../../src/domain/presences.ts'
import { startEdge } from '../../src/edge.ts'
import { createLog } from '../../src/lib/log.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { startRedis } from './redis.ts'

/** The real app on a simulated Discord, both on ports of their own. `await using` stops both. */
export interface TestApp extends AsyncDisposable {
  readonly app: App
  readonly simulator: Simulator
  readonly url: string
  /** Resolves when every member list is in. */
  ready(): Promise<void>
}

export interface TestAppOptions extends AppOptions {
  config?: Partial<Config>
  simulator?: SimulatorOptions
  /** Fills the world before the app connects. */
  world?: (simulator: Simulator) => void
}

/** `TEST_WORKERS=2 bun test tests/conformance`: the same promises, kept by serving threads. */
export const TEST_WORKERS = Number(process.env.TEST_WORKERS ?? 1)

/** `TEST_EDGE=1`: kept by an edge that follows a hub over a Redis of its own. */
export const TEST_EDGE = process.env.TEST_EDGE === '1'

/** Settings for a test: any port, nothing kept, the given simulator. */
export function testConfig(simulator: Simulator, overrides: Partial<Config> = {}): Config {
  return {
    ...readConfig({}),
    host: '127.0.0.1',
    port: 0,
    databasePath: ':memory:',
    botToken: simulator.token,
    discordApiUrl: simulator.apiUrl,
    discordCdnUrl: simulator.cdnUrl,
    discordMediaUrl: simulator.mediaUrl,
    spotifyCdnUrl: simulator.spotifyUrl,
    workers: TEST_WORKERS,
    ...overrides,
  }
}

/** Resolves when somebody is shown. */
export function shown(presences: Presences, id: string): Promise<void> {
  if (presences.has(id)) return Promise.resolve()
  return new Promise(resolve => {
    const stop = presences.onChange(change => {
      if (change.id !== id || !presences.has(id)) return
      stop()
      resolve()
    })
  })
}

export const silent = createLog({ level: 'silent', format: 'text' })

export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { config, simulator: simulatorOptions, world = () => {}, ...rest } = options
  const simulator = await startSimulator(simulatorOptions)
  world(simulator)
  const settings = testConfig(simulator, config)
  if (TEST_EDGE) return startBehindEdge(simulator, settings, rest)
  const app = startApp(settings, { log: silent, ...rest })
  await app.listening
  return {
    app,
    simulator,
    url: app.url,
    async ready() {
      await app.gateway.whenLoaded
      await app.presences.copies.confirm()
    },
    async [Symbol.asyncDispose]() {
      await app.stop()
      await simulator.stop()
    },
  }
}

/** A hub that does not serve, and an edge that does. */
async function startBehindEdge(simulator: Simulator, settings: Config, options: AppOptions): Promise<TestApp> {
  const redis = await startRedis()
  const shared = { redisUrl: redis.url }
  const hub = { ...settings, ...shared, port: 0, host: '127.0.0.1', workers: 1 }
  const app = startApp(hub, { log: silent, ...options, role: 'hub' })
  const edge = startEdge({ ...settings, ...shared, botToken: undefined }, { log: options.log ?? silent })
  await edge.listening
  return {
    app,
    simulator,
    url: edge.url,
    async ready() {
      await Promise.all([app.gateway.whenLoaded, edge.whenWhole])
      await app.presences.copies.confirm()
    },
    async [Symbol.asyncDispose]() {
      await edge.stop()
      await app.stop()
      await redis.stop()
      await simulator.stop()
    },
  }
}
