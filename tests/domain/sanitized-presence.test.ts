import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type JsonObject, mergeUser, readUser, sanitizeActivity, sanitizeUser } from '../../src/domain/presence.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'

const ADA = { id: '1', username: 'ada', discriminator: '0', avatar: null }

/** `{ a: { a: … 1 } }` of so many objects, or lists, one in the other. */
function nested(depth: number, list = false): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = list ? [value] : { a: value }
  return value
}

/** How many objects and lists are around the innermost thing of a JSON text. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < json.length; at++) {
    const char = json[at] as string
    if (quoted && char === '\\') at++
    else if (char === '"') quoted = !quoted
    else if (!quoted && '[{'.includes(char)) deepest = Math.max(deepest, ++depth)
    else if (!quoted && ']}'.includes(char)) depth--
  }
  return deepest
}

describe('a user', () => {
  test.each([
    'email',
    'phone',
    'verified',
    'mfa_enabled',
    'mfaEnabled',
    'locale',
    'totp_secret',
    'fingerprints',
    'access_token',
    'passwordHash',
    'Client-Secret',
    'API_TOKEN',
  ])('never has %s, however deep it is, nor has what was kept of them', name => {
    const sent = { ...ADA, [name]: 'private', settings: [{ [name]: { a: 'private' }, theme: 'dark' }] }
    const kept = readUser(sent) ?? ''
    expect(kept).not.toContain('private')
    expect(JSON.parse(kept)).toMatchObject({ ...ADA, settings: [{ theme: 'dark' }] })
    expect(mergeUser(kept, { id: '1', [name]: 'private' })).toBe(kept)

    const store = new PresenceStore()
    store.restore({
      id: '1',
      user: JSON.stringify(sent),
      presence: { status: 'online', platforms: 0, activities: '[]', spotify: 'null' },
      memberships: [{ guildId: 'g', nick: null }],
      lastSeenAt: null,
    })
    expect(store.snapshot('1')?.json).not.toContain('private')
  })

  test('keeps every other field, known or not', () => {
    const sent = {
      ...ADA,
      collectibles: { nameplate: { asset: 'a', palette: 'b', label: 'c' } },
      primary_guild: { identity_guild_id: '2', tag: 'ABCD', badge: 'e' },
      display_name_styles: { colors: [1, 2] },
      emails_sent: 5,
      localized: true,
      verified_bot: 1,
    }
    expect(JSON.parse(readUser(sent) ?? '')).toEqual({ ...sent, bot: false, public_flags: 0 })
    expect(sanitizeUser(sent)).toBe(sent)
  })

  test('may have a field called __proto__, which is a field like any other', () => {
    const sent = JSON.parse('{"id":"1","email":"private","__proto__":{"email":"private","b":1}}')
    expect(readUser(sent)).toBe('{"id":"1","__proto__":{"b":1},"bot":false,"public_flags":0}')
  })
})

describe('what nests too deep', () => {
  /** The deepest frame there is around one person. */
  const frameOf = (store: PresenceStore) => `{"op":0,"d":{"1":${store.snapshot('1')?.json}}}`

  test.each([false, true])('is left out, the rest of it stays: 64 levels of the largest frame (lists: %p)', list => {
    const store = new PresenceStore()
    const tell = (depth: number) => {
      store.putMember('g', { user: { ...ADA, deep: nested(depth, list) } })
      store.patchPresence({
        user: { id: '1' },
        status: 'online',
        activities: [
          { name: 'deep', type: 0, assets: nested(depth, list) },
          { id: 'spotify:1', name: 'Spotify', type: 2, timestamps: nested(depth, false) },
        ],
      })
      return frameOf(store)
    }
    for (const depth of [1, 58, 59, 60, 61, 2000, 10_000]) expect(depthOf(tell(depth))).toBeLessThanOrEqual(64)
    expect(depthOf(tell(2000))).toBe(64)
    expect(JSON.parse(tell(2000)).d['1'].activities).toMatchObject([{ name: 'deep' }, { name: 'Spotify' }])
    expect(sanitizeActivity({ assets: nested(59, list) })).toEqual({ assets: nested(59, list) })
    expect(sanitizeUser({ deep: nested(60, list) })).toEqual({ deep: nested(60, list) })
  })

  test('is all that an activity loses', () => {
    const json = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), activity => {
        const sent = JSON.parse(JSON.stringify(activity)) as JsonObject
        expect(sanitizeActivity(sent)).toBe(sent)
      }),
    )
  })
})
