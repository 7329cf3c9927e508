import { buildUser } from './builders.ts'
import { CHANGES, type Change, createPerson, type Person } from './person.ts'
import { createRandom, type Random } from './random.ts'
import type { Simulator } from './simulator.ts'
import type { Guild } from './types.ts'

export interface LivelyOptions {
  /** People in all guilds together. */
  members?: number
  guilds?: number
  seed?: number
  /** Milliseconds between two changes of a featured person. */
  featuredEveryMs?: number
  /** Milliseconds between two changes among everybody else. */
  othersEveryMs?: number
  /** Length of the songs featured people play, milliseconds: a demo is watched for a minute or two. */
  songMs?: number
}

export interface Lively {
  /** People who never leave and whose presence changes at least every five seconds. */
  readonly featuredIds: readonly string[]
  /** Clears every timer; the world stays as it is. */
  stop(): void
}

const DEFAULTS = { members: 36, guilds: 2, seed: 7, featuredEveryMs: 4000, othersEveryMs: 700, songMs: 24_000 }

/** One plan for each featured person, gone through in a circle. */
const PLANS: readonly (readonly Change[])[] = [
  ['status', 'custom', 'platform', 'status', 'custom', 'music'],
  ['game', 'status', 'watching', 'platform', 'custom', 'game'],
  ['platform', 'custom', 'status', 'music', 'platform', 'status'],
  ['custom', 'platform', 'game', 'status'],
]

/** Fills the simulated Discord with people who talk to nobody but never sit still: songs, games, phones, comings and goings. */
export function startLively(sim: Simulator, options: LivelyOptions = {}): Lively {
  const settings = { ...DEFAULTS, ...options }
  const random = createRandom(settings.seed)
  const guilds = numbered(Math.max(1, settings.guilds), index => sim.world.addGuild({ name: `Simulated ${index + 1}` }))
  const featured = PLANS.map((_, index) => addPerson(sim, random, guilds, index, settings.songMs))
  const others = numbered(settings.members - featured.length, index => {
    return addPerson(sim, random, guilds, index + featured.length)
  })
  const timers = featured.map((person, index) => follow(person, PLANS[index] ?? CHANGES, settings.featuredEveryMs))
  if (others.length > 0) timers.push(setInterval(() => disturb(sim, random, guilds, others), settings.othersEveryMs))
  return {
    featuredIds: featured.map(person => person.id),
    stop() {
      for (const timer of timers) clearInterval(timer)
      for (const person of [...featured, ...others]) person.stop()
    },
  }
}

function numbered<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => make(index))
}

/** With a `songMs` somebody featured: in every guild, with an avatar, always playing. */
function addPerson(sim: Simulator, random: Random, guilds: Guild[], index: number, songMs?: number): Person {
  const featured = songMs !== undefined
  const id = sim.world.snowflake()
  const avatar = featured ? { avatar: `${index === 1 ? 'a_' : ''}${random.hex(32)}` } : {}
  const user = buildUser(random, { id, ...avatar })
  sim.world.addUser(user)
  const person = createPerson(sim.world, id, random, songMs)
  person.place()
  for (const [place, guild] of guilds.entries()) {
    if (place > 0 && !featured && !random.chance(0.4)) continue
    sim.world.addMember(guild.id, id, { nick: random.chance(0.2) ? `the ${index + 1}th` : null })
  }
  return person
}

function follow(person: Person, plan: readonly Change[], everyMs: number): Timer {
  let step = 0
  return setInterval(() => person.change(plan[step++ % plan.length] as Change), everyMs)
}

/** Somebody changes; now and then somebody leaves a guild or comes back. */
function disturb(sim: Simulator, random: Random, guilds: Guild[], others: Person[]): void {
  const person = random.pick(others)
  const guild = random.chance(0.08) ? random.pick(guilds) : null
  if (!guild) person.change(random.pick(CHANGES))
  else if (!guild.members.has(person.id)) sim.world.addMember(guild.id, person.id)
  else sim.world.removeMember(guild.id, person.id)
}
