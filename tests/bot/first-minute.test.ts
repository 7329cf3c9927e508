import { expect, test } from 'bun:test'
import { createLog } from '../../src/lib/log.ts'
import { startTestApp } from '../support/app.ts'

/** The app, and the lines of its log as they come. */
async function start(world: Parameters<typeof startTestApp>[0] = {}) {
  const lines: Record<string, unknown>[] = []
  const waiting: { message: string; resolve: (line: Record<string, unknown>) => void }[] = []
  const write = (text: string) => {
    const line = JSON.parse(text)
    lines.push(line)
    for (const { message, resolve } of waiting) if (line.message.startsWith(message)) resolve(line)
  }
  const running = await startTestApp({ ...world, log: createLog({ level: 'info', format: 'json', write }) })
  return {
    ...running,
    lines,
    /** The first line that begins so, now or later. */
    said(message: string): Promise<Record<string, unknown>> {
      const known = lines.find(line => String(line.message).startsWith(message))
      return known ? Promise.resolve(known) : new Promise(resolve => waiting.push({ message, resolve }))
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

test('a start says where the page is, how the bot comes into a server, and where its owner is to be seen', async () => {
  await using app = await start({ simulator: { identifyIntervalMs: 0 } })
  const owner = '100000000000000001'
  expect((await app.said('you')).url).toBe(`${app.url}/?user=${owner}`)
  const { applicationId } = app.simulator.account
  expect((await app.said('add the bot to a server')).url).toContain(`client_id=${applicationId}`)
  const order = ['listening', 'add the bot to a server', 'you'].map(message =>
    app.lines.findIndex(line => line.message === message),
  )
  expect(order).toEqual(order.toSorted((one, other) => one - other))
})

test('a start names the public address, where there is one', async () => {
  const config = { externalUrl: 'https://exoix.example' }
  await using app = await start({ simulator: { identifyIntervalMs: 0 }, config })
  expect((await app.said('you')).url).toStartWith('https://exoix.example/?user=')
})

test('a server the bot comes into is named, with how many people are shown because of it', async () => {
  await using app = await start({ simulator: { identifyIntervalMs: 0 } })
  await app.ready()
  const { world } = app.simulator
  const small = world.addGuild({ name: 'Home', members: 4 })
  expect(await app.said('joined "Home"')).toMatchObject({ message: 'joined "Home": 4 people shown', guildId: small.id })
  world.addGuild({ name: 'Large "one"', members: 400 })
  expect((await app.said('joined "Large')).message).toMatch(/^joined "Large \\"one\\"": 400 people shown$/)
})

test('servers the bot was in before are not named', async () => {
  await using app = await start({
    simulator: { identifyIntervalMs: 0 },
    world: simulator => void simulator.world.addGuild({ name: 'Old', members: 4 }),
  })
  await app.ready()
  app.simulator.world.addGuild({ name: 'New', members: 2 })
  await app.said('joined "New"')
  expect(app.lines.map(({ message }) => message)).not.toContainEqual(expect.stringContaining('joined "Old"'))
})
