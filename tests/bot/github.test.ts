import { afterEach, describe, expect, test } from 'bun:test'
import { startGithubSimulator } from '../../src/simulator/github/github.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { createTestClock, inProcess, MINUTE, SECOND } from '../github/support.ts'
import { cleanUp, type HouseOptions, openHouse } from './support.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  await cleanUp()
  for (const stop of stops.splice(0)) await stop()
})

const DEVICE = { device: true }

/** The bot between a simulated Discord and a simulated GitHub, and a clock for the latter. */
async function open({ device = false, ...options }: HouseOptions & { device?: boolean } = {}) {
  const clock = createTestClock()
  const hub = startGithubSimulator({ now: clock.now })
  stops.push(hub.stop)
  const ada = hub.world.addUser({ login: 'Ada', bio: 'engines' })
  const config = {
    githubApiUrl: hub.apiUrl,
    githubUrl: hub.url,
    ...(device && { githubClientId: hub.clientId }),
  }
  const house = await openHouse({ ...options, github: { config, clock, fetch: inProcess(hub, clock) } })
  const [alice, bob] = house.people as [string, string]
  return {
    ...house,
    clock,
    hub,
    ada,
    alice,
    bob,
    setBio: (bio: string | null) => hub.world.changeUser(ada.id, { bio }),
    shown: (userId = alice) => JSON.parse(house.presences.account(userId)?.json ?? 'null'),
  }
}

const proofIn = ({ content }: Pick<BotMessage, 'content'>) => /exoix-link-[0-9a-f]{24}/.exec(content)?.[0] ?? ''
const userCodeIn = ({ content }: Pick<BotMessage, 'content'>) => /WDJB-\d{4}/.exec(content)?.[0] ?? ''

