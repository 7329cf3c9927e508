import { buildGame, buildSpotify } from '../../../src/simulator/people/builders.ts'
import type { Random } from '../../../src/simulator/random.ts'
import type { Simulator } from '../../../src/simulator/simulator.ts'
import type { Guild } from '../../../src/simulator/types.ts'
import { numbered } from './numbered.ts'

/** How much happens in a round. */
export interface Round {
  readonly updates: number
  readonly comings: number
  readonly sockets: number
  readonly streams: number
  readonly writes: number
  readonly reads: number
}

/** Everything around one Exoix that makes it work. */
export interface Scenery {
  readonly simulator: Simulator
  readonly guild: Guild
  readonly url: string
  /** Somebody who is always there, and their key. */
  readonly owner: string
  readonly key: string
  readonly random: Random
}

const STATUSES = ['online', 'idle', 'dnd'] as const
/** Things under way at the same time. */
const AT_ONCE = 8

/** A round of everything, as fast as it goes. Afterwards the same people are there as before. */
export async function liveOneRound(scenery: Scenery, round: Round): Promise<void> {
  const newcomers = comeAndGo(scenery, round.comings)
  const ids = [...scenery.guild.members.keys()]
  const doings = [
    ...times(round.updates, () => update(scenery, ids)),
    ...times(round.sockets, () => visit(scenery, ids)),
    ...times(round.streams, () => listen(scenery, ids)),
    ...times(round.writes, () => write(scenery)),
    ...times(round.reads, () => read(scenery, ids)),
  ]
  await atOnce(shuffle(doings, scenery.random))
  for (const id of newcomers) scenery.simulator.world.removeMember(scenery.guild.id, id)
  talk(scenery)
}

type Doing = () => void | Promise<void>

const times = (count: number, doing: Doing): Doing[] => Array.from({ length: count }, () => doing)

function shuffle<T>(list: readonly T[], random: Random): T[] {
  return list
    .map(item => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

async function atOnce(doings: Doing[]): Promise<void> {
  const worker = async () => {
    for (let doing = doings.pop(); doing !== undefined; doing = doings.pop()) await doing()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** New people join; the answer is who. */
function comeAndGo({ simulator: { world }, guild }: Scenery, count: number): string[] {
  return Array.from(
    { length: count },
    () => world.addMember(guild.id, undefined, { presence: { status: 'online' } }).id,
  )
}

function update({ simulator: { world }, random }: Scenery, ids: readonly string[]): void {
  const id = random.pick(ids)
  const activities = [numbered(random.int(0, 1e6)), buildSpotify(random, id, Date.now()), buildGame(random, Date.now())]
  world.setPresence(id, { status: random.pick(STATUSES), activities: activities.slice(0, random.int(0, 3)) })
}

/** A socket of any kind: follows one, some or all, changes its mind, and leaves with or without a word. */
async function visit({ url, random }: Scenery, ids: readonly string[]): Promise<void> {
  const query = random.chance(0.3) ? '?compression=zlib_json' : ''
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket${query}`)
  const d = random.pick([
    { subscribe_to_all: true },
    { subscribe_to_id: random.pick(ids) },
    { subscribe_to_ids: Array.from({ length: 30 }, () => random.pick(ids)) },
  ])
  const messages = random.int(2, 10)
  const { promise, resolve } = Promise.withResolvers<void>()
  let received = 0
  socket.onopen = () => socket.send(JSON.stringify({ op: 2, d }))
  socket.onmessage = () => {
    received++
    if (received === 2 && random.chance(0.3)) {
      socket.send(JSON.stringify({ op: 4, d: { unsubscribe_from_id: random.pick(ids) } }))
    }
    if (received < messages && !('subscribe_to_id' in d && received === 2)) return
    if (random.chance(0.3)) socket.terminate()
    else socket.close()
  }
  socket.onclose = () => resolve()
  await promise
}

/** Follows somebody by events, and leaves in the middle of them. */
async function listen({ url, random }: Scenery, ids: readonly string[]): Promise<void> {
  const leaving = new AbortController()
  const { body } = await fetch(`${url}/v1/users/${random.pick(ids)}/events`, { signal: leaving.signal })
  await body?.getReader().read()
  leaving.abort()
}

async function write({ url, key, random }: Scenery): Promise<void> {
  const path = `${url}/v1/users/@me/kv/k${random.int(0, 50)}`
  const method = random.chance(0.2) ? 'DELETE' : 'PUT'
  const body = method === 'PUT' ? 'v'.repeat(random.int(0, 3000)) : null
  await (await fetch(path, { method, body, headers: { Authorization: key } })).arrayBuffer()
}

async function read({ url, random }: Scenery, ids: readonly string[]): Promise<void> {
  const path = random.pick(['/v1/users/', '/user/', '/v1/users/nobody', '/nothing/']) + random.pick(ids)
  await (await fetch(url + path, { headers: { 'Accept-Encoding': random.pick(['gzip', 'zstd', 'identity']) } })).text()
}

/** The owner speaks to the bot. */
function talk({ simulator, owner, random }: Scenery): void {
  for (const content of ['.set mood fine', '.kv', '.help', `.del k${random.int(0, 50)}`]) {
    simulator.sendMessage({ authorId: owner, content })
  }
}

/**
 * One kind of fault after the other; over when there is a session again. All but the last leave the old one, but a
 * machine with too much to do may miss the heartbeats of a clock that fast, and has to start a new one.
 */
export async function faultPasses({ simulator }: Scenery, round: number): Promise<void> {
  const { faults } = simulator
  const begun = Promise.race([simulator.next('ready'), simulator.next('resumed')])
  const kinds = [faults.reconnect, faults.dropTcp, () => faults.closeAll(4000), () => faults.invalidateSessions(false)]
  kinds[round % 4]?.()
  await begun
}
