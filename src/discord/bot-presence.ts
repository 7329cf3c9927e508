import { ActivityType, type GatewayPresenceUpdateData, PresenceUpdateStatus } from '@discordjs/core/http-only'

/**
 * The bot's own presence for IDENTIFY (docs: Gateway Events, "Update Presence"). A custom status carries its text in
 * `state`; streaming needs a Twitch or YouTube address, which nobody configures here, and shows as playing without one.
 */
export function botPresence(text: string, type: number): GatewayPresenceUpdateData {
  const activity =
    type === ActivityType.Custom
      ? { name: 'Custom Status', type, state: text }
      : { name: text, type: type === ActivityType.Streaming ? ActivityType.Playing : type }
  return { since: null, activities: [activity], status: PresenceUpdateStatus.Online, afk: false }
}
