import type { Config } from '../config.ts'
import type { RedisSettings } from './link.ts'

/** What the settings say of Redis; undefined when they name none. */
export function readRedis(config: Pick<Config, RedisConfig>): RedisSettings | undefined {
  const { redisUrl, redisCaFile, redisSentinel, redisPrefix } = config
  if (redisUrl === undefined) return undefined
  return {
    url: redisUrl,
    caFile: redisCaFile,
    sentinel: redisSentinel === undefined ? undefined : readSentinel(redisSentinel),
    prefix: redisPrefix,
  }
}

type RedisConfig = 'redisUrl' | 'redisCaFile' | 'redisSentinel' | 'redisPrefix'

/** `host:port,host:port/name`, checked already. */
function readSentinel(text: string) {
  const [hosts = '', name = ''] = text.split('/')
  return { hosts: hosts.split(',').map(host => host.trim()), name }
}
