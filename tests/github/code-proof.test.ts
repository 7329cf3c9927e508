import { afterEach, describe, expect, test } from 'bun:test'
import type { GithubProblem, Proof } from '../../src/domain/github.ts'
import type { Store } from '../../src/store/sqlite.ts'
import { ANN, BEN, cleanUp, HOUR, MINUTE, openGithub, outcome } from './support.ts'

afterEach(cleanUp)

function open(options: Parameters<typeof openGithub>[0] = {}) {
  const house = openGithub(options)
  const ada = house.sim.world.addUser({ login: 'Ada', public_repos: 3 })
  const eve = house.sim.world.addUser({ login: 'eve' })
  return {
    ...house,
    ada,
    eve,
    async connect(userId = ANN, name = 'ada') {
      const proof = await house.github.connect(userId, name)
      return proof as Proof & { kind: 'code' }
    },
    setBio: (bio: string | null, id = ada.id) => house.sim.world.changeUser(id, { bio }),
    problem: async (work: Promise<unknown>) => {
      const { reason, details } = (await outcome(work)) as GithubProblem
      return { reason, ...details }
    },
    stored: () => [...house.store.loadLinks()].map(({ userId, login, githubId }) => ({ userId, login, githubId })),
  }
}

describe('connecting with a code', () => {
  test('works with the code in the bio', async () => {
    const { github, shown, connect, setBio, ada, stored } = open()
    const { code, ...rest } = await connect()
    expect(rest).toMatchObject({ kind: 'code', login: 'Ada', minutes: 15, page: expect.stringMatching(/\/Ada$/) })
    setBio(`casual coder (${code})`)
    expect(await github.verify(ANN)).toBe('Ada')
    expect(shown(ANN)).toMatchObject({ id: ada.id, username: 'Ada', public_repos: 3 })
    expect(stored()).toEqual([{ userId: ANN, login: 'Ada', githubId: ada.id }])
  })

  test.each(['content', 'file name', 'description'])('works with the code in the %s of a public gist', async place => {
    const { github, sim, connect, ada } = open()
    const { code } = await connect()
    sim.world.addGist(ada.id, {
      description: place === 'description' ? code : 'about something',
      files: { [place === 'file name' ? code : 'a.txt']: place === 'content' ? `x\n${code}\n` : 'x' },
    })
    expect(await github.verify(ANN)).toBe('Ada')
  })

  test('links nobody before the code was found', async () => {
    const { github, problem, connect, shown, stored } = open()
    const { code } = await connect()
    expect(await problem(github.verify(ANN))).toEqual({ reason: 'code not found', login: 'Ada', code })
    expect(shown(ANN)).toBeNull()
    expect(stored()).toEqual([])
  })

  test('accepts no code that is a part of a longer word, or in other case', async () => {
    const { github, problem, connect, setBio } = open()
    const { code } = await connect()
    for (const bio of [`${code}0`, `a${code}`, `${code}-${code}`, code.toUpperCase(), code.slice(0, -1)]) {
      setBio(bio)
      expect((await problem(github.verify(ANN))).reason).toBe('code not found')
    }
  })

  test('accepts no code in a secret gist, or in one from before', async () => {
    const { github, problem, sim, connect, ada, clock } = open()
    const { code } = await connect()
    sim.world.addGist(ada.id, { files: { a: code }, public: false })
    sim.world.addGist(ada.id, { files: { a: code }, updatedAt: clock.now() - HOUR })
    expect((await problem(github.verify(ANN))).reason).toBe('code not found')
  })

  test('leaves huge gists alone', async () => {
    const { github, problem, sim, connect, ada, asked } = open()
    const { code } = await connect()
    const huge = sim.world.addGist(ada.id, { files: { a: `${code} ${'x'.repeat(300_000)}` } })
    expect((await problem(github.verify(ANN))).reason).toBe('code not found')
    expect(asked().join()).not.toContain(huge.id)
    sim.world.addGist(ada.id, { files: { a: code } })
    expect(await github.verify(ANN)).toBe('Ada')
  })

  test('accepts no code in the profile of somebody else', async () => {
    const { github, problem, connect, setBio, sim, eve } = open()
    const { code } = await connect(ANN, 'ada')
    setBio(code, eve.id)
    sim.world.addGist(eve.id, { files: { a: code } })
    expect(await problem(github.verify(ANN))).toMatchObject({ reason: 'code not found', login: 'Ada' })
  })

  test("accepts nobody else's code", async () => {
    const { github, problem, connect, setBio } = open()
    const { code } = await connect(BEN)
    await connect(ANN)
    setBio(code)
    expect((await problem(github.verify(ANN))).reason).toBe('code not found')
    expect(await github.verify(BEN)).toBe('Ada')
  })

  test('makes every code anew, and only the last one counts', async () => {
    const { github, problem, connect, setBio } = open()
    const first = await connect()
    const second = await connect()
    expect(second.code).not.toBe(first.code)
    setBio(first.code)
    expect((await problem(github.verify(ANN))).reason).toBe('code not found')
    setBio(second.code)
    expect(await github.verify(ANN)).toBe('Ada')
  })

  test('takes a code once', async () => {
    const { github, problem, connect, setBio } = open()
    setBio((await connect()).code)
    await github.verify(ANN)
    expect((await problem(github.verify(ANN))).reason).toBe('nothing asked')
  })

  test('takes no code after a quarter of an hour', async () => {
    const { github, problem, connect, setBio, clock } = open()
    setBio((await connect()).code)
    await clock.advance(15 * MINUTE)
    expect((await problem(github.verify(ANN))).reason).toBe('expired')
    setBio((await connect()).code)
    await clock.advance(15 * MINUTE - 1)
    expect(await github.verify(ANN)).toBe('Ada')
  })

  test('has nothing to verify before somebody asked', async () => {
    const { github, problem, asked } = open()
    expect((await problem(github.verify(ANN))).reason).toBe('nothing asked')
    expect(asked()).toEqual([])
  })

  test.each(['', 'not a name', '../ada', '-ada'])('asks GitHub nothing about %p', async name => {
    const { problem, connect, asked } = open()
    expect((await problem(connect(ANN, name))).reason).toBe('bad name')
    expect(asked()).toEqual([])
  })

  test('says that there is no such account, before and after', async () => {
    const { github, problem, connect, sim, ada } = open()
    expect(await problem(connect(ANN, 'nobody'))).toEqual({ reason: 'no such account', login: 'nobody' })
    await connect()
    sim.world.deleteUser(ada.id)
    expect(await problem(github.verify(ANN))).toEqual({ reason: 'no such account', login: 'Ada' })
  })

  test('follows the account when it is renamed meanwhile, not its old name', async () => {
    const { github, problem, connect, setBio, sim, ada, shown } = open()
    const { code } = await connect()
    sim.world.changeUser(ada.id, { login: 'Countess' })
    const thief = sim.world.addUser({ login: 'Ada', bio: code })
    sim.world.addGist(thief.id, { files: { a: code } })
    expect(await problem(github.verify(ANN))).toMatchObject({ reason: 'code not found', login: 'Countess' })
    setBio(code)
    expect(await github.verify(ANN)).toBe('Countess')
    expect(shown(ANN)?.id).toBe(ada.id)
  })

  test('replaces an earlier link only when the new account is proved', async () => {
    const { github, problem, connect, setBio, shown, eve, stored } = open()
    setBio((await connect()).code)
    await github.verify(ANN)
    const { code } = await connect(ANN, 'eve')
    expect((await problem(github.verify(ANN))).reason).toBe('code not found')
    expect(shown(ANN)?.username).toBe('Ada')
    setBio(code, eve.id)
    await github.verify(ANN)
    expect(shown(ANN)?.username).toBe('eve')
    expect(stored()).toEqual([{ userId: ANN, login: 'eve', githubId: eve.id }])
  })

  test('lets one account be shown by two people who both proved it', async () => {
    const { github, connect, setBio, shown } = open()
    for (const userId of [ANN, BEN]) {
      setBio((await connect(userId)).code)
      await github.verify(userId)
    }
    expect([shown(ANN)?.username, shown(BEN)?.username]).toEqual(['Ada', 'Ada'])
  })
})

