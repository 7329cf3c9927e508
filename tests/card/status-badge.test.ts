import { describe, expect, test } from 'bun:test'
import { ADA, startServer } from '../http/harness.ts'
import { inspect } from './support.ts'

const NOBODY = '999999999999999999'

describe('a badge', () => {
  test('tells somebody’s status as a picture, for a minute', async () => {
    await using server = startServer()
    const response = await server.get(`/v1/users/${ADA}/badge.svg`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('public, max-age=60')
    expect(inspect(await response.text()).texts).toEqual(['discord', 'online'])
    server.presences.patchPresence({ user: { id: ADA }, status: 'dnd' })
    expect(inspect(await (await server.get(`/v1/users/${ADA}/badge.svg`)).text()).texts).toEqual([
      'discord',
      'do not disturb',
    ])
  })

  test('is told to shields.io with nothing but keys of its endpoint schema', async () => {
    await using server = startServer()
    const colours = new Set<string>()
    for (const status of ['online', 'idle', 'dnd', 'offline']) {
      server.presences.patchPresence({ user: { id: ADA }, status })
      const badge = (await (await server.get(`/v1/users/${ADA}/badge.json`)).json()) as Record<string, unknown>
      expect(badge).toEqual({
        schemaVersion: 1,
        label: 'discord',
        message: status === 'dnd' ? 'do not disturb' : status,
        color: expect.stringMatching(/^#[0-9a-f]{6}$/),
        namedLogo: 'discord',
        cacheSeconds: 300,
      })
      colours.add(String(badge.color))
    }
    expect(colours.size).toBe(4)
  })

  test('of unknown and hidden people says that they are not monitored, with 200', async () => {
    await using server = startServer()
    server.presences.setHidden(ADA, true)
    for (const id of [ADA, NOBODY, 'ada']) {
      const picture = await server.get(`/v1/users/${id}/badge.svg`)
      expect([picture.status, inspect(await picture.text()).texts]).toEqual([200, ['discord', 'not monitored']])
      const told = await server.get(`/v1/users/${id}/badge.json`)
      expect([told.status, await told.json()]).toMatchObject([200, { message: 'not monitored' }])
    }
  })

  test('that has not changed answers 304', async () => {
    await using server = startServer()
    for (const path of ['badge.svg', 'badge.json']) {
      const etag = (await server.get(`/v1/users/${ADA}/${path}`)).headers.get('etag') ?? ''
      expect((await server.get(`/v1/users/${ADA}/${path}`, { 'If-None-Match': etag })).status).toBe(304)
    }
  })
})

test('an address of lanyard-profile-readme draws the same card', async () => {
  await using server = startServer()
  const query = '?theme=light&gradient=f1099a-20537c&hideTimestamp=true'
  const [one, other] = await Promise.all([
    server.get(`/api/${ADA}${query}`),
    server.get(`/v1/users/${ADA}/card.svg${query}`),
  ])
  expect(one.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8')
  expect(await one.text()).toBe(await other.text())
})
