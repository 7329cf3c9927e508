import { createAppLog } from './app.ts'
import { type Config, type Environment, readConfig } from './config.ts'
import { TOKEN_REFUSED } from './discord/closes.ts'
import { chooseIntents } from './discord/intents.ts'
import { createRest, isTokenRefused } from './discord/rest.ts'
import { FatalError } from './errors.ts'
import { listening } from './http/listen.ts'
import { describeError } from './log.ts'
import { openStore } from './store/sqlite.ts'

type Say = (text: string) => void
type Step = (config: Config) => string | Promise<string>

/** What a start needs, in the order in which a start meets it. Each says what it found, or throws what to mend. */
const STEPS: readonly [name: string, step: Step][] = [
  ['database', checkDatabase],
  ['port', checkPort],
  ['Discord', checkDiscord],
]

/**
 * Tries everything a start needs without serving anybody, and says of each what it found or what to mend. Resolves with
 * whether all is well. Throws ConfigError when the settings themselves are wrong.
 */
export async function check(env: Environment, say: Say): Promise<boolean> {
  const config = { ...readConfig(env), logLevel: 'silent' as const }
  say('ok    settings')
  const results: boolean[] = []
  for (const [name, step] of STEPS) results.push(await attempt(name, () => step(config), say))
  return results.every(Boolean)
}

async function attempt(name: string, step: () => string | Promise<string>, say: Say): Promise<boolean> {
  try {
    say(`ok    ${name}: ${await step()}`)
    return true
  } catch (error) {
    say(`WRONG ${name}: ${error instanceof FatalError ? error.message : describeError(error)}`)
    return false
  }
}

async function checkDatabase(config: Config): Promise<string> {
  const store = openStore(config.databasePath, { log: createAppLog(config), patience: 0 })
  await store.close()
  return config.databasePath
}

async function checkPort({ host, port }: Config): Promise<string> {
  const server = listening(host, port, () => Bun.serve({ hostname: host, port, fetch: () => new Response() }))
  await server.stop(true)
  return `${host}:${port} is free`
}

async function checkDiscord(config: Config): Promise<string> {
  if (config.botToken === undefined) throw new FatalError('BOT_TOKEN is not set')
  const { api, rest } = createRest(config, createAppLog(config))
  try {
    const { name, flags = 0 } = await api.applications.getCurrent()
    const { messageContent } = chooseIntents(flags)
    return `the token is that of ${name}, its intents are on${messageContent ? '' : '; Message Content Intent is off, so typed commands work in direct messages and as mentions only'}`
  } catch (error) {
    if (isTokenRefused(error)) throw new FatalError(TOKEN_REFUSED)
    if (error instanceof FatalError) throw error
    throw new FatalError(`${config.discordApiUrl} did not answer (${describeError(error)})`)
  } finally {
    rest.clearHashSweeper()
    rest.clearHandlerSweeper()
  }
}