describe('connecting GitHub without a client id', () => {
  for (const place of ['guild', 'dm'] as const) {
    test(`takes a code in the bio, typed in a ${place}`, async () => {
      const { ask, alice, setBio, shown, hub, ada } = await open()
      const told = await ask(alice, '.github connect ada', place)
      expect(told.content).toContain(`<${hub.url}/Ada>`)
      expect(told.content).toContain('`.github verify` within 15 minutes')
      setBio(`hello ${proofIn(told)}`)
      const done = await ask(alice, '.github verify', place)
      expect(done.content).toBe('Your GitHub account `Ada` is connected.')
      expect(shown()).toMatchObject({ id: ada.id, username: 'Ada' })
    })
  }

  test('takes a code in a public gist, by slash commands', async () => {
    const { slash, alice, shown, hub, ada } = await open()
    const told = await (await slash(alice, 'github connect', { username: '@Ada' })).reply()
    expect(told.content).toContain('`/github verify`')
    hub.world.addGist(ada.id, { files: { 'proof.txt': proofIn(told) } })
    const done = await (await slash(alice, 'github verify')).reply()
    expect(done.content).toContain('`Ada` is connected')
    expect(shown().id).toBe(ada.id)
  })

  test('says where the code must stand when it is not there, and repeats it', async () => {
    const { ask, alice, shown } = await open()
    const told = await ask(alice, '.github connect ada')
    const answer = await ask(alice, '.github verify')
    expect(answer.content).toContain('neither in the bio of `Ada` nor in its latest public gists')
    expect(proofIn(answer)).toBe(proofIn(told))
    expect(shown()).toBeNull()
  })

  test("does not link somebody else's account", async () => {
    const { ask, alice, bob, setBio, shown } = await open()
    setBio(proofIn(await ask(bob, '.github connect ada')))
    await ask(alice, '.github connect ada')
    expect((await ask(alice, '.github verify')).content).toContain('If that account is not yours')
    expect(shown()).toBeNull()
  })

  test('says that a code has expired and how to get another', async () => {
    const { ask, alice, setBio, clock } = await open()
    setBio(proofIn(await ask(alice, '.github connect ada')))
    await clock.advance(15 * MINUTE)
    const { content } = await ask(alice, '.github verify')
    expect(content).toBe('That code has expired. Get a new one with `.github connect <username>`')
  })

  test('says whose account is connected when there is nothing to verify', async () => {
    const { ask, alice, setBio } = await open()
    expect((await ask(alice, '.github verify')).content).toContain('nothing to verify')
    setBio(proofIn(await ask(alice, '.github connect ada')))
    await ask(alice, '.github verify')
    expect((await ask(alice, '.github verify')).content).toBe('Your GitHub account `Ada` is connected.')
  })

  test('tells a name that cannot be from one that is not there', async () => {
    const { ask, alice } = await open()
    expect((await ask(alice, '.github connect **')).content).toContain('not what a GitHub username looks like')
    expect((await ask(alice, '.github connect nobody')).content).toBe('GitHub has no account called `nobody`.')
    expect((await ask(alice, '.github connect')).content).toBe('Usage: `.github connect <username>`')
    expect((await ask(alice, '.github')).content).toContain('`.github disconnect`')
  })

  test('follows an account that was renamed meanwhile', async () => {
    const { ask, alice, setBio, hub, ada, shown } = await open()
    setBio(proofIn(await ask(alice, '.github connect ada')))
    hub.world.changeUser(ada.id, { login: 'Countess' })
    expect((await ask(alice, '.github verify')).content).toContain('`Countess` is connected')
    expect(shown().username).toBe('Countess')
  })

  test('says that an account was deleted meanwhile', async () => {
    const { ask, alice, hub, ada } = await open()
    await ask(alice, '.github connect ada')
    hub.world.deleteUser(ada.id)
    expect((await ask(alice, '.github verify')).content).toBe('GitHub has no account called `Ada`.')
  })

  test('says how long to wait when GitHub has had enough, and what to do in an outage', async () => {
    const { ask, alice, bob, hub } = await open()
    hub.fail({ kind: 503 })
    expect((await ask(bob, '.github connect ada')).content).toContain('GitHub does not answer as it should')
    hub.fail({ kind: 'secondary limit', retryAfter: 100 })
    expect((await ask(alice, '.github connect ada')).content).toContain('Try again in 2 minutes; nothing was changed.')
    const { requests } = { requests: hub.recorder.all('request').length }
    expect((await ask(bob, '.github connect ada')).content).toContain('Try again in 2 minutes')
    expect(hub.recorder.all('request')).toHaveLength(requests)
  })

  test('says when somebody has tried too often', async () => {
    const { ask, alice } = await open()
    for (let count = 0; count < 10; count++) await ask(alice, '.github connect ada')
    expect((await ask(alice, '.github connect ada')).content).toContain('Try again in 60 minutes.')
  })

  test('says whose fault a refused token is', async () => {
    const { ask, alice, hub } = await open()
    hub.fail({ kind: 401 })
    expect((await ask(alice, '.github connect ada')).content).toContain('whoever runs this bot')
  })
})

