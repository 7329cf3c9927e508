import { buildCustomStatus, buildPresence, buildSpotify, buildUser } from '../../../src/simulator/people/builders.ts'
import { createRandom, type Random } from '../../../src/simulator/random.ts'
import type { Json, User } from '../../../src/simulator/types.ts'

export const GUILD_ID = '900000000000000001'

/** A member as the gateway tells of them: what {@link PresenceStore.putMember} takes. */
export interface Made {
  readonly id: string
  readonly member: Json & { readonly user: User }
  readonly presence: Json
}

const FIRST_ID = 200000000000000000n

export const personId = (index: number) => String(FIRST_ID + BigInt(index))

/**
 * Made-up people with today's payload fields who have a custom status and listen to music: about 1.5 KB of JSON
 * each. The same every time.
 */
export function makePeople(count: number, from = 0): Made[] {
  const random = createRandom(from)
  return Array.from({ length: count }, (_, index) => makePerson(random, personId(from + index)))
}

const BEGAN = Date.UTC(2026, 0, 1)

function makePerson(random: Random, id: string): Made {
  const user = buildUser(random, { id })
  const activities = [buildCustomStatus(random, BEGAN), buildSpotify(random, id, BEGAN)]
  return { id, member: { user, nick: null, roles: [] }, presence: buildPresence({ activities, at: BEGAN }) }
}

/** A PRESENCE_UPDATE of a person; each version differs from the last and is as long, so that it is a change to tell. */
export function makeUpdate({ id, presence }: Made, version: number): Json {
  const state = `version ${String(version).padStart(9, '0')}`
  const [custom, ...others] = presence.activities as Json[]
  return { user: { id }, guild_id: GUILD_ID, ...presence, activities: [{ ...custom, state }, ...others] }
}
