import { afterEach, describe, expect, test } from 'bun:test'
import type { Store } from '../../src/store/sqlite.ts'
import { ANN, BEN, cleanUp, HOUR, MINUTE, openGithub, SECOND } from './support.ts'

afterEach(cleanUp)

/** A house in which ANN has linked Ada's account, whose copy is as old as the clock says. */
async function open(options: Parameters<typeof openGithub>[0] = {}) {
  const house = openGithub(options)
  const ada = house.sim.world.addUser({ login: 'Ada', bio: 'engines' })
  await house.link(ANN, ada.id)
  const github = house.restart()
  return {
    ...house,
    ada,
    github,
    look: (userId = ANN) => house.shown(userId, github),
    change: (patch: Record<string, unknown>) => house.sim.world.changeUser(ada.id, patch),
    /** Whom was asked about, and with what answer. */
    statuses: () => house.sim.recorder.all('request').map(({ status }) => status),
  }
}

/** Looks every minute, as a site does that polls. */
async function watch(house: Awaited<ReturnType<typeof open>>, minutes: number, userIds = [ANN]) {
  for (let minute = 0; minute < minutes; minute++) {
    for (const userId of userIds) house.look(userId)
    await house.clock.advance(MINUTE)
  }
}

describe('an account somebody looks at', () => {
  test('is read from memory at once, and refreshed behind the reader', async () => {
    const house = await open()
    expect(house.look()).toBeNull()
    await watch(house, 6)
    expect(house.look()).toMatchObject({ id: house.ada.id, username: 'Ada', bio: 'engines' })
  })

  test('is asked about every five minutes at most, and with the tag of the last answer', async () => {
    const house = await open()
    await watch(house, 31)
    expect(house.statuses()).toEqual([200, 304, 304, 304, 304, 304])
    expect(house.sim.recorder.all('request').every(({ path }) => path === `/user/${house.ada.id}`)).toBe(true)
  })

  test('is the same object until it changes, and another one after', async () => {
    const house = await open()
    await watch(house, 6)
    const first = house.account(ANN)
    await watch(house, 6)
    expect(house.account(ANN)).toBe(first)
    house.change({ public_repos: 9 })
    await watch(house, 6)
    expect(house.account(ANN)).not.toBe(first)
    expect(house.look()?.public_repos).toBe(9)
  })

  test('stays the same object when GitHub has another tag for the same data', async () => {
    const house = await open()
    await watch(house, 6)
    const first = house.account(ANN)
    house.change({ followers: 5 })
    await watch(house, 6)
    expect(house.statuses().at(-1)).toBe(200)
    expect(house.account(ANN)).toBe(first)
  })

  test('keeps its number through a rename, and shows the new name', async () => {
    const house = await open()
    await watch(house, 6)
    house.change({ login: 'Countess' })
    house.sim.world.addUser({ login: 'Ada', bio: 'somebody else' })
    await watch(house, 6)
    expect(house.look()).toMatchObject({ id: house.ada.id, username: 'Countess', bio: 'engines' })
    expect(house.github.login(ANN)).toBe('Countess')
  })

  test('is left alone an hour after the last look', async () => {
    const house = await open()
    await watch(house, 30)
    await house.clock.advance(HOUR + MINUTE)
    const { requests } = house.counts
    await house.clock.advance(24 * HOUR)
    expect(house.counts.requests).toBe(requests)
    expect(house.clock.waiting).toBe(0)
    house.look()
    await house.clock.advance(SECOND)
    expect(house.counts.requests).toBe(requests + 1)
  })

  test('leaves no timer behind when everything stops', async () => {
    const house = await open()
    await watch(house, 6)
    house.look()
    house.github.stop()
    expect(house.clock.waiting).toBe(0)
  })
})

describe('nobody looking', () => {
  test('means no request at all', async () => {
    const { clock, counts } = await open()
    await clock.advance(48 * HOUR)
    expect(counts.requests).toBe(0)
  })
})

describe('an account that disappeared', () => {
  test('is null after GitHub has said so, stays linked, and comes back', async () => {
    const house = await open()
    await watch(house, 6)
    house.sim.world.deleteUser(house.ada.id)
    await watch(house, 6)
    expect(house.look()).toBeNull()
    expect(house.github.login(ANN)).toBe('Ada')
    expect([...house.store.loadLinks()]).toMatchObject([{ userId: ANN, account: null }])
    house.sim.world.addUser({ ...house.ada })
    await watch(house, 6)
    expect(house.look()?.username).toBe('Ada')
  })

  test.each([['hang'], ['network'], ['page'], [404], [410], [500], [503], ['secondary limit']] as const)(
    'is something else than trouble such as %p: the last good copy stays',
    async kind => {
      const house = await open()
      await watch(house, 6)
      const copy = house.account(ANN)
      house.sim.fail({ kind, times: 1000 })
      await watch(house, 120)
      expect(house.account(ANN)).toBe(copy)
      house.sim.recover()
      house.change({ bio: 'back' })
      await watch(house, 61)
      expect(house.look()?.bio).toBe('back')
    },
  )

  test('is something else than an answer about somebody else', async () => {
    const house = await open({ answer: () => Response.json({ id: 1, login: 'mallory' }) })
    await watch(house, 30)
    expect(house.look()).toBeNull()
    expect(house.github.login(ANN)).toBe('Ada')
  })
})

