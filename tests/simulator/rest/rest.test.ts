import { afterEach, describe, expect, test } from 'bun:test'
import { Routes } from '@discordjs/core'
import { type DiscordAPIError, REST } from '@discordjs/rest'
import { cleanUp, restFor, simulate } from '../support.ts'

afterEach(cleanUp)

describe('REST', () => {
  test('tells where the gateway is and how many sessions may start', async () => {
    const sim = await simulate({ recommendedShards: 3, maxConcurrency: 16, sessionStartRemaining: 998 })
    expect(await restFor(sim).get(Routes.gatewayBot())).toEqual({
      url: sim.account.gatewayUrl,
      shards: 3,
      session_start_limit: { total: 1000, remaining: 998, reset_after: expect.any(Number), max_concurrency: 16 },
    })
    expect(await (await fetch(`${sim.apiUrl}/v10/gateway`)).json()).toEqual({ url: sim.account.gatewayUrl })
  })

  test('knows the application, the bot and users', async () => {
    const sim = await simulate({ applicationFlags: 1 << 15 })
    const rest = restFor(sim)
    expect(await rest.get(Routes.currentApplication())).toMatchObject({ id: sim.account.applicationId, flags: 1 << 15 })
    expect(await rest.get(Routes.user())).toMatchObject({ id: sim.world.bot.id, bot: true })
    const user = sim.world.addUser({ username: 'ada' })
    expect(await rest.get(Routes.user(user.id))).toMatchObject({ username: 'ada', discriminator: '0' })
    await expect(rest.get(Routes.user('1'))).rejects.toMatchObject({ status: 404, code: 10013 })
  })

  test.each([['wrong'], ['Bearer wrong'], [null]])('refuses authorization %p', async token => {
    const sim = await simulate()
    const headers: Record<string, string> = token ? { authorization: token } : {}
    const response = await fetch(`${sim.apiUrl}/v10/users/@me`, { headers })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({ message: '401: Unauthorized', code: 0 })
  })

  test.each([
    ['GET', '/v10/nowhere', 404],
    ['POST', '/v10/users/@me', 405],
    ['GET', '/v6/users/@me', 400],
    ['GET', '/users/@me', 400],
  ])('answers %s %s with %i', async (method, path, status) => {
    const sim = await simulate()
    const response = await fetch(sim.apiUrl + path, { method, headers: { authorization: `Bot ${sim.token}` } })
    expect(response.status).toBe(status)
  })

  test('refuses a body that is no JSON', async () => {
    const sim = await simulate()
    const headers = { authorization: `Bot ${sim.token}`, 'content-type': 'application/json' }
    const response = await fetch(`${sim.apiUrl}/v10/users/@me/channels`, { method: 'POST', headers, body: '{' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 50109 })
  })

  test('says what is wrong with a form, and where', async () => {
    const sim = await simulate()
    const channel = sim.world.addGuild().channels[0]?.id as string
    const body = { content: 'x', embeds: [{ title: 'x'.repeat(257) }] }
    const request = restFor(sim).post(Routes.channelMessages(channel), { body })
    const error = (await request.catch((reason: unknown) => reason)) as DiscordAPIError
    expect(error.rawError as unknown).toEqual({
      message: 'Invalid Form Body',
      code: 50035,
      errors: {
        embeds: {
          '0': { title: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 256 or fewer in length.' }] } },
        },
      },
    })
  })

  test('counts requests for each route and channel, and the client waits its turn', async () => {
    const sim = await simulate({ restLimit: 2, restWindowMs: 60 })
    const guild = sim.world.addGuild({ channels: ['one', 'two'] })
    const [one, two] = guild.channels.map(({ id }) => id) as [string, string]
    const post = (id: string) => {
      const headers = { authorization: `Bot ${sim.token}`, 'content-type': 'application/json' }
      return fetch(`${sim.apiUrl}/v10/channels/${id}/messages`, { method: 'POST', headers, body: '{"content":"x"}' })
    }
    const first = await post(one)
    expect(first.headers.get('x-ratelimit-limit')).toBe('2')
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1')
    expect(first.headers.get('x-ratelimit-bucket')).toMatch(/^[0-9a-f]{32}$/)
    await post(one)
    const refused = await post(one)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-ratelimit-scope')).toBe('user')
    const body = (await refused.json()) as { retry_after: number }
    expect(body).toMatchObject({ global: false, message: 'You are being rate limited.' })
    expect(body.retry_after).toBeGreaterThan(0)
    expect((await post(two)).status).toBe(200)
    const rest = restFor(sim)
    await Promise.all([1, 2, 3].map(n => rest.post(Routes.channelMessages(two), { body: { content: `${n}` } })))
    expect(sim.recorder.all('message')).toHaveLength(6)
  })

  test('limits all requests together to the global limit, interactions excepted', async () => {
    let now = Date.now()
    const sim = await simulate({ restGlobalLimit: 2, now: () => now })
    const ask = () => fetch(`${sim.apiUrl}/v10/gateway/bot`, { headers: { authorization: `Bot ${sim.token}` } })
    await ask()
    await ask()
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-ratelimit-global')).toBe('true')
    expect(await refused.json()).toMatchObject({ global: true })
    const callback = await fetch(`${sim.apiUrl}/v10/interactions/1/x/callback`, { method: 'POST' })
    expect(callback.status).toBe(404)
    now += 1000
    expect((await ask()).status).toBe(200)
  })

  test('fails as arranged: a status, a limit, or a broken connection', async () => {
    const sim = await simulate()
    const rest = restFor(sim)
    sim.restFails({ kind: 503, path: /^\/users/ })
    await rest.get(Routes.gatewayBot())
    await expect(rest.get(Routes.user())).rejects.toMatchObject({ status: 503 })
    sim.restFails({ kind: 'network', times: 2 })
    await expect(rest.get(Routes.user())).rejects.toThrow()
    await expect(fetch(`${sim.apiUrl}/v10/gateway`).then(response => response.text())).rejects.toThrow()
    const rejecting = new REST({ api: sim.apiUrl, rejectOnRateLimit: () => true }).setToken(sim.token)
    sim.restFails({ kind: 'globally rate limited', retryAfter: 2 })
    await expect(rejecting.get(Routes.user())).rejects.toMatchObject({ global: true, retryAfter: 2000 + 50 })
    expect((await sim.next('rest', ({ status }) => status === 503)).path).toBe('/users/@me')
  })
})
