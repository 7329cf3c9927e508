import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { backup } from '../../src/store/backup.ts'
import { listening, scratch } from '../store/support/files.ts'
import { issueKey } from '../support/keys.ts'
import { ANN, CLEO, type KvServer, startKvServer } from './kv-support.ts'

/** Every way to write down a key: as it is, its random part, the bytes of that, and those in hex. */
function spellings(key: string): (string | Buffer)[] {
  const random = key.slice('exoix_'.length)
  const bytes = Buffer.from(random, 'base64url')
  return [key, random, bytes, bytes.toString('hex'), bytes.toString('base64')]
}

function placesWith(key: string, places: Readonly<Record<string, Buffer>>): string[] {
  return Object.keys(places).filter(place => spellings(key).some(spelling => places[place]?.includes(spelling)))
}

/** Requests of every kind, right and wrong, with a key in every place where one may be put. */
async function requestsWith(server: KvServer, key: string): Promise<Response[]> {
  const paths = [
    '/',
    '/metrics',
    '/v1/users/@me',
    `/v1/users/${ANN}`,
    `/v1/users/${ANN}/kv`,
    `/v1/users/${CLEO}`,
    '/v1/users/@me/kv/nothing',
    `/v1/users/${key}`,
    `/v1/users/${key}/kv`,
    `/v1/users/@me/kv/${key}`,
    `/${key}.png`,
    `/nowhere/${key}?key=${key}`,
    `/user/${key}`,
    `/socket?key=${key}`,
  ]
  const authorizations = [`Bearer ${key}`, `${key}x`]
  const calls = paths.flatMap(path =>
    authorizations.flatMap(authorization =>
      ['GET', 'PUT', 'PATCH', 'DELETE'].map(method =>
        fetch(server.url + path, {
          method,
          headers: { Authorization: authorization },
          // Never what is stored: a body that no route takes.
          ...(method !== 'GET' && { body: `{"${key}":\ufeff${key}` }),
        }),
      ),
    ),
  )
  return Promise.all(calls)
}

test('a key is nowhere in clear: not in the file or beside it, a backup, the log, the metrics or any answer', async () => {
  using space = scratch()
  const { lines, log } = listening()
  await using server = await startKvServer({ path: space.file(), log })
  const old = server.ann
  const revoked = server.ben
  const key = await issueKey(server.keys, ANN)
  await server.keys.revoke('100000000000000002')
  await server.store.changePairs(ANN, { kind: 'put', pairs: new Map([['a', '1']]) })

  const answers: string[] = []
  for (const used of [key, old, revoked]) {
    for (const response of await requestsWith(server, used)) {
      answers.push(`${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`)
    }
  }
  expect(new Set(answers.map(answer => answer.slice(0, 3))).size).toBeGreaterThan(3)
  await backup(space.file(), space.file('copy.db'))
  const files = readdirSync(space.folder)
  expect(files).toContain('exoix.db-wal')

  const places = {
    ...Object.fromEntries(files.map(name => [name, readFileSync(space.file(name))])),
    log: Buffer.from(lines.join('')),
    metrics: Buffer.from(server.metrics.render()),
    answers: Buffer.from(answers.join('\n')),
  }
  for (const secret of [key, old, revoked, server.cleo]) expect(placesWith(secret, places)).toEqual([])
  // The search itself works: what is meant to be there is found.
  expect(placesWith(key, { ...places, found: Buffer.from(`x${key}x`) })).toEqual(['found'])
})
