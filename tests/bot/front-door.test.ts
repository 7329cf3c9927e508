import { afterEach, describe, expect, test } from 'bun:test'
import { systemClock } from '../../src/lib/clock.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { cleanUp, type House, type HouseOptions, openHouse } from './support.ts'

afterEach(cleanUp)

async function withPeople(options?: HouseOptions) {
  const house = await openHouse(options)
  const [alice, bob] = house.people as [string, string]
  return { house, alice, bob, bot: house.sim.world.bot.id }
}

interface Embed {
  title: string
  description: string
  image?: { url: string }
  thumbnail?: { url: string }
}

const embedOf = ({ message }: Pick<BotMessage, 'message'>) => (message.embeds as Embed[])[0] as Embed
const lines = (message: BotMessage | undefined) => message?.content.split('\n') ?? []

describe('who turns to the bot without a command', () => {
  const ways: [how: string, content: (bot: string) => string, place: 'guild' | 'dm'][] = [
    ['mentions it', bot => `<@${bot}>`, 'guild'],
    ['mentions it the old way, among blanks', bot => ` <@!${bot}> \n`, 'guild'],
    ['says hello in a direct message', () => 'hello!', 'dm'],
    ['tries a command that is none in a direct message', () => '.nothing', 'dm'],
    ['mentions it in a direct message', bot => `<@${bot}>`, 'dm'],
  ]
  for (const [how, content, place] of ways) {
    test(`is told what this is, their address and where to go on, right there: ${how}`, async () => {
      const { house, alice, bot } = await withPeople()
      const asked = house.say(alice, content(bot), place)
      const answer = await house.sim.nextMessage()
      expect(answer.body.message_reference).toMatchObject({ message_id: asked.id })
      expect(answer.channelId).toBe(asked.channel_id)
      expect(lines(answer)).toHaveLength(3)
      expect(answer.content).toContain(`<https://exoix.example/?user=${alice}>`)
      expect(answer.content).toContain('`.help`')
      expect(answer.pings).toEqual({ users: [], roles: [], everyone: false })
    })
  }

  test('is told once in ten minutes, wherever it is, and others are told too', async () => {
    let now = 0
    const clock = { ...systemClock, monotonic: () => now }
    const { house, alice, bob, bot } = await withPeople({ bot: { clock } })
    const told = async () => {
      house.say(alice, `<@${bot}>`)
      house.say(alice, 'hello', 'dm')
      await house.settled()
      return house.written().length
    }
    expect(await told()).toBe(1)
    now = 600_000 - 1
    expect(await told()).toBe(1)
    house.say(bob, 'hello', 'dm')
    await house.settled()
    expect(house.written()).toHaveLength(2)
    now = 600_000
    expect(await told()).toBe(3)
  })

  test('and is hidden or not seen at all is told so, and what to do', async () => {
    const { house, alice, bob } = await withPeople({
      config: { commandPrefix: '.', externalUrl: undefined, discordInvite: 'https://discord.gg/x' },
    })
    await house.ask(alice, '.privacy hide', 'dm')
    expect((await house.ask(alice, 'hello', 'dm')).content).toContain('`.privacy show`')
    house.presences.removeMember(house.guildId, bob)
    expect((await house.ask(bob, 'hello', 'dm')).content).toContain('<https://discord.gg/x>')
  })

  test('is not told when a bot, a webhook or Discord itself wrote it, nor by an edit', async () => {
    const { house, alice, bot } = await withPeople()
    const robot = house.sim.world.addMember(house.guildId, { bot: true }).id
    const { guildId, sim } = house
    house.say(robot, `<@${bot}>`)
    sim.sendMessage({ authorId: alice, guildId, content: `<@${bot}>`, webhook_id: '123456789012345678' })
    sim.sendMessage({ authorId: alice, guildId, content: `<@${bot}>`, type: 7 })
    sim.editMessage(house.say(alice, 'nothing').id, { content: `<@${bot}>` })
    await house.settled()
    expect(house.written()).toEqual([])
  })

  test('is recognised after a resumed session, in which nobody tells the bot its id', async () => {
    const { house, alice, bot } = await withPeople({ withhold: ['READY'] })
    expect(lines(await house.ask(alice, `<@${bot}>`))).toHaveLength(3)
  })
})

