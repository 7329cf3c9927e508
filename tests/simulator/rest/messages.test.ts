import { afterEach, describe, expect, test } from 'bun:test'
import { Routes } from '@discordjs/core'
import { DiscordAPIError } from '@discordjs/rest'
import { cleanUp, INTENTS, openRaw, restFor, simulate } from '../support.ts'

afterEach(cleanUp)

async function withGuild() {
  const sim = await simulate()
  const guild = sim.world.addGuild({ members: 2 })
  const [, alice, bob] = [...guild.members.keys()] as [string, string, string]
  const channel = guild.channels[0]?.id as string
  return { sim, guild, alice, bob, channel, rest: restFor(sim) }
}

/** The code and status of the error a request ends in. */
async function errorOf(request: Promise<unknown>) {
  const error = await request.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof DiscordAPIError)) throw new Error(`no Discord error, but ${error}`)
  return { status: error.status, code: error.code }
}

describe('messages that reach the bot', () => {
  test('carry their content only with MESSAGE_CONTENT, in DMs, and where the bot is mentioned', async () => {
    const { sim, guild, alice } = await withGuild()
    const bot = await openRaw(sim)
    bot.identify({ intents: INTENTS.guilds | INTENTS.guildMessages | INTENTS.directMessages })
    await bot.event('GUILD_CREATE')
    const attachments = [{ id: '1', filename: 'a.txt' }]
    sim.sendMessage({ authorId: alice, guildId: guild.id, content: '.set a b', attachments })
    const hidden = await bot.event('MESSAGE_CREATE')
    expect(hidden.d).toMatchObject({ content: '', attachments: [], guild_id: guild.id, author: { id: alice } })
    expect(hidden.d.member.user).toBeUndefined()
    sim.sendMessage({ authorId: alice, guildId: guild.id, content: `<@${sim.world.bot.id}> help` })
    expect((await bot.event('MESSAGE_CREATE')).d.content).toBe(`<@${sim.world.bot.id}> help`)
    sim.sendMessage({ authorId: alice, content: 'psst' })
    const direct = await bot.event('MESSAGE_CREATE')
    expect(direct.d).toMatchObject({ content: 'psst', channel_type: 1 })
    expect(direct.d.guild_id).toBeUndefined()
  })

  test('come whole with the intent, and again when edited', async () => {
    const { sim, guild, alice } = await withGuild()
    const bot = await openRaw(sim)
    bot.identify()
    await bot.event('GUILD_CREATE')
    const sent = sim.sendMessage({ authorId: alice, guildId: guild.id, content: '.set a b' })
    expect((await bot.event('MESSAGE_CREATE')).d.content).toBe('.set a b')
    sim.editMessage(sent.id, { content: '.set a c' })
    const edited = await bot.event('MESSAGE_UPDATE')
    expect(edited.d).toMatchObject({ id: sent.id, content: '.set a c' })
    expect(edited.d.edited_timestamp).toBeString()
  })

  test('of a stranger to the guild cannot be sent', async () => {
    const { sim, guild } = await withGuild()
    const stranger = sim.world.addUser()
    expect(() => sim.sendMessage({ authorId: stranger.id, guildId: guild.id, content: 'x' })).toThrow('no member')
  })
})

