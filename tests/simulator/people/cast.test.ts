import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Pictures } from '../../../src/domain/discord-cdn.ts'
import type { JsonObject } from '../../../src/domain/presence.ts'
import { type Actors, startActors } from '../../../src/simulator/people/actors.ts'
import { CAST } from '../../../src/simulator/people/cast.ts'
import { startTestApp, type TestApp, testConfig } from '../../support/app.ts'

let running: TestApp
let actors: Actors

beforeAll(async () => {
  running = await startTestApp({
    simulator: { identifyIntervalMs: 0 },
    world: simulator => {
      // Nobody changes while they are looked at.
      actors = startActors(simulator, { featuredEveryMs: 1e8, othersEveryMs: 1e8, songMs: 1e8 })
    },
  })
  await running.ready()
  await actors.begin()
})

afterAll(async () => {
  actors.stop()
  await running[Symbol.asyncDispose]()
})

// biome-ignore lint/suspicious/noExplicitAny: presences are looked into
type Presence = any

async function presenceOf(id: string): Promise<Presence> {
  const answer = (await (await fetch(`${running.url}/v1/users/${id}`)).json()) as { data: Presence }
  return answer.data
}

const activityOf = (presence: Presence, type: number): JsonObject | undefined =>
  presence.activities.find((activity: JsonObject) => activity.type === type)

test('the first of the cast shows everything: song, game with art and a party, custom emoji, tag, decoration, pairs', async () => {
  const [id = ''] = actors.featuredIds
  const presence = await presenceOf(id)
  expect(presence.discord_user).toMatchObject({
    global_name: 'Ada Okonkwo',
    primary_guild: { tag: 'MOSS', identity_enabled: true },
    avatar_decoration_data: { asset: expect.any(String) },
  })
  expect(presence.listening_to_spotify).toBe(true)
  expect([presence.active_on_discord_desktop, presence.active_on_discord_mobile]).toEqual([true, true])
  expect(activityOf(presence, 4)).toMatchObject({ state: expect.any(String), emoji: { id: expect.any(String) } })
  expect(activityOf(presence, 0)).toMatchObject({
    timestamps: { start: expect.any(Number) },
    party: { size: [expect.any(Number), 4] },
    assets: { large_image: expect.any(String), small_image: expect.any(String), small_text: expect.any(String) },
  })
  expect(presence.kv).toEqual(CAST[0]?.pairs)
})

test('the last of the cast has just left, with pairs all the same', async () => {
  const presence = await presenceOf(actors.offlineId)
  expect([presence.discord_status, presence.activities, presence.kv]).toEqual(['offline', [], { location: 'away' }])
  expect(presence.last_seen_at).toBePositive()
})

test('every picture of the cast can be fetched, and is one', async () => {
  const pictures = new Pictures(testConfig(running.simulator))
  const urls = new Set<string | undefined>()
  for (const id of [...actors.featuredIds, actors.offlineId]) {
    const { discord_user: user, activities } = await presenceOf(id)
    urls
      .add(pictures.avatar(user, 'png', 32))
      .add(pictures.decoration(user, 32))
      .add(pictures.tagBadge(user, 16))
    for (const activity of activities) {
      urls.add(pictures.emoji(activity.emoji, 32))
      urls.add(pictures.activity(activity, 'large', 32)).add(pictures.activity(activity, 'small', 16))
    }
  }
  urls.delete(undefined)
  // Six avatars, two decorations, four tags (one worn twice), two emojis or more, songs and games.
  expect(urls.size).toBeGreaterThan(15)
  for (const url of urls) {
    const answer = await fetch(url as string)
    expect([url, answer.status]).toEqual([url, 200])
    await new Bun.Image(await answer.arrayBuffer()).metadata()
  }
})

test('names reach from one letter system to another, and as far as Discord lets them', () => {
  const names = CAST.map(({ user }) => String(user.global_name))
  expect(Math.max(...names.map(name => name.length))).toBe(32)
  expect(names.some(name => /\p{Script=Arabic}/u.test(name))).toBe(true)
  expect(names.some(name => /\p{Script=Han}/u.test(name))).toBe(true)
})
