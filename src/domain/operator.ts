/**
 * What to tell an operator who has to mend something: one text for each thing, whether it shows when Exoix starts,
 * while it serves, or in `exoix check`. Nothing here repeats a value of a setting that may be secret.
 */

const PORTAL = 'Discord Developer Portal (https://discord.com/developers/applications) → your application → Bot'

/** Switches of the portal, by the names they have there. */
export const SWITCHES = {
  presences: 'Presence Intent',
  members: 'Server Members Intent',
  messageContent: 'Message Content Intent',
} as const

/** View Channels, Send Messages, Read Message History: what answering a typed command takes. */
const PERMISSIONS = (1 << 10) | (1 << 11) | (1 << 16)

/** A page of Discord's on which the operator adds the bot to a server. */
export const inviteUrl = (applicationId: string) =>
  `https://discord.com/oauth2/authorize?client_id=${applicationId}&scope=bot+applications.commands&permissions=${PERMISSIONS}`

export const HINTS = {
  tokenMissing: `BOT_TOKEN is not set: create a bot in the ${PORTAL}, switch on its "${SWITCHES.presences}" and "${SWITCHES.members}" and set BOT_TOKEN to its token; to look around without one, run "exoix demo".`,
  tokenRefused: `Discord refused BOT_TOKEN: copy the token of your bot from the ${PORTAL} → Reset Token into BOT_TOKEN and start again.`,
  discordApiUrl: 'DISCORD_API_URL should look like https://discord.com/api: with /api, and without a version behind it',
  gatewayUnreachable: (host: string, problem: string) =>
    `Discord's gateway at ${host} cannot be used (${problem}): does a proxy, a firewall or HTTPS_PROXY stand in the way of WebSockets?`,
  intentsOff: (names: readonly string[]) =>
    `Exoix cannot see presences: switch on ${names.map(name => `"${name}"`).join(' and ')} in the ${PORTAL} → Privileged Gateway Intents and start again.`,
  messageContentOff: `"${SWITCHES.messageContent}" is off: commands are read in direct messages, as mentions and as slash commands`,
  noServers: (applicationId: string) =>
    `the bot is in no server yet, so there is nobody to show: invite it with ${inviteUrl(applicationId)}`,
  redisMissing: 'REDIS_URL is not set: name the Redis or Valkey over which a hub and its edges find each other.',
  portTaken: (host: string, port: number) =>
    `Port ${port} is already in use on ${host}: stop the program that has it, or set PORT to another one.`,
  portTakenByExoix: (host: string, port: number) =>
    `Port ${port} is already in use on ${host}, by another Exoix: stop that one first, or set PORT to another one.`,
  folderUnusable: (file: string) =>
    `${file} cannot be opened: its folder is missing or may not be written to. Mend it or DATABASE_PATH.`,
  databaseIsFolder: (file: string) => `${file} is a folder. Set DATABASE_PATH to a file in it.`,
  largeCrowd: (people: number) =>
    `somebody follows everybody, ${people} people: each such answer takes about a second of everybody's time. SUBSCRIBE_TO_ALL=off refuses that.`,
  githubTokenRefused:
    'GitHub refuses GITHUB_TOKEN: make a new one at https://github.com/settings/tokens (it needs no scope), or unset it.',
  githubClientRefused: 'GitHub refuses GITHUB_CLIENT_ID; does it exist, and is its device flow switched on?',
} as const

/** Something that was looked at: as it should be, good to know, or to be mended before Exoix can do its work. */
export interface Finding {
  readonly level: 'ok' | 'note' | 'WRONG'
  /** What was looked at, in a word or two. */
  readonly topic: string
  readonly text: string
}

export const ok = (topic: string, text: string): Finding => ({ level: 'ok', topic, text })
export const note = (topic: string, text: string): Finding => ({ level: 'note', topic, text })
export const wrong = (topic: string, text: string): Finding => ({ level: 'WRONG', topic, text })
