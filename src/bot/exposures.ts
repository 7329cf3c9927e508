import { CUSTOM_STATUS } from '../domain/activity.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import { readTexts } from './message.ts'

/** Something people wrote elsewhere than in a message, and where that was. */
interface Exposure {
  readonly text: string
  readonly where: string
}

/** Nothing shorter is a key. */
const SHORTEST = 16
/** In presences only what is as long as the keys that are made today, with their prefix or without. */
const SHORTEST_STATUS = 32

type Read = (data: JsonObject) => Exposure

const NAMES: Read = data => ({ text: join(readTexts(data)), where: 'a name or topic in a server' })
const THREAD: Read = data => ({ text: join(readTexts(data)), where: 'the title of a thread' })
const MEMBER: Read = data => ({ text: join(memberTexts(data)), where: 'a nickname' })
const STATUS: Read = data => ({ text: statusText(data), where: 'a status' })
const SERVER: Read = data => ({ text: join(serverTexts(data)), where: 'a name, status or topic in a server' })
const CHUNK: Read = data => ({ text: join(memberListTexts(data)), where: 'a nickname or status' })

/** By gateway event; messages and interactions are read elsewhere. */
const READERS: ReadonlyMap<string, Read> = new Map([
  ['PRESENCE_UPDATE', STATUS],
  ['GUILD_MEMBER_ADD', MEMBER],
  ['GUILD_MEMBER_UPDATE', MEMBER],
  ['GUILD_MEMBERS_CHUNK', CHUNK],
  ['GUILD_CREATE', SERVER],
  ['GUILD_UPDATE', NAMES],
  ['GUILD_ROLE_CREATE', NAMES],
  ['GUILD_ROLE_UPDATE', NAMES],
  ['CHANNEL_CREATE', NAMES],
  ['CHANNEL_UPDATE', NAMES],
  ['VOICE_CHANNEL_STATUS_UPDATE', NAMES],
  ['STAGE_INSTANCE_CREATE', NAMES],
  ['STAGE_INSTANCE_UPDATE', NAMES],
  ['THREAD_CREATE', THREAD],
  ['THREAD_UPDATE', THREAD],
  ['THREAD_LIST_SYNC', THREAD],
])

/** What an event shows of what people wrote; null when there is nothing long enough to be a key. */
export function readExposure(type: string, data: unknown): Exposure | null {
  if (!isObject(data)) return null
  const exposure = READERS.get(type)?.(data)
  return exposure === undefined || exposure.text === '' ? null : exposure
}

const join = (texts: Iterable<unknown>) =>
  Array.from(texts)
    .filter(text => typeof text === 'string' && text.length >= SHORTEST)
    .join('\n')

function* memberTexts({ nick, user }: JsonObject): Generator<unknown> {
  yield nick
  if (!isObject(user)) return
  yield user.username
  yield user.global_name
}

/** Called for every presence, thousands a second: next to nothing where no text could be a key. */
function statusText({ activities }: JsonObject): string {
  if (!Array.isArray(activities)) return ''
  let text = ''
  for (const activity of activities as unknown[]) {
    if (!isObject(activity)) continue
    const { type, name, state, details, url } = activity
    if (isLong(state) && (type === CUSTOM_STATUS || isKeyLike(state))) text += `${state}\n`
    if (isKeyLike(details)) text += `${details}\n`
    if (isKeyLike(name)) text += `${name}\n`
    if (isKeyLike(url)) text += `${url}\n`
  }
  return text
}

const isLong = (text: unknown): text is string => typeof text === 'string' && text.length >= SHORTEST_STATUS

/** Of what programs tell of themselves only what looks like a key is looked at: most of it are titles of songs. */
const isKeyLike = (text: unknown): text is string => isLong(text) && (!text.includes(' ') || text.includes('exoix'))

function* memberListTexts({ members, presences }: JsonObject): Generator<unknown> {
  for (const member of objects(members)) yield* memberTexts(member)
  for (const presence of objects(presences)) yield statusText(presence)
}

function* serverTexts(server: JsonObject): Generator<unknown> {
  yield server.name
  yield server.description
  for (const { name, topic } of [...objects(server.channels), ...objects(server.threads)]) yield* [name, topic]
  for (const { topic } of objects(server.stage_instances)) yield topic
  yield* memberListTexts(server)
}

const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
