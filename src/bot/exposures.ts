import { isObject, type JsonObject } from '../domain/presence.ts'
import { readTexts } from './message.ts'

/** Something people wrote elsewhere than in a message, and where that was. */
interface Exposure {
  readonly text: string
  readonly where: string
}

/** Nothing shorter is a key. */
const SHORTEST = 16
/** Presences come by the thousand a second, and few texts in them are as long as the keys that are made today. */
const SHORTEST_STATUS = 32

type Read = (data: JsonObject) => Exposure

const NAMES: Read = data => ({ text: join(readTexts(data)), where: 'a name or topic in a server' })
const THREAD: Read = data => ({ text: join(readTexts(data)), where: 'the title of a thread' })
const MEMBER: Read = data => ({ text: join(memberTexts(data)), where: 'a nickname' })
const STATUS: Read = data => ({ text: join(statusTexts(data), SHORTEST_STATUS), where: 'a status' })
const SERVER: Read = data => ({ text: join(serverTexts(data)), where: 'a name, status or topic in a server' })
const CHUNK: Read = data => ({ text: join(memberListTexts(data)), where: 'a nickname or status' })

/** By gateway event; messages and interactions are read elsewhere. */
const READERS: Readonly<Record<string, Read>> = {
  PRESENCE_UPDATE: STATUS,
  GUILD_MEMBER_ADD: MEMBER,
  GUILD_MEMBER_UPDATE: MEMBER,
  GUILD_MEMBERS_CHUNK: CHUNK,
  GUILD_CREATE: SERVER,
  GUILD_UPDATE: NAMES,
  GUILD_ROLE_CREATE: NAMES,
  GUILD_ROLE_UPDATE: NAMES,
  CHANNEL_CREATE: NAMES,
  CHANNEL_UPDATE: NAMES,
  VOICE_CHANNEL_STATUS_UPDATE: NAMES,
  STAGE_INSTANCE_CREATE: NAMES,
  STAGE_INSTANCE_UPDATE: NAMES,
  THREAD_CREATE: THREAD,
  THREAD_UPDATE: THREAD,
  THREAD_LIST_SYNC: THREAD,
}

/** What an event shows of what people wrote; null when there is nothing long enough to be a key. */
export function readExposure(type: string, data: unknown): Exposure | null {
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined
  if (read === undefined || !isObject(data)) return null
  const exposure = read(data)
  return exposure.text === '' ? null : exposure
}

const join = (texts: Iterable<unknown>, shortest = SHORTEST) =>
  Array.from(texts)
    .filter(text => typeof text === 'string' && text.length >= shortest)
    .join('\n')

function* memberTexts({ nick, user }: JsonObject): Generator<unknown> {
  yield nick
  if (!isObject(user)) return
  yield user.username
  yield user.global_name
}

function* statusTexts({ activities, user }: JsonObject): Generator<unknown> {
  if (isObject(user)) yield user.global_name
  for (const activity of objects(activities)) {
    const { name, state, details, url, assets } = activity
    yield* [name, state, details, url]
    if (isObject(assets)) yield* [assets.large_text, assets.small_text]
    if (Array.isArray(activity.buttons)) yield* activity.buttons
  }
}

function* memberListTexts({ members, presences }: JsonObject): Generator<unknown> {
  for (const member of objects(members)) yield* memberTexts(member)
  for (const presence of objects(presences)) yield* statusTexts(presence)
}

function* serverTexts(server: JsonObject): Generator<unknown> {
  yield server.name
  yield server.description
  for (const { name, topic } of [...objects(server.channels), ...objects(server.threads)]) yield* [name, topic]
  for (const { topic } of objects(server.stage_instances)) yield topic
  yield* memberListTexts(server)
}

const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
