import { isObject, type JsonObject } from '../domain/presence.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Lists that member chunks bring in any case. */
const LISTS: readonly string[] = ['"members":[', '"presences":[']
/** Depth of the keys of `d`. */
const DEPTH = 2

/**
 * Empties the lists of members and presences in a GUILD_CREATE frame without parsing it. Parsing ten thousand members at
 * once would hold everybody up for longer than reading their characters, and they come again in chunks. Text that is no
 * JSON stays no JSON.
 */
export function withoutMemberLists(frame: string): string {
  let kept = ''
  let keptUntil = 0
  let depth = 0
  for (let at = 0; at < frame.length; at++) {
    const char = frame.charCodeAt(at)
    if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
    else if (char === QUOTE) {
      const list = depth === DEPTH ? LISTS.find(key => frame.startsWith(key, at)) : undefined
      if (list === undefined) {
        at = endOfString(frame, at)
        continue
      }
      const inside = at + list.length
      at = endOfList(frame, inside)
      kept += frame.slice(keptUntil, inside)
      keptUntil = at
    }
  }
  return kept + frame.slice(keptUntil)
}

/** Index of the quote that ends the string beginning here. Searching natively takes half the time of looking at each character. */
function endOfString(frame: string, start: number): number {
  let at = frame.indexOf('"', start + 1)
  while (at !== -1 && isEscaped(frame, at)) at = frame.indexOf('"', at + 1)
  return at === -1 ? frame.length : at
}

function isEscaped(frame: string, at: number): boolean {
  let backslashes = 0
  while (frame.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

/** Index of the bracket that ends the list whose inside begins here. */
function endOfList(frame: string, inside: number): number {
  let depth = 1
  let at = inside
  for (; at < frame.length; at++) {
    const char = frame.charCodeAt(at)
    if (char === QUOTE) at = endOfString(frame, at)
    else if (char === OPEN_BRACKET || char === OPEN_BRACE) depth++
    else if ((char === CLOSE_BRACKET || char === CLOSE_BRACE) && --depth === 0) break
  }
  return at
}

/** Why something that came from Discord was not used. A fixed list: it becomes a metric label. */
export const DROP_REASONS = [
  'bad_frame',
  'unknown_opcode',
  'oversized',
  'repeated',
  'not_an_object',
  'bad_id',
  'bad_member',
  'unknown_guild',
  'handler_error',
  'listener_error',
  'too_many_strangers',
] as const
export type DropReason = (typeof DROP_REASONS)[number]

/** One frame from the gateway, checked so far that the library can take `text` without harm. */
type Frame =
  | { readonly kind: 'dispatch' | 'hello' | 'reconnect' | 'other'; readonly text: string }
  | { readonly kind: 'invalid session'; readonly resumable: boolean }
  | { readonly kind: 'dropped'; readonly reason: DropReason }

/** Gateway opcodes that Discord sends (docs: Opcodes and Status Codes). */
const DISPATCH = 0
const HEARTBEAT = 1
const RECONNECT = 7
const INVALID_SESSION = 9
const HELLO = 10
const HEARTBEAT_ACK = 11

/** The usual head of a dispatch, in Discord's order of keys: such a frame needs no second parse. */
const USUAL_DISPATCH = /^\{"t":"(?!READY")[A-Z_]{1,64}","s":\d{1,15},"op":0,"d":/
const PRESENCE_UPDATE_HEAD = '{"t":"PRESENCE_UPDATE"'
const GUILD_CREATE_HEAD = '{"t":"GUILD_CREATE"'

/** Real presence updates stay under 20 KB; one beyond this (characters) would only weigh on every reader. */
const LONGEST_PRESENCE_UPDATE = 1 << 18

/** Beyond this (characters) parsing a guild in one go would hold readers up. About a thousand members fit. */
const LONGEST_GUILD_CREATE = 1 << 20

/** Heartbeats faster or slower than this (milliseconds) are no heartbeats, but a busy loop or a dead peer. */
const SHORTEST_HEARTBEAT_MS = 5
const LONGEST_HEARTBEAT_MS = 600_000

/**
 * Reads one gateway message. The library trusts the shape of READY, HELLO and INVALID_SESSION and would throw where nobody
 * can catch it, so those are checked here.
 */
export function readFrame(data: unknown): Frame {
  // We never ask for compression, so nothing binary may come.
  if (typeof data !== 'string') return dropped('bad_frame')
  if (data.length > LONGEST_PRESENCE_UPDATE && data.startsWith(PRESENCE_UPDATE_HEAD)) return dropped('oversized')
  if (USUAL_DISPATCH.test(data)) return { kind: 'dispatch', text: isHugeGuild(data) ? withoutMemberLists(data) : data }
  const payload = parse(data)
  return isObject(payload) ? readPayload(payload, data) : dropped('bad_frame')
}

const isHugeGuild = (frame: string) => frame.length > LONGEST_GUILD_CREATE && frame.startsWith(GUILD_CREATE_HEAD)

function readPayload(payload: JsonObject, text: string): Frame {
  switch (payload.op) {
    case DISPATCH:
      return readDispatch(payload, text)
    case HELLO:
      return readHello(payload.d, text)
    case INVALID_SESSION:
      return { kind: 'invalid session', resumable: payload.d === true }
    case RECONNECT:
      return { kind: 'reconnect', text }
    case HEARTBEAT:
    case HEARTBEAT_ACK:
      return { kind: 'other', text }
    default:
      return dropped('unknown_opcode')
  }
}

/** Op 9 in the shape the library expects. */
export function invalidSession(resumable: boolean): string {
  return `{"op":${INVALID_SESSION},"d":${resumable}}`
}

function readDispatch({ t, s, d }: JsonObject, text: string): Frame {
  if (typeof t !== 'string') return dropped('bad_frame')
  if (t === 'READY' && !isReady(d, s)) return dropped('bad_frame')
  return { kind: 'dispatch', text }
}

function isReady(d: unknown, s: unknown): boolean {
  return isObject(d) && typeof d.session_id === 'string' && d.session_id !== '' && Number.isSafeInteger(s)
}

function readHello(d: unknown, text: string): Frame {
  const interval = isObject(d) ? d.heartbeat_interval : undefined
  const usable = typeof interval === 'number' && interval >= SHORTEST_HEARTBEAT_MS && interval <= LONGEST_HEARTBEAT_MS
  return usable ? { kind: 'hello', text } : dropped('bad_frame')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const dropped = (reason: DropReason): Frame => ({ kind: 'dropped', reason })
