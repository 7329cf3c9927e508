import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { API } from '@discordjs/core'
import { DiscordAPIError } from '@discordjs/rest'
import type { Simulator } from '../../../src/simulator/simulator.ts'
import { cleanUp, openRaw, restFor, simulate } from '../support.ts'

const COMMANDS = [
  {
    name: 'kv',
    description: 'Key-value pairs',
    options: [
      {
        type: 1,
        name: 'set',
        description: 'Sets one',
        options: [
          { type: 3, name: 'key', description: 'Its name', required: true, autocomplete: true, max_length: 255 },
          { type: 3, name: 'value', description: 'Its value', required: true },
        ],
      },
      { type: 1, name: 'edit', description: 'Edits one' },
    ],
  },
  { name: 'help', description: 'Helps', contexts: [0] },
]

let sim: Simulator
let api: API
let alice: string
let guildId: string
/** The bot: answers the next interaction it gets. */
let answerNext: (
  answer: (interaction: { id: string; token: string; data: never }) => Promise<unknown>,
) => Promise<unknown>

beforeEach(async () => {
  sim = await simulate({ interactionTimeoutMs: 200 })
  const guild = sim.world.addGuild({ members: 1 })
  guildId = guild.id
  alice = [...guild.members.keys()][1] as string
  api = new API(restFor(sim))
  const bot = await openRaw(sim)
  bot.identify({ intents: 1 })
  await bot.event('GUILD_CREATE')
  await api.applicationCommands.bulkOverwriteGlobalCommands(sim.account.applicationId, COMMANDS as never)
  answerNext = async answer => answer((await bot.event('INTERACTION_CREATE')).d)
})

afterEach(cleanUp)

async function errorOf(request: Promise<unknown>) {
  const error = await request.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof DiscordAPIError)) throw new Error(`no Discord error, but ${error}`)
  return error.code
}

describe('a slash command', () => {
  test('arrives with its options and is answered ephemerally, once', async () => {
    const asked = sim.interact({
      kind: 'command',
      userId: alice,
      guildId,
      command: 'kv set',
      options: { key: 'a', value: 'b' },
    })
    let again: unknown
    await answerNext(async interaction => {
      expect(interaction).toMatchObject({
        type: 2,
        guild_id: guildId,
        member: { user: { id: alice } },
        data: { name: 'kv' },
      })
      expect((interaction.data as { options: unknown }).options).toEqual([
        {
          type: 1,
          name: 'set',
          options: [
            { type: 3, name: 'key', value: 'a' },
            { type: 3, name: 'value', value: 'b' },
          ],
        },
      ])
      await api.interactions.reply(interaction.id, interaction.token, { content: 'done', flags: 64 })
      again = await errorOf(api.interactions.reply(interaction.id, interaction.token, { content: 'twice' }))
    })
    const outcome = await asked
    expect(outcome).toMatchObject({ type: 4, data: { content: 'done', flags: 64 } })
    expect((await outcome.reply()).content).toBe('done')
    expect(again).toBe(40060)
    expect((await sim.next('reply')).pings).toEqual({ users: [], roles: [], everyone: false })
  })

  test('can be deferred, filled in, and followed up', async () => {
    const asked = sim.interact({ kind: 'command', userId: alice, command: 'kv edit' })
    await answerNext(async interaction => {
      expect(interaction).toMatchObject({ user: { id: alice }, context: 1 })
      const { id, token } = interaction
      const application = sim.account.applicationId
      await api.interactions.defer(id, token, { flags: 64 })
      await api.interactions.editReply(application, token, { content: 'filled' })
      await api.interactions.followUp(application, token, { content: 'more', flags: 64 })
    })
    const outcome = await asked
    expect(outcome.type).toBe(5)
    const reply = await outcome.reply()
    expect(reply).toMatchObject({ content: 'filled', flags: 64 })
    expect((await outcome.nextFollowup()).content).toBe('more')
  })

  test('expires when it is not answered in time', async () => {
    const asked = sim.interact({ kind: 'command', userId: alice, guildId, command: 'help' })
    await expect(asked).rejects.toThrow('did not respond to /help')
    await answerNext(async ({ id, token }) => {
      expect(await errorOf(api.interactions.reply(id, token, { content: 'late' }))).toBe(10062)
      expect(await errorOf(api.interactions.editReply(sim.account.applicationId, token, { content: 'late' }))).toBe(
        10015,
      )
    })
  })

  test('is only offered as it was registered', async () => {
    const ask = (command: string, options = {}) => sim.interact({ kind: 'command', userId: alice, command, options })
    await expect(ask('nope')).rejects.toThrow('no command')
    await expect(ask('help')).rejects.toThrow('not offered here')
    await expect(ask('kv')).rejects.toThrow('needs a subcommand')
    await expect(ask('kv set', { key: 'a' })).rejects.toThrow('value is required')
    await expect(ask('kv set', { key: 'a', value: 'b', c: 1 })).rejects.toThrow('no option c')
    await expect(ask('kv set', { key: 'k'.repeat(256), value: 'b' })).rejects.toThrow('too long')
  })
})