describe('when GitHub is in trouble', () => {
  test('no answer fills the memory', async () => {
    const user = JSON.stringify({ id: 1, login: 'ada', bio: 'x'.repeat(3 * 1024 * 1024) })
    const { problem, connect } = open({ answer: () => new Response(user) })
    expect((await problem(connect())).reason).toBe('outage')
  })

  test.each([['hang'], ['network'], ['page'], [500], [502]] as const)('a code outlives %p', async kind => {
    const { github, problem, connect, setBio, sim, clock } = open()
    sim.fail({ kind })
    const failing = problem(connect())
    await clock.advance(10_000)
    expect((await failing).reason).toBe('outage')
    setBio((await connect()).code)
    sim.fail({ kind })
    const verifying = problem(github.verify(ANN))
    await clock.advance(10_000)
    expect((await verifying).reason).toBe('outage')
    expect(await github.verify(ANN)).toBe('Ada')
  })

  test('people are told how long GitHub wants to be left alone, and it is', async () => {
    const { github, problem, connect, setBio, sim, clock, counts } = open()
    setBio((await connect()).code)
    sim.fail({ kind: 'secondary limit', retryAfter: 120 })
    expect(await problem(github.verify(ANN))).toEqual({ reason: 'rate limited', seconds: 120 })
    const { requests } = counts
    await clock.advance(MINUTE)
    expect(await problem(github.verify(ANN))).toEqual({ reason: 'rate limited', seconds: 60 })
    expect(counts.requests).toBe(requests)
    await clock.advance(MINUTE)
    expect(await github.verify(ANN)).toBe('Ada')
  })

  test('nobody asks any more once the hour is used up', async () => {
    const { problem, connect, counts } = open({ sim: { anonymousLimit: 2 } })
    await connect()
    await connect()
    expect(await problem(connect())).toEqual({ reason: 'rate limited', seconds: 3600 })
    expect(counts.requests).toBe(2)
  })

  test('one person cannot use it up by verifying either', async () => {
    const { github, problem, connect, counts } = open()
    await connect()
    for (let count = 1; count < 10; count++) await problem(github.verify(ANN))
    const { requests } = counts
    expect((await problem(github.verify(ANN))).reason).toBe('too many tries')
    expect(counts.requests).toBe(requests)
  })

  test('one person cannot use up what belongs to all', async () => {
    const { problem, connect, counts, clock } = open()
    for (let count = 0; count < 10; count++) await connect()
    expect(await problem(connect())).toEqual({ reason: 'too many tries', seconds: 3600 })
    expect(counts.requests).toBe(10)
    expect((await connect(BEN)).kind).toBe('code')
    await clock.advance(HOUR)
    expect((await connect()).kind).toBe('code')
  })

  test('a refused token is nobody’s fault but the operator’s', async () => {
    const { problem, connect, sim } = open({ token: true })
    sim.fail({ kind: 401 })
    expect((await problem(connect())).reason).toBe('refused')
  })

  test.each([
    ['a page', () => new Response('<html>', { status: 401 })],
    ['JSON of its own', () => Response.json({ error: 'unauthorized' }, { status: 401 })],
  ])('a proxy that asks for a name with %s has refused no token', async (_, answer) => {
    const { problem, connect } = open({ token: true, answer })
    expect((await problem(connect())).reason).toBe('outage')
  })
})

