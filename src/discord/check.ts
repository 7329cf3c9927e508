import type { Config } from '../config.ts'
import { type Finding, HINTS, inviteUrl, note, ok, wrong } from '../domain/operator.ts'
import { describeError, type Log } from '../lib/log.ts'
import { readSwitches, type Switch } from './intents.ts'
import { createRest, isTokenRefused } from './rest.ts'

/** As many servers as Discord tells of at once; who is in more knows how to be invited. */
const MOST = 200

/** Asks Discord whose the token is, which of its switches are on, and in how many servers it is. */
export async function examineDiscord(config: Config, log: Log): Promise<readonly Finding[]> {
  if (config.botToken === undefined) return [wrong('token', HINTS.tokenMissing)]
  const { api, rest } = createRest(config, log)
  try {
    const { id, name, flags = 0 } = await api.applications.getCurrent()
    const servers = await api.users.getGuilds({ limit: MOST })
    return [
      ok('token', `it is that of ${name} (application ${id})`),
      ...readSwitches(flags).map(intent),
      invited(id, servers.length),
    ]
  } catch (error) {
    if (isTokenRefused(error)) return [wrong('token', HINTS.tokenRefused)]
    return [wrong('Discord', `${config.discordApiUrl} does not answer as it should (${describeError(error)}).`)]
  } finally {
    rest.clearHashSweeper()
    rest.clearHandlerSweeper()
  }
}

function intent({ name, on, required }: Switch): Finding {
  if (on) return ok(name, 'on')
  return required ? wrong(name, HINTS.intentsOff([name])) : note(name, HINTS.messageContentOff)
}

function invited(id: string, servers: number): Finding {
  if (servers === 0) return note('servers', HINTS.noServers(id))
  return ok('servers', `${servers}${servers < MOST ? '' : ' or more'}; another is added with ${inviteUrl(id)}`)
}
