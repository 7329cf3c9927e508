import { ApplicationFlags, GatewayIntentBits } from '@discordjs/core/http-only'
import { FatalError } from '../errors.ts'
import { PORTAL } from './closes.ts'

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
    name: '"Server Members Intent"',
  },
  { flags: ApplicationFlags.GatewayPresence | ApplicationFlags.GatewayPresenceLimited, name: '"Presence Intent"' },
]

const ALWAYS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMembers |
  GatewayIntentBits.GuildPresences |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.DirectMessages

/**
 * The intents that the application has switched on (docs: Resources, Application, "Application Flags"; the limited flags
 * are those of bots in fewer than 100 servers). Throws FatalError naming every switch that is missing.
 */
export function chooseIntents(applicationFlags: number): Intents {
  const missing = REQUIRED.filter(({ flags }) => (applicationFlags & flags) === 0).map(({ name }) => name)
  if (missing.length > 0) {
    throw new FatalError(
      `Exoix cannot see presences: switch on ${missing.join(' and ')} in the ${PORTAL} → Privileged Gateway Intents and start again.`,
    )
  }
  const content = ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited
  const messageContent = (applicationFlags & content) !== 0
  return { bits: ALWAYS | (messageContent ? GatewayIntentBits.MessageContent : 0), messageContent }
}
