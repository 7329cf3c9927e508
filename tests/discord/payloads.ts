/** Payloads shaped as Discord's, small. */
export const user = (id: string, patch: object = {}) => ({
  id,
  username: `user${id}`,
  global_name: null,
  discriminator: '0',
  avatar: null,
  ...patch,
})

export const member = (id: string, patch: object = {}) => ({
  user: user(id),
  nick: null,
  roles: [],
  joined_at: '2024-06-18T21:52:05.463000+00:00',
  ...patch,
})

export const presence = (id: string, status = 'online', patch: object = {}) => ({
  user: { id },
  status,
  client_status: status === 'offline' ? {} : { desktop: status },
  activities: [],
  ...patch,
})

export const guildCreate = (id: string, ids: readonly string[], patch: object = {}) => ({
  id,
  name: `guild ${id}`,
  large: false,
  unavailable: false,
  member_count: ids.length,
  members: ids.map(memberId => member(memberId)),
  presences: ids.map(memberId => presence(memberId)),
  ...patch,
})

export const chunk = (guildId: string, ids: readonly string[], patch: object = {}) => ({
  guild_id: guildId,
  members: ids.map(id => member(id)),
  presences: ids.map(id => presence(id)),
  chunk_index: 0,
  chunk_count: 1,
  not_found: [],
  ...patch,
})

export const ready = (guildIds: readonly string[], patch: object = {}) => ({
  v: 10,
  user: user('900', { bot: true }),
  session_id: 'session',
  resume_gateway_url: 'wss://resume.example',
  guilds: guildIds.map(id => ({ id, unavailable: true })),
  ...patch,
})

/** Things nobody sends and everybody must survive. */
export const NONSENSE: readonly unknown[] = [
  null,
  undefined,
  true,
  0,
  1e300,
  '',
  'text',
  [],
  [null],
  {},
  { id: 5 },
  { user: null },
  { user: [] },
  { user: { id: null } },
  { user: { id: 123456789012345 } },
  { user: { id: 'not a number' } },
  { constructor: null, toString: 5, hasOwnProperty: [] },
  JSON.parse('{"__proto__":{"user":{"id":"1"}}}'),
]

/** A list in a list in a list. */
export function nested(depth: number): unknown {
  let value: unknown = []
  for (let level = 0; level < depth; level++) value = [value]
  return value
}
