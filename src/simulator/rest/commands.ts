import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import type { BotRecorder } from '../recorder.ts'
import type { Json } from '../types.ts'
import { failure, invalidForm, json, type RestContext, type Route } from './answers.ts'
import { checkCommands } from './command-rules.ts'

/** Docs: Application Commands, "Application Command Types". */
export const CommandType = { slash: 1, user: 2 } as const

/** The application's registered commands. */
export interface Commands {
  /** The command of that name and type a person sees in a guild (null: in a DM); a slash command unless told. */
  find(name: string, guildId: string | null, type?: number): Json | null
  readonly routes: Route[]
}

/** Registering and listing commands (docs: Interactions, Application Commands, "Endpoints"). */
export function createCommands(world: World, account: Account, recorder: BotRecorder): Commands {
  /** Key: guild id, or '' for global ones. */
  const registered = new Map<string, Json[]>()
  const global = /^\/applications\/(?<applicationId>\d+)\/commands$/
  const inGuild = /^\/applications\/(?<applicationId>\d+)\/guilds\/(?<guildId>\d+)\/commands$/

  function overwrite({ params, body }: RestContext): Response {
    const refusal = refuse(params)
    if (refusal) return refusal
    const problems = checkCommands(body)
    if (problems.length > 0) return invalidForm(problems)
    const guildId = params.guildId ?? null
    const commands = (body as unknown as Json[]).map(command => complete(command, guildId))
    registered.set(guildId ?? '', commands)
    recorder.record('commands', { guildId, commands })
    return json(commands)
  }

  function refuse(params: Record<string, string>): Response | null {
    if (params.applicationId !== account.applicationId)
      return failure(403, 20012, 'You are not authorized to perform this action on this application')
    if (params.guildId !== undefined && !world.guilds.has(params.guildId)) return failure(403, 50001, 'Missing Access')
    return null
  }

  function complete(command: Json, guildId: string | null): Json {
    const known = registered
      .get(guildId ?? '')
      ?.find(({ name, type }) => name === command.name && type === (command.type ?? 1))
    return {
      type: 1,
      description: '',
      default_member_permissions: null,
      nsfw: false,
      contexts: null,
      integration_types: [0],
      ...command,
      id: known?.id ?? world.snowflake(),
      application_id: account.applicationId,
      version: world.snowflake(),
      ...(guildId === null ? {} : { guild_id: guildId }),
    }
  }

  const answerList = ({ params }: RestContext) => refuse(params) ?? json(registered.get(params.guildId ?? '') ?? [])
  const routes: Route[] = [global, inGuild].flatMap(path => [
    { method: 'PUT', path, answer: overwrite },
    { method: 'GET', path, answer: answerList },
  ])

  return {
    find(name, guildId, type = CommandType.slash) {
      const own = guildId === null ? [] : (registered.get(guildId) ?? [])
      return (
        [...own, ...(registered.get('') ?? [])].find(command => command.name === name && command.type === type) ?? null
      )
    },
    routes,
  }
}
