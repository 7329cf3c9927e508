import { version } from '../package.json'
import { PICTURE_HOSTS } from './domain/discord-cdn.ts'
import { LOG_FORMATS, LOG_LEVELS } from './lib/log.ts'
import {
  addresses,
  botToken,
  httpUrl,
  integer,
  matching,
  oneOf,
  optional,
  redisUrl,
  secret,
  text,
  userIds,
  workers,
} from './setting-values.ts'

/** Environment variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

interface Setting<T> {
  env: string
  fallback: T
  help: string
  /** Turns the trimmed, non-empty text into a value; throws with "must be …" otherwise. */
  parse: (text: string) => T
}

function setting<T>(env: string, fallback: T, help: string, parse: (text: string) => T): Setting<T> {
  return { env, fallback, help, parse }
}

/** Who may read the numbers: everybody, this machine alone, nobody. */
const METRICS_READERS = ['on', 'loopback', 'off'] as const

/** Every setting: environment name, default, help, and how its text is read. The table in docs/operating.md says the same. */
export const SETTINGS = {
  botToken: setting('BOT_TOKEN', undefined, 'token of the Discord bot', optional(botToken)),
  host: setting('HOST', '0.0.0.0', 'address to listen on', text(255)),
  port: setting('PORT', 4001, 'port to listen on', integer(0, 65535)),
  databasePath: setting(
    'DATABASE_PATH',
    './exoix.db',
    'file for key-value pairs, keys and saved presences',
    text(4096),
  ),
  externalUrl: setting('EXTERNAL_URL', undefined, 'public address, shown in bot replies', optional(httpUrl)),
  discordInvite: setting('DISCORD_INVITE', undefined, 'where /discord redirects to', optional(httpUrl)),
  instanceName: setting(
    'INSTANCE_NAME',
    undefined,
    'what this instance is called, where it says whose it is',
    optional(text(64)),
  ),
  privacyUrl: setting('PRIVACY_URL', undefined, 'where people read what is kept of them', optional(httpUrl)),
  termsUrl: setting('TERMS_URL', undefined, 'where the terms of use are', optional(httpUrl)),
  commandPrefix: setting(
    'COMMAND_PREFIX',
    '.',
    'what bot commands start with',
    matching(/^\S{1,16}$/, '1 to 16 characters without blanks'),
  ),
  botPresence: setting('BOT_PRESENCE', 'you <3', "text of the bot's own activity", text(128)),
  botPresenceType: setting(
    'BOT_PRESENCE_TYPE',
    3,
    "type of the bot's own activity (0 playing, 2 listening, 3 watching, 5 competing)",
    integer(0, 5),
  ),
  idempotencyKey: setting(
    'BOT_IDEMPOTENCY_ENV_KEY',
    undefined,
    'NAME=value: this process answers commands only where the variable NAME has that value',
    optional(matching(/^[^=\s]+=.*$/s, 'NAME=value')),
  ),
  homeGuild: setting(
    'HOME_GUILD',
    undefined,
    'id of the server whose nicknames are shown first',
    optional(matching(/^\d{15,20}$/, 'a server id (15 to 20 digits)')),
  ),
  welcomeChannel: setting(
    'WELCOME_CHANNEL',
    undefined,
    'id of the channel in which newcomers are told their address',
    optional(matching(/^\d{15,20}$/, 'a channel id (15 to 20 digits)')),
  ),
  featuredUsers: setting(
    'FEATURED_USERS',
    [] as readonly string[],
    'ids of people the live page offers to look at, separated by commas',
    userIds,
  ),
  monitor: setting(
    'MONITOR',
    'everybody',
    'who is shown: everybody, opt-in (who asked for it by /privacy show), or role:<id> (members with that role)',
    matching(/^(everybody|opt-in|role:\d{15,20})$/, 'everybody, opt-in, or role: and the id of a role'),
  ),
  kvRetentionDays: setting(
    'KV_RETENTION_DAYS',
    30,
    'days to keep the pairs of people who left every server (0 = for ever)',
    integer(0, 36_500),
  ),
  historyDays: setting('HISTORY_DAYS', 30, 'days to keep the history of people who want one', integer(1, 3650)),
  maxPairsMib: setting(
    'MAX_PAIRS_MIB',
    256,
    'MiB that the pairs of all people together may take',
    integer(1, 1_000_000),
  ),
  rateLimitPerMinute: setting(
    'RATE_LIMIT_PER_MINUTE',
    600,
    'HTTP requests a minute and address (0 = off)',
    integer(0, 100_000_000),
  ),
  maxSocketsPerAddress: setting(
    'MAX_SOCKETS_PER_ADDRESS',
    1000,
    'open WebSockets and event streams an address (0 = off)',
    integer(0, 1_000_000),
  ),
  workers: setting(
    'WORKERS',
    1,
    'threads that serve: 1 (the one that does all the rest), a number, or auto (one core less than there are)',
    workers,
  ),
  subscribeToAll: setting(
    'SUBSCRIBE_TO_ALL',
    'on',
    'whether sockets may follow everybody: on or off',
    oneOf(['on', 'off']),
  ),
  redisUrl: setting('REDIS_URL', undefined, 'Redis or Valkey between a hub and its edges', optional(redisUrl)),
  redisCaFile: setting(
    'REDIS_CA_FILE',
    undefined,
    'file with the certificate that signed the one of Redis',
    optional(text(4096)),
  ),
  redisSentinel: setting(
    'REDIS_SENTINEL',
    undefined,
    'sentinels that know where Redis is, and its name: host:port,host:port/name',
    optional(matching(/^[\w.-]+:\d+(,\s*[\w.-]+:\d+)*\/[\w.-]+$/, 'host:port,host:port/name')),
  ),
  redisPrefix: setting(
    'REDIS_PREFIX',
    'exoix',
    'what all names in Redis begin with',
    matching(/^[\w.-]{1,64}$/, '1 to 64 letters, digits, dots, dashes or underscores'),
  ),
  serveStaleSeconds: setting(
    'SERVE_STALE_SECONDS',
    60,
    'seconds for which an edge that cannot reach Redis goes on serving what it knows',
    integer(1, 86_400),
  ),
  trustedProxies: setting(
    'TRUSTED_PROXIES',
    [] as readonly string[],
    'addresses or networks of reverse proxies whose X-Forwarded-For is believed, separated by commas',
    addresses,
  ),
  profiles: setting(
    'PROFILES',
    'on',
    'whether banners and accent colours of people somebody looks at are asked for at Discord: on or off',
    oneOf(['on', 'off']),
  ),
  metrics: setting('METRICS', 'on', 'who may read /metrics: on (everybody), loopback, or off', oneOf(METRICS_READERS)),
  logLevel: setting('LOG_LEVEL', 'info', `one of ${LOG_LEVELS.join(', ')}`, oneOf(LOG_LEVELS)),
  logFormat: setting('LOG_FORMAT', 'text', `one of ${LOG_FORMATS.join(', ')}`, oneOf(LOG_FORMATS)),
  discordApiUrl: setting('DISCORD_API_URL', 'https://discord.com/api', "base of Discord's REST API", httpUrl),
  discordCdnUrl: setting('DISCORD_CDN_URL', PICTURE_HOSTS.discordCdnUrl, "base of Discord's CDN", httpUrl),
  discordMediaUrl: setting(
    'DISCORD_MEDIA_URL',
    PICTURE_HOSTS.discordMediaUrl,
    "base of Discord's proxy for pictures from elsewhere",
    httpUrl,
  ),
  spotifyCdnUrl: setting('SPOTIFY_CDN_URL', PICTURE_HOSTS.spotifyCdnUrl, 'base of the host of album covers', httpUrl),
  githubApiUrl: setting('GITHUB_API_URL', 'https://api.github.com', "base of GitHub's REST API", httpUrl),
  githubUrl: setting('GITHUB_URL', 'https://github.com', 'base of GitHub itself (device flow)', httpUrl),
  githubToken: setting('GITHUB_TOKEN', undefined, 'token that raises the GitHub rate limit', optional(secret)),
  githubClientId: setting(
    'GITHUB_CLIENT_ID',
    undefined,
    'client id of a GitHub app with the device flow enabled',
    optional(matching(/^[\w.-]{1,128}$/, 'a client id')),
  ),
} as const

