import { type Environment, readConfig } from '../config.ts'
import { examineDiscord } from '../discord/check.ts'
import { type Finding, ok } from '../domain/operator.ts'
import { examineRedis } from '../feed/check.ts'
import { readRedis } from '../feed/settings.ts'
import { examineGithub } from '../github/check.ts'
import { examinePort } from '../http/check.ts'
import { proxyFor } from '../lib/proxy.ts'
import { createAppLog } from '../logging.ts'
import { examineContents, examineDatabase } from '../store/check.ts'

/**
 * Looks at everything a start needs, without starting or changing anything, and says of each what it found or what to
 * mend. Resolves with whether nothing has to be mended. Throws ConfigError when the settings themselves are wrong.
 */
export async function check(env: Environment, say: (text: string) => void): Promise<boolean> {
  const config = { ...readConfig(env), logLevel: 'silent' as const }
  const toGateway = (address: string) => proxyFor(address, env)
  let mistakes = 0
  const tell = ({ level, topic, text }: Finding) => {
    if (level === 'WRONG') mistakes++
    say(`${level.padEnd(5)} ${topic}: ${text}`)
  }
  tell(ok('settings', 'all can be read'))
  tell(examineDatabase(config.databasePath))
  tell(await examinePort(config))
  const contents = examineContents(config.databasePath)
  const discord = examineDiscord(config, createAppLog(config), { proxyFor: toGateway })
  const redis = examineRedis(readRedis(config))
  for (const finding of (await Promise.all([contents, discord, examineGithub(config), redis])).flat()) tell(finding)
  say(mistakes === 0 ? 'Nothing has to be mended.' : `To be mended: ${mistakes}.`)
  return mistakes === 0
}