test('autocomplete takes choices and nothing else', async () => {
  const asked = sim.interact({
    kind: 'autocomplete',
    userId: alice,
    command: 'kv set',
    focused: 'key',
    options: { key: 'a' },
  })
  await answerNext(async ({ id, token }) => {
    expect(await errorOf(api.interactions.reply(id, token, { content: 'x' }))).toBe(50035)
    const choices = Array.from({ length: 26 }, (_, index) => ({ name: `${index}`, value: `${index}` }))
    expect(await errorOf(api.interactions.createAutocompleteResponse(id, token, { choices }))).toBe(50035)
    await api.interactions.createAutocompleteResponse(id, token, { choices: choices.slice(1) })
  })
  expect((await asked).data.choices).toHaveLength(25)
})

test('a modal opens, is filled in within its limits, and submitted', async () => {
  const input = { type: 4, custom_id: 'value', label: 'Value', style: 2, max_length: 5 }
  const modal = { custom_id: 'edit:a', title: 'Edit', components: [{ type: 1, components: [input] }] }
  const asked = sim.interact({ kind: 'command', userId: alice, guildId, command: 'kv edit' })
  await answerNext(async ({ id, token }) => {
    expect(await errorOf(api.interactions.createModal(id, token, { ...modal, title: '' } as never))).toBe(50035)
    await api.interactions.createModal(id, token, modal as never)
  })
  const opened = await asked
  await expect(
    sim.interact({ kind: 'modal', userId: alice, modal: opened, fields: { value: '123456' } }),
  ).rejects.toThrow('too long')
  const submitted = sim.interact({ kind: 'modal', userId: alice, modal: opened, fields: { value: '12345' } })
  await answerNext(async interaction => {
    expect(interaction).toMatchObject({
      type: 5,
      guild_id: guildId,
      data: {
        custom_id: 'edit:a',
        components: [{ type: 1, components: [{ type: 4, custom_id: 'value', value: '12345' }] }],
      },
    })
    expect(await errorOf(api.interactions.createModal(interaction.id, interaction.token, modal as never))).toBe(50035)
    await api.interactions.reply(interaction.id, interaction.token, { content: 'saved' })
  })
  expect((await (await submitted).reply()).content).toBe('saved')
})

test('a button is clicked by whom it is shown to and may change its message', async () => {
  const components = [{ type: 1, components: [{ type: 2, style: 4, label: 'Delete', custom_id: 'delete' }] }]
  const asked = sim.interact({ kind: 'command', userId: alice, guildId, command: 'help' })
  await answerNext(({ id, token }) =>
    api.interactions.reply(id, token, { content: 'sure?', flags: 64, components: components as never }),
  )
  const message = await (await asked).reply()
  await expect(
    sim.interact({ kind: 'component', userId: sim.world.addUser().id, message, customId: 'delete' }),
  ).rejects.toThrow('nobody else')
  await expect(sim.interact({ kind: 'component', userId: alice, message, customId: 'other' })).rejects.toThrow(
    'no component',
  )
  const clicked = sim.interact({ kind: 'component', userId: alice, message, customId: 'delete' })
  await answerNext(async interaction => {
    expect(interaction).toMatchObject({
      type: 3,
      data: { custom_id: 'delete', component_type: 2 },
      message: { id: message.id },
    })
    await api.interactions.updateMessage(interaction.id, interaction.token, { content: 'gone', components: [] })
  })
  expect((await clicked).message()).toMatchObject({ id: message.id, content: 'gone', components: [] })
})

describe('registering commands', () => {
  test.each([
    ['an upper-case name', [{ name: 'Kv', description: 'x' }]],
    ['a name with a blank', [{ name: 'k v', description: 'x' }]],
    ['no description', [{ name: 'kv' }]],
    ['a long description', [{ name: 'kv', description: 'x'.repeat(101) }]],
    [
      'the same name twice',
      [
        { name: 'kv', description: 'x' },
        { name: 'kv', description: 'y' },
      ],
    ],
    [
      '26 options',
      [
        {
          name: 'kv',
          description: 'x',
          options: Array.from({ length: 26 }, (_, i) => ({ type: 3, name: `o${i}`, description: 'x' })),
        },
      ],
    ],
    [
      'required after optional',
      [
        {
          name: 'kv',
          description: 'x',
          options: [
            { type: 3, name: 'a', description: 'x' },
            { type: 3, name: 'b', description: 'x', required: true },
          ],
        },
      ],
    ],
    [
      'an option beside a subcommand',
      [
        {
          name: 'kv',
          description: 'x',
          options: [
            { type: 1, name: 'a', description: 'x' },
            { type: 3, name: 'b', description: 'x' },
          ],
        },
      ],
    ],
    ['101 commands', Array.from({ length: 101 }, (_, i) => ({ name: `c${i}`, description: 'x' }))],
    ['an unknown context', [{ name: 'kv', description: 'x', contexts: [7] }]],
  ])('is refused for %s', async (_, commands) => {
    const request = api.applicationCommands.bulkOverwriteGlobalCommands(sim.account.applicationId, commands as never)
    expect(await errorOf(request)).toBe(50035)
  })

  test('keeps ids over an overwrite and lists what it has', async () => {
    const before = await api.applicationCommands.getGlobalCommands(sim.account.applicationId)
    const after = await api.applicationCommands.bulkOverwriteGlobalCommands(
      sim.account.applicationId,
      COMMANDS as never,
    )
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id))
    expect((await sim.next('commands')).commands).toHaveLength(2)
  })
})