describe('connecting GitHub with a client id', () => {
  test('sends what to do by direct message, and says there when it is done', async () => {
    const { say, sim, alice, hub, clock, shown, ada } = await open(DEVICE)
    say(alice, '.github connect ada')
    const told = await sim.nextMessage()
    expect(told.userId).toBe(alice)
    expect(told.content).toContain(`<${hub.url}/login/device>`)
    const pointer = await sim.nextMessage()
    expect([pointer.userId, pointer.content]).toEqual([null, 'What to do now is in your direct messages.'])
    hub.device.authorize(userCodeIn(told), 'Ada')
    await clock.advance(5 * SECOND)
    const done = await sim.nextMessage()
    expect([done.userId, done.content]).toEqual([alice, 'Your GitHub account `Ada` is connected.'])
    expect(shown().id).toBe(ada.id)
  })

  test('answers a slash command for its sender only', async () => {
    const { slash, sim, alice, hub, clock } = await open(DEVICE)
    const outcome = await slash(alice, 'github connect', { username: 'ada' })
    const told = await outcome.reply()
    expect(outcome).toMatchObject({ data: { flags: 64 } })
    hub.device.authorize(userCodeIn(told), 'Ada')
    await clock.advance(5 * SECOND)
    expect((await sim.nextMessage()).content).toContain('`Ada` is connected')
  })

  /** What the person hears after something happened at GitHub. */
  async function heard(happens: (hub: Awaited<ReturnType<typeof open>>['hub'], code: string) => unknown) {
    const house = await open(DEVICE)
    house.hub.world.addUser({ login: 'eve' })
    const told = await house.ask(house.alice, '.github connect ada', 'dm')
    happens(house.hub, userCodeIn(told))
    await house.clock.advance(16 * MINUTE)
    const { content } = await house.sim.nextMessage()
    expect(house.shown()?.username).toBe(content.includes('is connected') ? 'Ada' : undefined)
    return content
  }

  test('tells how it ended', async () => {
    expect(await heard((hub, code) => hub.device.deny(code))).toContain('You refused it at GitHub')
    expect(await heard(() => {})).toContain('That code has expired')
    expect(await heard((hub, code) => hub.device.expire(code))).toContain('That code has expired')
    expect(await heard((hub, code) => hub.device.authorize(code, 'eve'))).toContain(
      'You signed in to GitHub as `eve`, which is not the account you named.',
    )
    const outage = await heard((hub, code) => {
      hub.device.authorize(code, 'Ada')
      hub.fail({ kind: 502, path: /^\/user$/ })
    })
    expect(outage).toContain('GitHub does not answer as it should')
    const slowly = await heard((hub, code) => {
      hub.device.slowDown()
      hub.device.authorize(code, 'Ada')
    })
    expect(slowly).toBe('Your GitHub account `Ada` is connected.')
  })

  test('says what GitHub waits for when somebody asks meanwhile', async () => {
    const { ask, alice, hub } = await open(DEVICE)
    const told = await ask(alice, '.github connect ada', 'dm')
    const { content } = await ask(alice, '.github verify', 'dm')
    expect(content).toBe(`GitHub is waiting for you: enter \`${userCodeIn(told)}\` at <${hub.url}/login/device>`)
  })

  test('never shows the code in a server', async () => {
    const { say, sim, alice, written } = await open(DEVICE)
    say(alice, '.github connect ada')
    await sim.nextMessage()
    await sim.nextMessage()
    say(alice, '.github verify')
    await sim.nextMessage()
    await sim.nextMessage()
    const inServers = written().filter(({ userId }) => userId === null)
    expect(inServers).toHaveLength(2)
    expect(inServers.map(userCodeIn)).toEqual(['', ''])
  })

  test('with closed DMs says what to do instead', async () => {
    const { ask, sim, alice } = await open(DEVICE)
    sim.closeDms(alice)
    expect((await ask(alice, '.github connect ada')).content).toContain('use `/github connect`')
  })

  test('says that the operator has to mend a client id GitHub does not take', async () => {
    const { ask, alice, hub } = await open(DEVICE)
    hub.device.enabled = false
    expect((await ask(alice, '.github connect ada')).content).toContain('whoever runs this bot')
  })
})

describe('a linked account', () => {
  async function linked(options: HouseOptions = {}) {
    const house = await open(options)
    house.setBio(proofIn(await house.ask(house.alice, '.github connect ada')))
    await house.ask(house.alice, '.github verify')
    return house
  }

  test('is forgotten when its owner says so', async () => {
    const { ask, alice, shown } = await linked()
    expect((await ask(alice, '.github disconnect')).content).toBe('Your GitHub account `Ada` is forgotten.')
    expect(shown()).toBeNull()
    expect((await ask(alice, '.github disconnect')).content).toBe('No GitHub account was connected.')
  })

  test('is erased with everything else', async () => {
    const { ask, alice, shown, github } = await linked()
    await ask(alice, '.privacy delete confirm')
    expect(shown()).toBeNull()
    expect(github.login(alice)).toBeUndefined()
  })

  test('is replaced by another one, once that is proved', async () => {
    const { ask, alice, shown, hub } = await linked()
    const eve = hub.world.addUser({ login: 'eve' })
    const told = await ask(alice, '.github connect eve')
    expect(shown().username).toBe('Ada')
    hub.world.changeUser(eve.id, { bio: proofIn(told) })
    await ask(alice, '.github verify')
    expect(shown().username).toBe('eve')
  })

  test('does not change a presence: only what harmy shows carries it', async () => {
    const house = await open()
    const changes: unknown[] = []
    house.presences.onChange(change => changes.push(change))
    const before = house.presences.snapshot(house.alice)
    house.setBio(proofIn(await house.ask(house.alice, '.github connect ada')))
    await house.ask(house.alice, '.github verify')
    expect(house.shown().username).toBe('Ada')
    expect(house.presences.snapshot(house.alice)).toBe(before)
    expect(changes).toEqual([])
  })
})
