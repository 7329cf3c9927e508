import { afterEach, expect, test } from 'bun:test'
import { Relay } from '../../src/simulator/relay.ts'
import { cleanUp, openRaw, simulate } from './support.ts'

afterEach(cleanUp)

async function relayed() {
  const sim = await simulate()
  const guild = sim.world.addGuild({ members: 1 })
  const relay = new Relay(sim)
  const bot = await openRaw(sim)
  bot.identify()
  await bot.event('GUILD_CREATE')
  const dnd = () => sim.world.setPresence([...guild.members.keys()][1] as string, { status: 'dnd' })
  return { sim, relay, bot, dnd }
}

test('a relay passes REST and the gateway on', async () => {
  const { sim, relay, bot, dnd } = await relayed()
  expect(relay.gatewayUrl).toBe(sim.account.gatewayUrl)
  expect(await (await fetch(`${relay.apiUrl}/v10/gateway`)).json()).toEqual({ url: relay.gatewayUrl })
  dnd()
  await bot.event('PRESENCE_UPDATE')
  relay.stop()
})

test('a frozen relay does not even let a close through, a thawed one delivers', async () => {
  const { sim, relay, bot, dnd } = await relayed()
  relay.freeze()
  dnd()
  bot.socket.close(4200)
  await fetch(`${sim.apiUrl}/v10/gateway`)
  expect(sim.recorder.all('close')).toEqual([])
  relay.thaw()
  expect((await sim.next('close')).code).toBe(4200)
  relay.stop()
})

test('a cut breaks every connection, and a refusing relay new ones', async () => {
  const { relay, bot } = await relayed()
  relay.cut()
  expect((await bot.closed).clean).toBe(false)
  relay.refuse(true)
  await expect(fetch(`${relay.apiUrl}/v10/gateway`)).rejects.toThrow()
  relay.refuse(false)
  expect((await fetch(`${relay.apiUrl}/v10/gateway`)).status).toBe(200)
  relay.stop()
})