type Settings = typeof SETTINGS
type Value<S> = S extends Setting<infer T> ? T : never

/** All settings, validated. Built by {@link readConfig}; tests build their own with overrides. */
export type Config = { readonly [K in keyof Settings]: Value<Settings[K]> }

/** Thrown by {@link readConfig} with one line per mistake. Values are never repeated: they may be secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly mistakes: readonly string[]) {
    super(`Settings that need mending:\n${mistakes.map(mistake => `  - ${mistake}`).join('\n')}`)
  }
}

/** Without the quotes that some ways to set a variable leave around it (`docker run --env-file` is one). */
export function unquoted(value: string): string {
  return /^(["'])(.*)\1$/s.exec(value)?.[2]?.trim() ?? value
}

/** Whether the environment says anything about a setting. */
export const isSet = (env: Environment, variable: string) => unquoted(env[variable]?.trim() ?? '') !== ''

/**
 * Reads every setting from the environment; an empty variable counts as unset, quotes around a value are taken off.
 * Reports all mistakes at once.
 */
export function readConfig(env: Environment): Config {
  const mistakes: string[] = []
  const values = Object.entries(SETTINGS).map(([name, { env: variable, fallback, parse }]) => {
    const given = unquoted(env[variable]?.trim() ?? '')
    if (given === '') return [name, fallback]
    try {
      return [name, parse(given)]
    } catch (error) {
      mistakes.push(`${variable} ${error instanceof Error ? error.message : 'is wrong'}`)
      return [name, fallback]
    }
  })
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return Object.fromEntries(values) as Config
}

/**
 * Whether this process answers commands: with several copies on one bot, only the one whose environment has the
 * variable and value named by BOT_IDEMPOTENCY_ENV_KEY does. Unset: it does.
 */
export function answersCommands(config: Config, env: Environment): boolean {
  if (config.idempotencyKey === undefined) return true
  const split = config.idempotencyKey.indexOf('=')
  const value = env[config.idempotencyKey.slice(0, split)]
  return value !== undefined && unquoted(value) === unquoted(config.idempotencyKey.slice(split + 1))
}

/** Which Exoix this is, as package.json has it. */
export const VERSION = version