describe('messages of the bot', () => {
  test('are recorded, come back over the gateway, and can be edited and deleted', async () => {
    const { sim, guild, alice, channel, rest } = await withGuild()
    const bot = await openRaw(sim)
    bot.identify()
    await bot.event('GUILD_CREATE')
    const asked = sim.sendMessage({ authorId: alice, guildId: guild.id, content: 'hi' })
    await bot.event('MESSAGE_CREATE')
    const body = { content: 'hello', message_reference: { message_id: asked.id }, allowed_mentions: { parse: [] } }
    const posted = (await rest.post(Routes.channelMessages(channel), { body })) as { id: string }
    const recorded = await sim.nextMessage()
    expect(recorded).toMatchObject({ content: 'hello', guildId: guild.id, userId: null, channelId: channel })
    expect(recorded.message.referenced_message).toMatchObject({ id: asked.id })
    expect((await bot.event('MESSAGE_CREATE')).d).toMatchObject({ id: posted.id, author: { id: sim.world.bot.id } })
    await rest.patch(Routes.channelMessage(channel, posted.id), { body: { content: 'hello again' } })
    expect((await sim.next('messageEdit')).content).toBe('hello again')
    await rest.delete(Routes.channelMessage(channel, posted.id))
    expect(await sim.next('messageDelete')).toEqual({ channelId: channel, messageId: posted.id })
    expect(await errorOf(rest.get(Routes.channelMessage(channel, posted.id)))).toEqual({ status: 404, code: 10008 })
    expect(await errorOf(rest.patch(Routes.channelMessage(channel, asked.id), { body: { content: 'x' } }))).toEqual({
      status: 403,
      code: 50005,
    })
  })

  test('tell whom they ping', async () => {
    const { sim, guild, alice, bob, channel, rest } = await withGuild()
    const asked = sim.sendMessage({ authorId: alice, guildId: guild.id, content: 'hi' })
    const post = async (body: object) => {
      await rest.post(Routes.channelMessages(channel), { body })
      return (await sim.nextMessage()).pings
    }
    const content = `<@${bob}> <@&77> @everyone`
    const message_reference = { message_id: asked.id }
    expect(await post({ content, message_reference })).toEqual({ users: [bob, alice], roles: ['77'], everyone: true })
    expect(await post({ content, message_reference, allowed_mentions: { parse: [] } })).toEqual({
      users: [],
      roles: [],
      everyone: false,
    })
    expect(await post({ content, allowed_mentions: { users: [bob] } })).toEqual({
      users: [bob],
      roles: [],
      everyone: false,
    })
  })

  test('go to a DM unless it is closed or no guild is shared', async () => {
    const { sim, guild, alice, rest } = await withGuild()
    const { id } = (await rest.post(Routes.userChannels(), { body: { recipient_id: alice } })) as { id: string }
    await rest.post(Routes.channelMessages(id), { body: { content: 'key' } })
    expect(await sim.nextMessage()).toMatchObject({ content: 'key', userId: alice, guildId: null })
    sim.closeDms(alice)
    expect(await errorOf(rest.post(Routes.channelMessages(id), { body: { content: 'key' } }))).toEqual({
      status: 403,
      code: 50007,
    })
    sim.closeDms(alice, false)
    sim.world.removeMember(guild.id, alice)
    expect(await errorOf(rest.post(Routes.channelMessages(id), { body: { content: 'key' } }))).toEqual({
      status: 403,
      code: 50278,
    })
  })

  test.each([
    ['empty', { content: ' ' }, 50006],
    ['over 2,000 characters', { content: 'x'.repeat(2001) }, 50035],
    ['no text', { content: 5 }, 50035],
    ['with an overlong embed', { embeds: [{ description: 'x'.repeat(4097) }] }, 50035],
    [
      'with embeds of over 6,000 characters',
      { embeds: [{ description: 'x'.repeat(4000) }, { description: 'x'.repeat(2001) }] },
      50035,
    ],
    ['with a nameless field', { embeds: [{ fields: [{ name: '', value: 'x' }] }] }, 50035],
    ['with too many rows', { content: 'x', components: new Array(6).fill({ type: 1, components: [] }) }, 50035],
    [
      'with a button without id',
      { content: 'x', components: [{ type: 1, components: [{ type: 2, style: 1, label: 'x' }] }] },
      50035,
    ],
    ['ephemeral', { content: 'x', flags: 64 }, 50035],
    ['with contradicting mentions', { content: 'x', allowed_mentions: { parse: ['users'], users: ['1'] } }, 50035],
    ['replying to nothing', { content: 'x', message_reference: { message_id: '1' } }, 50035],
  ])('are refused when %s', async (_, body, code) => {
    const { sim, channel, rest } = await withGuild()
    expect(await errorOf(rest.post(Routes.channelMessages(channel), { body }))).toEqual({ status: 400, code })
    expect(sim.recorder.all('message')).toEqual([])
  })

  test('of exactly 2,000 characters pass, counted in code points', async () => {
    const { sim, channel, rest } = await withGuild()
    await rest.post(Routes.channelMessages(channel), { body: { content: '🌱'.repeat(2000) } })
    expect((await sim.nextMessage()).content).toHaveLength(4000)
  })

  test('need a known channel and the permission to write in it', async () => {
    const { sim, channel, rest } = await withGuild()
    const body = { content: 'x' }
    expect(await errorOf(rest.post(Routes.channelMessages('5'), { body }))).toEqual({ status: 404, code: 10003 })
    sim.messages.forbidChannel(channel)
    expect(await errorOf(rest.post(Routes.channelMessages(channel), { body }))).toEqual({ status: 403, code: 50013 })
  })

  test('may carry files', async () => {
    const { sim, channel, rest } = await withGuild()
    const files = [{ name: 'keys.txt', data: Buffer.from('a\nb'), contentType: 'text/plain' }]
    await rest.post(Routes.channelMessages(channel), { body: { content: 'list' }, files })
    const { message } = await sim.nextMessage()
    expect(message.attachments).toMatchObject([{ filename: 'keys.txt', text: 'a\nb', size: 3 }])
  })
})