describe('trouble', () => {
  test('is met with fewer and fewer requests', async () => {
    const house = await open()
    house.sim.fail({ kind: 503, times: 1000 })
    await watch(house, 120)
    expect(house.statuses().length).toBeLessThan(16)
  })

  test('is said once in the log, and its end too', async () => {
    const house = await open()
    house.sim.fail({ kind: 503, times: 4 })
    await watch(house, 60)
    expect(house.logged.filter(line => line.includes('cannot be refreshed'))).toHaveLength(1)
    expect(house.logged.filter(line => line.includes('GitHub answers again'))).toHaveLength(1)
  })

  test('with the token is told to the operator, who alone can mend it', async () => {
    const house = await open({ token: true })
    house.sim.fail({ kind: 401, times: 1000 })
    await watch(house, 60)
    const complaints = house.logged.filter(line => line.includes('GITHUB_TOKEN'))
    expect(complaints).toHaveLength(1)
    expect(house.logged.join()).not.toContain(house.sim.token)
  })

  test('that GitHub calls impatience ends the asking for as long as it says', async () => {
    const house = await open()
    await watch(house, 6)
    house.sim.fail({ kind: 'secondary limit', retryAfter: 1800 })
    await watch(house, 5)
    const { requests } = house.counts
    await watch(house, 28)
    expect(house.counts.requests).toBe(requests)
    await watch(house, 3)
    expect(house.counts.requests).toBe(requests + 1)
    expect(house.logged.filter(line => line.includes('cannot be refreshed'))).toEqual([])
  })

  test('shows in the metrics, with the age of the oldest copy', async () => {
    const house = openGithub()
    const ada = house.sim.world.addUser({ login: 'Ada' })
    const { code } = (await house.github.connect(ANN, 'ada')) as { code: string }
    house.sim.world.changeUser(ada.id, { bio: code })
    await house.github.verify(ANN)
    expect(house.metric('github_links')).toBe(1)
    expect(house.metric('github_oldest_copy_seconds')).toBe(0)
    house.sim.fail({ kind: 503, times: 1000 })
    for (let minute = 0; minute < 50; minute++) {
      house.account(ANN)
      await house.clock.advance(MINUTE)
    }
    expect(house.metric('github_oldest_copy_seconds')).toBe(3000)
    expect(house.metric('github_requests_total{status="2xx"}'.replace(/[{}]/g, '\\$&'))).toBe(2)
    expect(house.metric('github_requests_total{status="5xx"}'.replace(/[{}]/g, '\\$&'))).toBeGreaterThan(2)
    expect(house.metric('github_rate_limit_remaining')).toBe(58)
  })
})

describe('a restart', () => {
  test('shows the last good copy at once, also while GitHub is down, and asks with its tag', async () => {
    const house = await open()
    await watch(house, 6)
    house.github.stop()
    house.sim.fail({ kind: 503 })
    const again = house.restart()
    expect(house.shown(ANN, again)?.bio).toBe('engines')
    await house.clock.advance(10 * MINUTE)
    expect(house.sim.recorder.all('request').slice(1)).toMatchObject([
      { status: 0, conditional: true },
      { status: 304, conditional: true },
    ])
  })
})

describe('a link given up while GitHub is being asked', () => {
  test('stays given up, here and on disk', async () => {
    const house = await open()
    house.sim.fail({ kind: 'hang' })
    house.look()
    await house.clock.advance(5 * MINUTE + SECOND)
    expect(await house.github.disconnect(ANN)).toBe(true)
    await house.clock.advance(HOUR)
    expect(house.look()).toBeNull()
    expect([...house.store.loadLinks()]).toEqual([])
  })

  test('is not brought back by a copy that is just being kept', async () => {
    const storing = Promise.withResolvers<void>()
    const resume = Promise.withResolvers<void>()
    const wrapStore = (store: Store): Store => ({
      ...store,
      async updateLink(link) {
        storing.resolve()
        await resume.promise
        await store.updateLink(link)
      },
    })
    const house = await open({ wrapStore })
    house.look()
    const passing = house.clock.advance(6 * MINUTE)
    await storing.promise
    await house.store.erase(ANN)
    house.github.forget(ANN)
    resume.resolve()
    await passing
    await house.clock.advance(HOUR)
    expect(house.look()).toBeNull()
    expect([...house.store.loadLinks()]).toEqual([])
  })
})

describe('a link made anew', () => {
  test('is asked about once, not once for each time it was made', async () => {
    const house = await open()
    for (let count = 0; count < 3; count++) {
      const { code } = (await house.github.connect(ANN, 'ada')) as { code: string }
      house.change({ bio: code })
      await house.github.verify(ANN)
      house.look()
    }
    const { requests } = house.counts
    await watch(house, 21)
    expect(house.counts.requests).toBe(requests + 4)
  })
})

describe('two people with one account', () => {
  test('both see it', async () => {
    const house = await open()
    await house.link(BEN, house.ada.id)
    const github = house.restart()
    for (let minute = 0; minute < 8; minute++) {
      for (const userId of [ANN, BEN]) github.looked(userId)
      await house.clock.advance(MINUTE)
    }
    expect([ANN, BEN].map(userId => house.shown(userId, github)?.bio)).toEqual(['engines', 'engines'])
  })
})
