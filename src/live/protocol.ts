import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'

/** Close codes clients know and the reasons sent along. */
export const CLOSES = {
  unknownOpcode: { kind: 'close', code: 4004, reason: 'unknown_opcode' },
  requiresDataObject: { kind: 'close', code: 4005, reason: 'requires_data_object' },
  invalidPayload: { kind: 'close', code: 4006, reason: 'invalid_payload' },
  rateLimited: { kind: 'close', code: 4008, reason: 'rate_limited' },
  goingAway: { kind: 'close', code: 1001, reason: 'going_away' },
} as const satisfies Record<string, Close>

export interface Close {
  readonly kind: 'close'
  readonly code: number
  readonly reason: string
}

/** Op 2, answered by INIT_STATE. Ids are snowflakes, each once: no other string can ever be somebody's. */
export type Follow =
  | { readonly kind: 'followOne'; readonly id: string | null }
  | { readonly kind: 'followMany'; readonly ids: readonly string[] }
  | { readonly kind: 'followAll' }

/** Op 4, never answered. */
export type Unfollow = { readonly kind: 'unfollow'; readonly ids: readonly string[] } | { readonly kind: 'unfollowAll' }

export type Command = Follow | Unfollow

/** What a frame asks for: `nothing` is a heartbeat, or an op 4 that names nothing usable. */
export type Parsed = Command | Close | { readonly kind: 'nothing' }

const NOTHING: Parsed = { kind: 'nothing' }

/** Names that cost as much as a frame, and how many do when they are let go of all at once. */
const NAMES_A_FRAME = 256
const NAMES_DROPPED_A_FRAME = 1024

/** What a frame costs beyond one, for the ids it names, or lets go of: `named` are followed by name so far. */
export function extraCost(parsed: Parsed, named: number): number {
  if ('ids' in parsed) return Math.floor(parsed.ids.length / NAMES_A_FRAME)
  const dropsAll = parsed.kind === 'followAll' || parsed.kind === 'unfollowAll'
  return dropsAll ? Math.floor(named / NAMES_DROPPED_A_FRAME) : 0
}

/** What a client's frame asks for. Anything is safe: what it cannot mean becomes one of the documented closes. */
export function parseFrame(message: string | Uint8Array): Parsed {
  const frame = parseJson(message)
  if (!isObject(frame)) return CLOSES.invalidPayload
  switch (own(frame, 'op')) {
    case 2:
      return parseFollow(own(frame, 'd'))
    case 3:
      return NOTHING
    case 4:
      return parseUnfollow(own(frame, 'd'))
    default:
      return CLOSES.unknownOpcode
  }
}

/** The first key present decides, whatever its value: ids before id before all. */
function parseFollow(d: unknown): Follow | Close {
  if (!isObject(d) || Object.keys(d).length === 0) return CLOSES.requiresDataObject
  if (Object.hasOwn(d, 'subscribe_to_ids')) {
    const ids = d.subscribe_to_ids
    return Array.isArray(ids) ? { kind: 'followMany', ids: snowflakes(ids) } : CLOSES.invalidPayload
  }
  if (Object.hasOwn(d, 'subscribe_to_id')) {
    const id = d.subscribe_to_id
    return { kind: 'followOne', id: isSnowflake(id) ? id : null }
  }
  return own(d, 'subscribe_to_all') === true ? { kind: 'followAll' } : CLOSES.invalidPayload
}

/** The first usable key decides; what is not usable is as good as not there. */
function parseUnfollow(d: unknown): Parsed {
  if (!isObject(d)) return NOTHING
  const ids = own(d, 'unsubscribe_from_ids')
  if (Array.isArray(ids)) return { kind: 'unfollow', ids: snowflakes(ids) }
  const id = own(d, 'unsubscribe_from_id')
  if (typeof id === 'string') return { kind: 'unfollow', ids: snowflakes([id]) }
  return own(d, 'unsubscribe_from_all') === true ? { kind: 'unfollowAll' } : NOTHING
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined for what is no JSON, or in bytes no UTF-8. */
function parseJson(message: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof message === 'string' ? message : utf8.decode(message))
  } catch {
    return undefined
  }
}

const own = (object: JsonObject, key: string) => (Object.hasOwn(object, key) ? object[key] : undefined)
const snowflakes = (values: readonly unknown[]) => [...new Set(values.filter(isSnowflake))]

/** The first frame of every connection. The interval is in milliseconds. */
export const HELLO = '{"op":1,"d":{"heartbeat_interval":30000}}'

// Frames are spliced from presences that are JSON text already: nothing is parsed or serialized on the way out.

/** `body` is JSON: one presence, `{}`, or a map of them by id. */
export function initStateFrame(seq: number, body: string): string {
  return `{"op":0,"seq":${seq},"t":"INIT_STATE","d":${body}}`
}

/** `presence` is JSON: a presence, with {@link withUserId} or without. */
export function updateFrame(seq: number, presence: string): string {
  return `${updateHead(seq)}${presence}}`
}

const updateHead = (seq: number) => `{"op":0,"seq":${seq},"t":"PRESENCE_UPDATE","d":`

/** An update in three parts, of which the middle one, the presence's fields, is the same whoever it goes to. */
export function updateParts(seq: number, id: string | null, presence: string): [string, string, string] {
  return [`${updateHead(seq)}{${id === null ? '' : `"user_id":"${id}",`}`, presence.slice(1), '}']
}

/** Adds `user_id` to a presence's text: clients that keep a map need it, clients that keep one presence freeze on it. */
export function withUserId(id: string, presence: string): string {
  return `{"user_id":"${id}",${presence.slice(1)}`
}
