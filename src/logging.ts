import type { Config } from './config.ts'
import { createLog, type Log } from './lib/log.ts'

/** The log as the settings ask for it, blind to every secret in them. */
export function createAppLog({ logLevel, logFormat, botToken, githubToken, redisUrl }: Config): Log {
  return createLog({
    level: logLevel,
    format: logFormat,
    secrets: [botToken, githubToken, passwordOf(redisUrl)].filter(secret => secret !== undefined),
  })
}

function passwordOf(url: string | undefined): string | undefined {
  const password = url === undefined ? undefined : URL.parse(url)?.password
  return password === undefined || password === '' ? undefined : decodeURIComponent(password)
}
