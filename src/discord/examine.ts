import type { Config } from '../config.ts'
import { type Finding, note, ok, wrong } from '../findings.ts'
import { HINTS, inviteUrl } from '../hints.ts'
import { describeError, type Log } from '../log.ts'
import { readSwitches, type Switch } from './intents.ts'
import { createRest, isTokenRefused } from './rest.ts'

/** Asks Discord whose the token is, which of its switches are on, and in how many servers it is. */
export async function examineDiscord(config: Config, log: Log): Promise<readonly Finding[]> {
  if (config.botToken === undefined) return [wrong('token', HINTS.tokenMissing)]
  const { api, rest } = createRest(config, log)
  try {
    const { id, name, flags = 0, approximate_guild_count: servers } = await api.applications.getCurrent()
    return [
      ok('token', `it is that of ${name} (application ${id})`),
      ...readSwitches(flags).map(intent),
      invited(id, servers),
    ]
  } catch (error) {
    if (isTokenRefused(error)) return [wrong('token', HINTS.tokenRefused)]
    return [wrong('token', `${config.discordApiUrl} did not tell whose it is (${describeError(error)}).`)]
  } finally {
    rest.clearHashSweeper()
    rest.clearHandlerSweeper()
  }
}

function intent({ name, on, required }: Switch): Finding {
  if (on) return ok(name, 'on')
  return required ? wrong(name, HINTS.intentsOff([name])) : note(name, HINTS.messageContentOff)
}

/** Discord counts now and then, and not always. */
function invited(id: string, servers: number | undefined): Finding {
  if (servers === 0) return note('servers', HINTS.noServers(id))
  return ok('servers', `${servers ?? 'not counted'}; more can be added with ${inviteUrl(id)}`)
}
