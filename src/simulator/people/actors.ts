import { ask } from '../dm.ts'
import { createRandom, type Random } from '../random.ts'
import type { Simulator } from '../simulator.ts'
import type { Guild } from '../types.ts'
import { buildUser } from './builders.ts'
import { CAST, type Role } from './cast.ts'
import { CHANGES, type Change, Person } from './person.ts'

export interface ActorsOptions {
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

export interface Actors {
  /** People who never leave and whose presence changes at least every five seconds (cast.ts says what they show). */
  readonly featuredIds: readonly string[]
  /** Somebody who is offline for good after {@link begin}. */
  readonly offlineId: string
  /**
   * What the bot is to see from its start: people tell it the pairs they keep, and one of them leaves. It must be there
   * already; ends quietly when the simulator stops.
   */
  begin(): Promise<void>
  /** Clears every timer; the world stays as it is. */
  stop(): void
}

const DEFAULTS = { members: 36, guilds: 2, seed: 7, featuredEveryMs: 4000, othersEveryMs: 700, songMs: 24_000 }

/** Fills the simulated Discord with people who talk to nobody but never sit still: songs, games, phones, comings and goings. */
export function startActors(sim: Simulator, options: ActorsOptions = {}): Actors {
  const settings = { ...DEFAULTS, ...options }
  const random = createRandom(settings.seed)
  const guilds = numbered(Math.max(1, settings.guilds), index => sim.world.addGuild({ name: `Simulated ${index + 1}` }))
  const cast = CAST.map((role, index) => addPerson(sim, random, guilds, { index, role, songMs: settings.songMs }))
  const others = numbered(settings.members - cast.length, index => {
    return addPerson(sim, random, guilds, { index: index + cast.length })
  })
  const timers = cast.map((person, index) => follow(person, CAST[index]?.plan ?? [], settings.featuredEveryMs))
  if (others.length > 0) timers.push(setInterval(() => disturb(sim, random, guilds, others), settings.othersEveryMs))
  const ids = cast.map(person => person.id)
  return {
    featuredIds: ids.slice(0, -1),
    offlineId: ids.at(-1) ?? '',
    async begin() {
      cast.at(-1)?.change('offline')
      for (const [index, { pairs }] of CAST.entries()) {
        const lines = Object.entries(pairs).map(([key, value]) => `\n${key} ${value}`)
        if (lines.length > 0) await ask(sim, ids[index] ?? '', `.mset${lines.join('')}`)
      }
    },
    stop() {
      for (const timer of timers) clearInterval(timer)
      for (const person of [...cast, ...others]) person.stop()
    },
  }
}

function numbered<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => make(index))
}

interface Newcomer {
  index: number
  /** Who has one is in every guild, under their own name. */
  role?: Role
  songMs?: number
}

function addPerson(sim: Simulator, random: Random, guilds: Guild[], { index, role, songMs }: Newcomer): Person {
  const id = sim.world.snowflake()
  sim.world.addUser(buildUser(random, { id, ...(role && { ...PLAIN, ...role.user }) }))
  const person = new Person(sim.world, id, random, { role, ...(songMs !== undefined && { songLength: songMs }) })
  person.place()
  for (const [place, guild] of guilds.entries()) {
    if (place > 0 && !role && !random.chance(0.4)) continue
    sim.world.addMember(guild.id, id, { nick: !role && random.chance(0.2) ? `the ${index + 1}th` : null })
  }
  return person
}

/** What a role does not say, nobody makes up. */
const PLAIN = {
  primary_guild: null,
  clan: null,
  avatar_decoration_data: null,
  collectibles: null,
  display_name_styles: null,
}

function follow(person: Person, plan: readonly Change[], everyMs: number): Timer {
  let step = 0
  return setInterval(() => {
    const change = plan[step++ % plan.length]
    if (change) person.change(change)
  }, everyMs)
}

/** Somebody changes; now and then somebody leaves a guild or comes back. */
function disturb(sim: Simulator, random: Random, guilds: Guild[], others: Person[]): void {
  const person = random.pick(others)
  const guild = random.chance(0.08) ? random.pick(guilds) : null
  if (!guild) person.change(random.pick(CHANGES))
  else if (!guild.members.has(person.id)) sim.world.addMember(guild.id, person.id)
  else sim.world.removeMember(guild.id, person.id)
}
