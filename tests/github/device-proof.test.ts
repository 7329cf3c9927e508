import { afterEach, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GithubProblem, Proof } from '../../src/domain/github.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { scratch, silent } from '../store/support/files.ts'
import { ANN, BEN, cleanUp, MINUTE, openGithub, outcome, SECOND } from './support.ts'

afterEach(cleanUp)

function open(options: Parameters<typeof openGithub>[0] = {}) {
  const house = openGithub({ device: true, ...options })
  const ada = house.sim.world.addUser({ login: 'Ada', bio: 'engines' })
  return {
    ...house,
    ada,
    async connect(userId = ANN, name = 'ada') {
      const { linked, ...proof } = (await house.github.connect(userId, name)) as Proof & { kind: 'device' }
      return { ...proof, linked: outcome(linked) }
    },
    reason: async (linked: Promise<unknown>) => ((await linked) as GithubProblem).reason,
    polls: () => house.asked().filter(asked => asked.startsWith('/login/oauth/access_token')).length,
  }
}

describe('connecting by signing in', () => {
  test('links the account that signed in', async () => {
    const { connect, clock, sim, ada, shown, store } = open()
    const proof = await connect()
    expect(proof).toMatchObject({ kind: 'device', code: 'WDJB-0001', page: `${sim.url}/login/device`, minutes: 15 })
    await clock.advance(12 * SECOND)
    sim.device.authorize(proof.code, 'Ada')
    await clock.advance(5 * SECOND)
    expect(await proof.linked).toBe('Ada')
    expect(shown(ANN)).toMatchObject({ id: ada.id, username: 'Ada', bio: 'engines' })
    expect([...store.loadLinks()]).toMatchObject([{ userId: ANN, githubId: ada.id, login: 'Ada' }])
  })

  test('polls as often as GitHub asks, and five seconds more after each slow_down', async () => {
    const { connect, clock, sim, polls } = open()
    const proof = await connect()
    await clock.advance(30 * SECOND)
    expect(polls()).toBe(6)
    sim.device.slowDown()
    await clock.advance(5 * SECOND)
    await clock.advance(30 * SECOND)
    expect(polls()).toBe(6 + 1 + 3)
    sim.device.slowDown()
    await clock.advance(10 * SECOND)
    await clock.advance(30 * SECOND)
    expect(polls()).toBe(10 + 1 + 2)
    sim.device.authorize(proof.code, 'Ada')
    await clock.advance(15 * SECOND)
    expect(await proof.linked).toBe('Ada')
  })

  test('takes the token along for one request, and keeps it nowhere', async () => {
    using space = scratch()
    const file = space.file('links.db')
    const store = openStore(file, { log: silent })
    const { connect, clock, sim, logged } = open({ store })
    const proof = await connect()
    sim.device.authorize(proof.code, 'Ada')
    await clock.advance(5 * SECOND)
    await proof.linked
    await store.close()
    const requests = sim.recorder.all('request')
    const withToken = requests.filter(({ token }) => token?.startsWith('gho_'))
    expect(withToken.map(({ path }) => path)).toEqual(['/user'])
    const files = readdirSync(join(file, '..')).map(name => readFileSync(join(file, '..', name), 'latin1'))
    for (const secret of ['gho_', 'simulated-device-code', withToken[0]?.token ?? '']) {
      expect(files.join('')).not.toContain(secret)
      expect(logged.join('')).not.toContain(secret)
    }
    expect(files.join('')).toContain('Ada')
  })

  test('links nobody who signed in with another account than the one named', async () => {
    const { connect, clock, sim, shown } = open()
    sim.world.addUser({ login: 'eve' })
    const proof = await connect(ANN, 'ada')
    sim.device.authorize(proof.code, 'eve')
    await clock.advance(5 * SECOND)
    expect(await proof.linked).toMatchObject({ reason: 'other account', details: { login: 'eve' } })
    expect(shown(ANN)).toBeNull()
  })

  test('ends when somebody refuses', async () => {
    const { connect, clock, sim, reason, polls } = open()
    const { code, linked } = await connect()
    sim.device.deny(code)
    await clock.advance(MINUTE)
    expect(await reason(linked)).toBe('denied')
    expect(polls()).toBe(1)
  })

  test('ends when the code expires, here or at GitHub', async () => {
    const { connect, clock, sim, reason } = open()
    const first = await connect(ANN)
    const second = await connect(BEN)
    sim.device.expire(second.code)
    await clock.advance(5 * SECOND)
    expect(await reason(second.linked)).toBe('expired')
    await clock.advance(15 * MINUTE)
    expect(await reason(first.linked)).toBe('expired')
    expect(clock.waiting).toBe(0)
  })

  test('goes on through an outage', async () => {
    const { connect, clock, sim } = open()
    const proof = await connect()
    sim.fail({ kind: 502 })
    sim.fail({ kind: 'network' })
    sim.fail({ kind: 'hang' })
    sim.fail({ kind: 'secondary limit', retryAfter: 60 })
    await clock.advance(MINUTE)
    sim.device.authorize(proof.code, 'Ada')
    await clock.advance(2 * MINUTE)
    expect(await proof.linked).toBe('Ada')
  })

  test('polls no earlier than a retry-after says', async () => {
    const { connect, clock, sim, polls } = open()
    await connect()
    sim.fail({ kind: 'secondary limit', retryAfter: 60 })
    await clock.advance(5 * SECOND)
    expect(polls()).toBe(1)
    await clock.advance(59 * SECOND)
    expect(polls()).toBe(1)
    await clock.advance(6 * SECOND)
    expect(polls()).toBe(3)
  })

  test('links nobody when GitHub does not say who signed in', async () => {
    const { connect, clock, sim, reason, shown } = open()
    const proof = await connect()
    sim.device.authorize(proof.code, 'Ada')
    sim.fail({ kind: 500, path: /^\/user$/ })
    await clock.advance(5 * SECOND)
    expect(await reason(proof.linked)).toBe('outage')
    expect(shown(ANN)).toBeNull()
  })

  test.each([['hang'], ['network'], ['page'], [503]] as const)('does not begin during an outage (%p)', async kind => {
    const { github, clock, sim } = open()
    sim.fail({ kind })
    const connecting = outcome(github.connect(ANN, 'ada'))
    await clock.advance(10 * SECOND)
    expect(await connecting).toMatchObject({ reason: 'outage' })
    expect(clock.waiting).toBe(0)
  })

  test('tells the operator when the app has no device flow', async () => {
    const { github, sim, logged } = open()
    sim.device.enabled = false
    expect(await outcome(github.connect(ANN, 'ada'))).toMatchObject({ reason: 'refused' })
    expect(logged.join()).toContain('GITHUB_CLIENT_ID')
  })

  test('starts over when somebody asks anew', async () => {
    const { connect, clock, sim, reason } = open()
    const first = await connect()
    const second = await connect()
    expect(await reason(first.linked)).toBe('replaced')
    sim.device.authorize(first.code, 'Ada')
    await clock.advance(MINUTE)
    sim.device.authorize(second.code, 'Ada')
    await clock.advance(MINUTE)
    expect(await second.linked).toBe('Ada')
  })

  test('keeps the earlier link when it is called off while GitHub is asked who signed in', async () => {
    const { github, connect, clock, sim, reason, shown } = open()
    const eve = sim.world.addUser({ login: 'eve' })
    const first = await connect(ANN, 'eve')
    sim.device.authorize(first.code, 'eve')
    await clock.advance(5 * SECOND)
    const answered = Promise.withResolvers<void>()
    const second = await connect()
    sim.device.authorize(second.code, 'Ada')
    sim.fail({ kind: 'slow', path: /^\/user$/, until: answered.promise })
    await clock.advance(5 * SECOND)
    await connect()
    answered.resolve()
    expect(await reason(second.linked)).toBe('replaced')
    expect(shown(ANN)?.id).toBe(eve.id)
    github.stop()
  })

  test('is called off by disconnecting, by being erased, and by stopping', async () => {
    const { github, connect, clock, reason } = open()
    const attempts = [await connect('1'), await connect('2'), await connect('3')]
    await github.disconnect('1')
    github.forget('2')
    github.stop()
    for (const { linked } of attempts) expect(await reason(linked)).toBe('replaced')
    expect(clock.waiting).toBe(0)
  })

  test('can be asked about while it goes on', async () => {
    const { github, connect, sim, clock } = open()
    expect(await outcome(github.verify(ANN))).toMatchObject({ reason: 'nothing asked' })
    const { code, page, linked } = await connect()
    expect(await outcome(github.verify(ANN))).toMatchObject({ reason: 'waiting', details: { code, page } })
    sim.device.authorize(code, 'Ada')
    await clock.advance(5 * SECOND)
    await linked
    expect(await outcome(github.verify(ANN))).toMatchObject({ reason: 'nothing asked' })
  })

  test('asks GitHub nothing about what is no name', async () => {
    const { github, asked } = open()
    expect(await outcome(github.connect(ANN, 'not a name'))).toMatchObject({ reason: 'bad name' })
    expect(asked()).toEqual([])
  })

  const grant = { device_code: 'x', user_code: 'ABCD-1234', verification_uri: 'https://github.example/login/device' }
  test.each([
    [{ ...grant, user_code: '**click** <https://evil.example>' }],
    [{ ...grant, verification_uri: 'javascript:alert(1)' }],
    [{ ...grant, verification_uri: 'https://github.example> <https://evil.example' }],
    [{ ...grant, device_code: undefined }],
    [[]],
  ])('shows nobody what is no code: %j', async body => {
    const { github } = open({ answer: () => Response.json(body) })
    expect(await outcome(github.connect(ANN, 'ada'))).toMatchObject({ reason: 'refused' })
  })

  test('polls every five seconds for a quarter of an hour when GitHub names no times', async () => {
    let polls = 0
    const { github, clock } = open({
      answer(url) {
        if (url.endsWith('/code')) return Response.json({ ...grant, interval: 0, expires_in: 'soon' })
        polls++
        return Response.json({ error: 'authorization_pending' })
      },
    })
    const { linked } = (await github.connect(ANN, 'ada')) as Proof & { kind: 'device' }
    const failing = outcome(linked)
    await clock.advance(20 * MINUTE)
    expect(await failing).toMatchObject({ reason: 'expired' })
    expect(polls).toBe(15 * 12 - 1)
  })
})
