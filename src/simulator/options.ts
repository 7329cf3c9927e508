import { ApplicationFlag } from './types.ts'

/** The application's standing with Discord, shared by REST and gateway; tests may change it while running. */
export interface Account {
  readonly applicationId: string
  token: string
  /** Which privileged intents are switched on (docs: Resources, Application, "Application Flags"). */
  applicationFlags: number
  recommendedShards: number
  maxConcurrency: number
  /** IDENTIFYs left of `sessionStartTotal` (docs: Gateway, "Session Start Limit Object"). */
  sessionStartRemaining: number
  readonly sessionStartTotal: number
  /** The address GET /gateway/bot and READY hand out. */
  gatewayUrl: string
}

export interface SimulatorOptions {
  /** Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1. */
  hostname?: string
  /** Same seed, same world. */
  seed?: number
  token?: string
  /** Which privileged intents are switched on; default all three. */
  applicationFlags?: number
  recommendedShards?: number
  maxConcurrency?: number
  sessionStartRemaining?: number
  heartbeatIntervalMs?: number
  /** Between two IDENTIFYs of one bucket; Discord: five seconds. */
  identifyIntervalMs?: number
  /** Complete member lists: `memberRequestLimit` for each guild in this time. */
  memberRequestIntervalMs?: number
  memberRequestLimit?: number
  chunkSize?: number
  /** Dispatches a session remembers for a RESUME. */
  replayBufferSize?: number
  /** How long a session without a connection can be resumed. */
  resumeWindowMs?: number
  /** REST requests for one route and channel within `restWindowMs`. */
  restLimit?: number
  restWindowMs?: number
  /** REST requests a second over all routes. */
  restGlobalLimit?: number
  /** How long the bot has to answer an interaction. */
  interactionTimeoutMs?: number
  /** The clock, milliseconds; rate limits, sessions and ids go by it, timers do not. */
  now?: () => number
}

/** Discord's own figures where they are documented. */
const DEFAULTS = {
  port: 0,
  hostname: '127.0.0.1',
  seed: 1,
  recommendedShards: 1,
  maxConcurrency: 1,
  sessionStartRemaining: 1000,
  heartbeatIntervalMs: 41_250,
  identifyIntervalMs: 5000,
  memberRequestIntervalMs: 30_000,
  memberRequestLimit: 1,
  chunkSize: 1000,
  replayBufferSize: 10_000,
  resumeWindowMs: 180_000,
  restLimit: 50,
  restWindowMs: 1000,
  restGlobalLimit: 50,
  interactionTimeoutMs: 3000,
  now: Date.now,
}

const APPLICATION_ID = '712345678901234567'

const settingsDefaults = {
  ...DEFAULTS,
  /** Looks like a real token, so that log filters and leak guards have something to find. */
  token: `${btoa(APPLICATION_ID)}.GsimUl.exoix-simulated-token-not-a-secret-0000`,
  applicationFlags:
    ApplicationFlag.gatewayPresenceLimited |
    ApplicationFlag.gatewayGuildMembersLimited |
    ApplicationFlag.gatewayMessageContentLimited,
}

export type Settings = typeof settingsDefaults

export function readOptions(options: SimulatorOptions): Settings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...settingsDefaults, ...given }
}

/** The gateway's address is filled in once the server listens. */
export function createAccount(settings: Settings): Account {
  const { token, applicationFlags, recommendedShards, maxConcurrency, sessionStartRemaining } = settings
  const changeable = { token, applicationFlags, recommendedShards, maxConcurrency, sessionStartRemaining }
  return { applicationId: APPLICATION_ID, sessionStartTotal: 1000, gatewayUrl: '', ...changeable }
}
