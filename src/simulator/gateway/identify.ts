import { ALL_INTENTS, ApplicationFlag, Intent, type Json } from '../types.ts'
import { type Refusal, Refused } from './refusals.ts'

export interface IdentifyOrder {
  shard: readonly [number, number]
  intents: number
  largeThreshold: number
}

const PRESENCE_STATUSES = ['online', 'dnd', 'idle', 'invisible', 'offline']

/** Which application flags let each privileged intent through. */
const PRIVILEGES: readonly [intent: number, flags: number][] = [
  [Intent.guildPresences, ApplicationFlag.gatewayPresence | ApplicationFlag.gatewayPresenceLimited],
  [Intent.guildMembers, ApplicationFlag.gatewayGuildMembers | ApplicationFlag.gatewayGuildMembersLimited],
  [Intent.messageContent, ApplicationFlag.gatewayMessageContent | ApplicationFlag.gatewayMessageContentLimited],
]

export interface IdentifyRules {
  token: string
  applicationFlags: number
  /** Guilds that a shard would serve. */
  guildsOnShard: (shardId: number, shardCount: number) => number
}

/** Checks an IDENTIFY payload the way the gateway does (docs: Gateway Events, "Identify"). */
export function readIdentify(payload: unknown, rules: IdentifyRules): IdentifyOrder | Refusal {
  if (!isObject(payload) || !wellFormed(payload)) return Refused.decodeError
  if (payload.token !== rules.token) return Refused.authenticationFailed
  const shard = (payload.shard ?? [0, 1]) as [number, number]
  if (shard[1] < 1 || shard[0] < 0 || shard[0] >= shard[1]) return Refused.invalidShard
  const intents = payload.intents as number
  if (intents < 0 || (intents & ~ALL_INTENTS) !== 0 || intents > 0x7fffffff) {
    return Refused.invalidIntents
  }
  for (const [intent, flags] of PRIVILEGES) {
    if (intents & intent && !(rules.applicationFlags & flags)) return Refused.disallowedIntents
  }
  if (rules.guildsOnShard(shard[0], shard[1]) > 2500) return Refused.shardingRequired
  return { shard, intents, largeThreshold: (payload.large_threshold as number | undefined) ?? 50 }
}

function wellFormed(payload: Json): boolean {
  const { token, properties, intents, shard, large_threshold: threshold, compress, presence } = payload
  return (
    typeof token === 'string' &&
    isObject(properties) &&
    Number.isInteger(intents) &&
    (shard === undefined || isShard(shard)) &&
    (threshold === undefined || isBetween(threshold, 50, 250)) &&
    (compress === undefined || typeof compress === 'boolean') &&
    (presence === undefined || presence === null || isPresenceUpdate(presence))
  )
}

/** The `d` of op 3, and `presence` of IDENTIFY (docs: Gateway Events, "Update Presence"). */
export function isPresenceUpdate(value: unknown): value is Json {
  if (!isObject(value)) return false
  const { since, activities, status, afk } = value
  return (
    (since === null || since === undefined || Number.isInteger(since)) &&
    Array.isArray(activities) &&
    activities.every(isBotActivity) &&
    PRESENCE_STATUSES.includes(status as string) &&
    (afk === undefined || typeof afk === 'boolean')
  )
}

function isBotActivity(value: unknown): boolean {
  return isObject(value) && typeof value.name === 'string' && value.name !== '' && isBetween(value.type, 0, 5)
}

function isShard(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isInteger)
}

function isBetween(value: unknown, from: number, to: number): value is number {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
