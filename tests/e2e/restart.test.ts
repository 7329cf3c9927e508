import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { BEFORE_LAST_SEEN } from '../store/support/before-last-seen.ts'
import { type Running, start, temporaryFolder } from '../support/executable.ts'

const MAIN = join(import.meta.dir, '../../src/main.ts')
const ADA = '94490510688792576'
const GRACE = '94490510688792577'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({
    identifyIntervalMs: 0,
    memberRequestIntervalMs: 0,
    recommendedShards: 2,
    maxConcurrency: 2,
  })
})
afterAll(() => simulator.stop())

async function serve(folder: string, port = '0'): Promise<{ server: Running; url: string }> {
  const env = {
    HOST: '127.0.0.1',
    PORT: port,
    BOT_TOKEN: simulator.token,
    DISCORD_API_URL: simulator.apiUrl,
    LOG_LEVEL: 'debug',
  }
  const server = start([process.execPath, MAIN], { cwd: folder, env })
  const [, url = ''] = await server.says(/listening url=(\S+)/)
  return { server, url }
}

const status = async (url: string, id: string) => {
  const response = await fetch(`${url}/v1/users/${id}`)
  const body = (await response.json()) as { data?: { discord_status: string } }
  return body.data?.discord_status ?? response.status
}

const lastSeen = async (url: string, id: string) => {
  const { data } = (await (await fetch(`${url}/v1/users/${id}`)).json()) as { data: { last_seen_at: number | null } }
  return data.last_seen_at
}

/** A world of two guilds, each on a shard of its own, with somebody in each. */
function populate(): void {
  for (const guild of [...simulator.world.guilds.keys()]) simulator.world.removeGuild(guild)
  simulator.world.addGuild({ id: '100', members: [{ user: { id: ADA }, presence: { status: 'online' } }] })
  simulator.world.addGuild({ id: String(1 << 22), members: [{ user: { id: GRACE }, presence: { status: 'idle' } }] })
}

/** Puts a database with the older schema in place of the one in the folder, with the same people and sessions. */
function asTheVersionBefore(folder: string): void {
  using older = new Database(join(folder, 'older.db'))
  older.run(BEFORE_LAST_SEEN)
  older.run('DELETE FROM people')
  older.run('ATTACH ? AS newer', [join(folder, 'exoix.db')])
  const columns = 'id, user, status, platforms, activities, spotify, memberships'
  older.run(`INSERT INTO people (${columns}) SELECT ${columns} FROM newer.people`)
  older.run('INSERT INTO sessions SELECT * FROM newer.sessions')
  older.run('DETACH newer')
  renameSync(join(folder, 'older.db'), join(folder, 'exoix.db'))
}

const resumedBoth = () => Promise.all([simulator.next('resumed'), simulator.next('resumed')])
const readyBoth = () => Promise.all([simulator.next('ready'), simulator.next('ready')])

/** A process that knows both, has saved them, and is stopped. */
async function liveAndStop(folder: string): Promise<void> {
  populate()
  const { server } = await serve(folder)
  await using _ = server
  await readyBoth()
  await server.says(/presences saved .*sessions=2/)
  server.kill('SIGTERM')
  await server.exited
}

describe('a restart', () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'after %s serves everybody at once and catches up by resuming',
    async signal => {
      using folder = temporaryFolder()
      populate()
      const first = await serve(folder.path)
      await using _ = first.server
      await readyBoth()
      await first.server.says(/all members are known/)
      await first.server.says(/presences saved .*sessions=2/)
      expect([await status(first.url, ADA), await status(first.url, GRACE)]).toEqual(['online', 'idle'])
      first.server.kill(signal)
      await first.server.exited

      simulator.world.setPresence(ADA, { status: 'dnd' })
      simulator.world.removeMember(String(1 << 22), GRACE)
      simulator.faults.refuseConnections(true)
      const second = await serve(folder.path)
      await using __ = second.server
      expect([await status(second.url, ADA), await status(second.url, GRACE)]).toEqual(['online', 'idle'])
      expect(await status(second.url, '1')).toBe(503)
      simulator.faults.refuseConnections(false)
      await resumedBoth()
      await second.server.says(/all members are known/)
      expect([await status(second.url, ADA), await status(second.url, GRACE)]).toEqual(['dnd', 404])
      expect(await status(second.url, '1')).toBe(404)
    },
  )

  test('keeps when people were last seen, and learns it of those who went offline meanwhile', async () => {
    using folder = temporaryFolder()
    populate()
    const first = await serve(folder.path)
    await using _ = first.server
    await readyBoth()
    await first.server.says(/all members are known/)
    simulator.world.setPresence(GRACE, { status: 'offline' })
    let graceLeft = await lastSeen(first.url, GRACE)
    while (graceLeft === null) graceLeft = await lastSeen(first.url, GRACE)
    await first.server.says(/presences saved .*sessions=2/)
    first.server.kill('SIGTERM')
    await first.server.exited

    const before = Date.now()
    simulator.world.setPresence(ADA, { status: 'offline' })
    const after = Date.now()
    const second = await serve(folder.path)
    await using __ = second.server
    await resumedBoth()
    await second.server.says(/all members are known/)
    expect(await lastSeen(second.url, ADA)).toBeWithin(before, after + 1)
    expect(await lastSeen(second.url, GRACE)).toBe(graceLeft)
  })

  test('that is an upgrade goes on from what the version before has saved, and resumes its sessions', async () => {
    using folder = temporaryFolder()
    await liveAndStop(folder.path)
    asTheVersionBefore(folder.path)

    simulator.world.setPresence(ADA, { status: 'dnd' })
    simulator.faults.refuseConnections(true)
    const second = await serve(folder.path)
    await using __ = second.server
    expect([await status(second.url, ADA), await status(second.url, GRACE)]).toEqual(['online', 'idle'])
    simulator.faults.refuseConnections(false)
    await resumedBoth()
    await second.server.says(/all members are known/)
    expect([await status(second.url, ADA), await status(second.url, GRACE)]).toEqual(['dnd', 'idle'])
  })

  test('whose sessions Discord refuses keeps everybody until the fresh lists tell who left', async () => {
    using folder = temporaryFolder()
    await liveAndStop(folder.path)

    simulator.faults.loseSessions()
    simulator.world.setPresence(ADA, { status: 'dnd' })
    simulator.world.removeMember(String(1 << 22), GRACE)
    const second = await serve(folder.path)
    await using __ = second.server
    expect([await status(second.url, ADA), await status(second.url, GRACE)]).not.toContain(404)
    await readyBoth()
    await second.server.says(/all members are known/)
    expect([await status(second.url, ADA), await status(second.url, GRACE)]).toEqual(['dnd', 404])
  })
})