describe('giving a link up', () => {
  test('forgets it here and on disk', async () => {
    const { github, connect, setBio, shown, stored } = open()
    setBio((await connect()).code)
    await github.verify(ANN)
    expect(await github.disconnect(ANN)).toBe(true)
    expect(shown(ANN)).toBeNull()
    expect(stored()).toEqual([])
    expect(await github.disconnect(ANN)).toBe(false)
  })

  test('ends what is under way', async () => {
    const { github, problem, connect, setBio, sim, clock, stored } = open()
    setBio((await connect()).code)
    sim.fail({ kind: 'hang' })
    const verifying = problem(github.verify(ANN))
    await github.disconnect(ANN)
    await clock.advance(10_000)
    expect((await verifying).reason).toBe('outage')
    expect((await problem(github.verify(ANN))).reason).toBe('nothing asked')
    expect(stored()).toEqual([])
  })

  test.each(['disconnect', 'forget'] as const)('wins over a proof that is just being kept (%s)', async how => {
    const writing = Promise.withResolvers<void>()
    const resume = Promise.withResolvers<void>()
    const wrapStore = (store: Store): Store => ({
      ...store,
      async storeLink(link) {
        writing.resolve()
        await resume.promise
        await store.storeLink(link)
      },
    })
    const { github, problem, connect, setBio, shown, stored } = open({ wrapStore })
    setBio((await connect()).code)
    const verifying = problem(github.verify(ANN))
    await writing.promise
    await github[how](ANN)
    resume.resolve()
    expect((await verifying).reason).toBe('replaced')
    expect(shown(ANN)).toBeNull()
    expect(stored()).toEqual([])
  })

  test('is not undone by a database that cannot keep a new one', async () => {
    const wrapStore = (store: Store): Store => ({ ...store, storeLink: () => Promise.reject(new Error('full')) })
    const { github, connect, setBio, shown } = open({ wrapStore })
    setBio((await connect()).code)
    await expect(github.verify(ANN)).rejects.toThrow('full')
    expect(shown(ANN)).toBeNull()
  })
})
