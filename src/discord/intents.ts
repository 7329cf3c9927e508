import { ApplicationFlags, GatewayIntentBits } from '@discordjs/core/http-only'
import { FatalError } from '../domain/errors.ts'
import { HINTS, SWITCHES } from '../domain/operator.ts'

/** The bot's application, as far as it matters here. */
export interface Application {
  readonly id: string
  /** Whose it is; of a team the one who owns the team. Undefined where nobody says. */
  readonly ownerId: string | undefined
  /** Whether the bot can read the text of messages in servers. */
  readonly messageContent: boolean
}

/** What the bot may listen to. */
export interface Intents {
  /** Bits for IDENTIFY (docs: Gateway, "List of Intents"). */
  bits: number
  /** Whether the text of messages in servers is readable. */
  messageContent: boolean
}

/** Without these there is nothing to show, and their switches. */
const REQUIRED = [
  {
    flags: ApplicationFlags.GatewayGuildMembers | ApplicationFlags.GatewayGuildMembersLimited,
    name: SWITCHES.members,
  },
  { flags: ApplicationFlags.GatewayPresence | ApplicationFlags.GatewayPresenceLimited, name: SWITCHES.presences },
]

const ALWAYS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMembers |
  GatewayIntentBits.GuildPresences |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.DirectMessages

const CONTENT = {
  flags: ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited,
  name: SWITCHES.messageContent,
}

/** A switch in the developer portal, as the application has it. */
export interface Switch {
  readonly name: string
  readonly on: boolean
  /** Whether nothing works without it. */
  readonly required: boolean
}

/**
 * Every switch that matters here (docs: Resources, Application, "Application Flags"; the limited flags are those of bots
 * in fewer than 100 servers).
 */
export function readSwitches(applicationFlags: number): readonly Switch[] {
  return [...REQUIRED, CONTENT].map(({ flags, name }) => ({
    name,
    on: (applicationFlags & flags) !== 0,
    required: name !== CONTENT.name,
  }))
}

/** The intents that the application has switched on. Throws FatalError naming every switch that is missing. */
export function chooseIntents(applicationFlags: number): Intents {
  const switches = readSwitches(applicationFlags)
  const missing = switches.filter(({ on, required }) => required && !on).map(({ name }) => name)
  if (missing.length > 0) throw new FatalError(HINTS.intentsOff(missing))
  const messageContent = switches.every(({ on }) => on)
  return { bits: ALWAYS | (messageContent ? GatewayIntentBits.MessageContent : 0), messageContent }
}
