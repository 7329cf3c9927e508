import { afterEach, expect, test } from 'bun:test'
import { startActors } from '../../../src/simulator/people/actors.ts'
import { cleanUp, openRaw, simulate } from '../support.ts'

afterEach(cleanUp)

test('every featured person keeps changing, and songs follow each other without a gap', async () => {
  const sim = await simulate()
  const actors = startActors(sim, { featuredEveryMs: 5, othersEveryMs: 5, songMs: 40 })
  try {
    const [home] = [...sim.world.guilds.keys()] as [string]
    const bot = await openRaw(sim)
    bot.identify()
    await bot.event('READY')
    expect(actors.featuredIds.length).toBeGreaterThanOrEqual(3)
    for (const id of actors.featuredIds) {
      const [one, two] = [await nextOf(bot, home, id), await nextOf(bot, home, id)]
      expect(JSON.stringify(one.activities) + JSON.stringify(one.client_status)).not.toBe(
        JSON.stringify(two.activities) + JSON.stringify(two.client_status),
      )
    }
    const playing = await nextOf(bot, home, actors.featuredIds[0] as string, d => song(d) !== undefined)
    const after = await nextOf(
      bot,
      home,
      actors.featuredIds[0] as string,
      d => song(d) !== undefined && song(d).sync_id !== song(playing).sync_id,
    )
    expect(song(after).timestamps.start).toBeGreaterThanOrEqual(song(playing).timestamps.start)
    expect(song(after).timestamps.end - song(after).timestamps.start).toBe(40)
  } finally {
    actors.stop()
  }
})

type Bot = Awaited<ReturnType<typeof openRaw>>

// biome-ignore lint/suspicious/noExplicitAny: payloads are looked into
type Data = any

const song = (d: Data) => d.activities.find((activity: Data) => activity.id === 'spotify:1')

/** The next update of somebody in the first guild. */
async function nextOf(bot: Bot, guildId: string, id: string, fits: (d: Data) => boolean = () => true) {
  const frame = await bot.frames.next(({ t, d }) => {
    return t === 'PRESENCE_UPDATE' && d.user.id === id && d.guild_id === guildId && fits(d)
  })
  return frame.d
}

test('the same seed makes the same people', async () => {
  const ids = []
  for (const _ of [1, 2]) {
    const sim = await simulate()
    const actors = startActors(sim)
    actors.stop()
    ids.push([...(sim.world.guilds.values().next().value?.members.keys() ?? [])].map(id => sim.world.user(id)))
  }
  expect(ids[0]).toEqual(ids[1] as never)
  expect(ids[0]).toHaveLength(37)
})