describe('.me', () => {
  const song = {
    id: 'spotify:1',
    type: 2,
    name: 'Spotify',
    details: 'A *Song*',
    state: 'One; Two',
    sync_id: 'x',
    assets: { large_image: 'spotify:abc', large_text: 'Album' },
  }

  function listen(house: House, userId: string): void {
    const activities = [{ type: 4, name: 'Custom Status', state: 'hi <@1>' }, song, { type: 0, name: 'Chess' }]
    house.presences.patchPresence({ user: { id: userId }, guild_id: house.guildId, status: 'idle', activities })
  }

  for (const typed of ['.me', '.presence', '.PRESENCE']) {
    test(`shows how others see you, with all your addresses (${typed})`, async () => {
      const { house, alice } = await withPeople()
      listen(house, alice)
      const { title, description, image, thumbnail } = embedOf(await house.ask(alice, typed))
      const { username } = house.sim.world.user(alice) as { username: string }
      expect(title.replaceAll('\\', '')).toBe(username)
      const [status, spotify, game] = description.split('\n')
      expect(status?.replaceAll(/[\u200b\\]/g, '')).toBe('Idle: hi <@1>')
      expect(status).not.toContain('<@1>')
      expect(spotify).toBe('Listening to Spotify **A \\*Song\\***: One, Two')
      expect(game).toBe('Playing **Chess**')
      const base = 'https://exoix.example'
      for (const address of [`/?user=${alice}`, `/v1/users/${alice}`, `/v1/users/${alice}/card.svg`])
        expect(description).toContain(`<${base}${address}>`)
      const markdown = `[![Discord presence](${base}/v1/users/${alice}/card.svg)](${base}/?user=${alice})`
      expect(description).toContain(`\`\`\`md\n${markdown}\n\`\`\``)
      expect(image?.url).toBe(`${base}/v1/users/${alice}/card.svg`)
      expect(thumbnail?.url).toBe(`${base}/${alice}.png`)
    })
  }

  test('tells paths where this instance has no public address', async () => {
    const config = { commandPrefix: '.', externalUrl: undefined, discordInvite: undefined }
    const { house, alice } = await withPeople({ config })
    const embed = embedOf(await house.ask(alice, '.me'))
    expect(embed.description).toContain(`\`/v1/users/${alice}/card.svg\``)
    expect(embed).not.toHaveProperty('image')
    expect(embed).not.toHaveProperty('thumbnail')
  })

  test('says to who is hidden that they are, and how to appear, by the way it was asked', async () => {
    const { house, alice } = await withPeople()
    await house.ask(alice, '.privacy hide')
    expect((await house.ask(alice, '.me')).content).toMatch(/hidden.*`\.privacy show`/)
    expect((await (await house.slash(alice, 'me')).reply()).content).toMatch(/hidden.*`\/privacy show`/)
  })

  test('holds with names and doings of any length', async () => {
    const { house, alice } = await withPeople()
    const activities = Array.from({ length: 60 }, () => ({ type: 0, name: '*'.repeat(500), details: '_'.repeat(500) }))
    house.presences.patchPresence({ user: { id: alice, global_name: '~'.repeat(300) }, status: 'online', activities })
    const { title, description } = embedOf(await house.ask(alice, '.me'))
    expect([title.length <= 256, description.length <= 4096]).toEqual([true, true])
    expect(description).toContain(`<https://exoix.example/?user=${alice}>`)
  })
})

describe('"Presence" in the menu of a person', () => {
  const look = (house: House, userId: string, targetId: string) =>
    house.sim.interact({ kind: 'menu', userId, guildId: house.guildId, command: 'Presence', targetId })

  test('shows how that person is seen, to nobody else', async () => {
    const { house, alice, bob } = await withPeople()
    const outcome = await look(house, alice, bob)
    expect(outcome).toMatchObject({ type: 4, data: { flags: 64, allowed_mentions: { parse: [] } } })
    const { description } = embedOf({ message: await outcome.reply() })
    expect(description).toContain(`<https://exoix.example/?user=${bob}>`)
    expect(description).not.toContain(alice)
  })

  test('tells nothing of who is hidden, and not that they are', async () => {
    const { house, alice, bob } = await withPeople()
    await house.ask(bob, '.privacy hide')
    const { content } = await (await look(house, alice, bob)).reply()
    const robot = house.sim.world.addMember(house.guildId, { bot: true }).id
    expect((await (await look(house, alice, robot)).reply()).content).toBe(content)
    expect(content).not.toContain('hidden')
  })
})

describe('.help', () => {
  test('begins with your own addresses and groups the commands', async () => {
    const { house, alice } = await withPeople()
    const { description } = embedOf(await house.ask(alice, '.help'))
    expect(description).toStartWith(`Page: <https://exoix.example/?user=${alice}>`)
    const titles = [...description.matchAll(/^\*\*(.+)\*\*$/gm)].map(([, title]) => title)
    expect(titles).toEqual(['You', 'Key-value pairs', 'Key', 'GitHub', 'History', 'Privacy', 'Help'])
  })

  test('says whose instance this is, and what holds here, where its operator says so', async () => {
    const privacyUrl = 'https://quay.example/privacy'
    const config = { instanceName: 'Quay', privacyUrl, termsUrl: 'https://quay.example/terms' }
    const { house, alice } = await withPeople({ config })
    const { message } = await house.ask(alice, '.help')
    expect(message.content).toBe(`What is kept of you: <${privacyUrl}> · Terms: <https://quay.example/terms>`)
    expect(embedOf({ message }).title).toBe('Quay')
  })
})
