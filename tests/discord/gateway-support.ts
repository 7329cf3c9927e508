import { expect } from 'bun:test'
import { Gateway } from '../../src/discord/gateway.ts'
import { DiscordRest } from '../../src/discord/rest.ts'
import type { GatewayTiming } from '../../src/discord/timing.ts'
import type { SessionStore } from '../../src/domain/checkpoint.ts'
import type { FatalError } from '../../src/domain/errors.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Change } from '../../src/domain/presences.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { createInbox } from '../simulator/support.ts'
import { testConfig } from '../support/app.ts'

/** Timings for tests: nobody waits for anything real Discord would make them wait for. */
const QUICK: Partial<GatewayTiming> = {
  backoff: { firstMs: 1, longestMs: 20 },
  stableMs: 0,
  identifyMs: 0,
  listIntervalMs: 0,
  gatherMs: 1,
  joinGatherMs: 1,
  refused: { leastMs: 1, mostMs: 1 },
}

export interface LogLine {
  level: string
  message: string
  [field: string]: unknown
}

interface Options {
  timing?: Partial<GatewayTiming>
  clock?: Clock
  sessions?: SessionStore
  presences?: PresenceStore
  token?: string
  apiUrl?: string
  onEvent?: (type: string, data: unknown) => void
  proxyFor?: (address: string) => string | undefined
}

const cleanups: (() => unknown)[] = []
const tokens = new Set<string>()
const lines: string[] = []

/** Stops everything a test has started, and sees to it that no token was logged. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  for (const token of tokens) expect(lines.join('')).not.toContain(token)
  lines.length = 0
}

/** A world to connect to: identifying is not limited unless a test asks for it. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const sim = await startSimulator({ identifyIntervalMs: 0, ...options })
  cleanups.push(() => sim.stop())
  return sim
}

/** A gateway on a simulated Discord, not started yet. */
export function createTestGateway(sim: Simulator, options: Options = {}) {
  const config = testConfig(sim, {
    botToken: options.token ?? sim.token,
    discordApiUrl: options.apiUrl ?? sim.apiUrl,
  })
  const presences = options.presences ?? new PresenceStore()
  const metrics = createMetrics()
  const log = createInbox<LogLine>()
  const events = createInbox<{ type: string; data: unknown }>()
  const changes = createInbox<Change>()
  const fatal = Promise.withResolvers<FatalError>()
  presences.onChange(({ id, kind }) => changes.push({ id, kind }))
  tokens.add(config.botToken ?? '')

  const appLog = createLog({
    level: 'debug',
    format: 'json',
    write(line) {
      lines.push(line)
      log.push(JSON.parse(line))
    },
  })
  const rest = new DiscordRest(config, appLog)
  const gateway = new Gateway({
    config,
    api: rest.api,
    presences,
    metrics,
    log: appLog,
    onFatal: fatal.resolve,
    ...(options.sessions && { sessions: options.sessions }),
    ...(options.proxyFor && { proxyFor: options.proxyFor }),
    options: { timing: { ...QUICK, ...options.timing }, ...(options.clock && { clock: options.clock }) },
  })
  gateway.onEvent(event => {
    options.onEvent?.(event.type, event.data)
    events.push(event)
  })
  cleanups.push(() => Promise.all([gateway.stop(), rest.stop()]))

  /** Waits for a log line with this text in its message. */
  const logged = (text: string) => log.next(({ message }) => message.includes(text))
  return {
    gateway,
    presences,
    fatal: fatal.promise,
    log,
    logged,
    events,
    changes,
    event: (type: string) => events.next(event => event.type === type),
    /** The value of one series, e.g. `gateway_closes_total{code="4000"}`. */
    metric: (name: string) => {
      const line = metrics
        .render()
        .split('\n')
        .find(candidate => candidate.startsWith(`exoix_${name} `))
      return Number(line?.split(' ').at(-1))
    },
    status: (id: string) => presences.person(id)?.presence.status,
    /** Resolves when the person's presence has this status. */
    becomes: (id: string, status: string) => untilChange(presences, id, status),
  }
}

/** The same, started and with every member in. */
export async function connect(sim: Simulator, options: Options = {}) {
  const connected = createTestGateway(sim, options)
  await connected.gateway.start()
  await connected.gateway.whenLoaded
  return connected
}

function untilChange(presences: PresenceStore, id: string, status: string): Promise<void> {
  const reached = () => presences.person(id)?.presence.status === status
  if (reached()) return Promise.resolve()
  return new Promise(resolve => {
    const end = presences.onChange(() => {
      if (!reached()) return
      end()
      resolve()
    })
  })
}
