import { isHash } from './discord-cdn.ts'
import { isObject, type JsonObject } from './presence.ts'

/** What Discord's gateway never tells of a user, and REST does. Null: there is none. */
export interface Profile {
  /** The hash of the picture behind their profile. */
  readonly banner: string | null
  /** 0xRRGGBB. */
  readonly accent_color: number | null
}

/** Reads it out of a user object (docs: Resources, User, "User Structure"). Null when that is about somebody else. */
export function readProfile(user: unknown, userId: string): Profile | null {
  if (!isObject(user) || user.id !== userId) return null
  const { banner, accent_color: colour } = user
  const isColour = Number.isInteger(colour) && Number(colour) >= 0 && Number(colour) <= 0xffffff
  return { banner: isHash(banner) ? banner : null, accent_color: isColour ? Number(colour) : null }
}

/** Whether a user's JSON text has a profile in it. */
export const hasProfile = (user: string) => user.includes(MARK) && 'accent_color' in JSON.parse(user)

/** What stands in every text with a profile; elsewhere a quotation mark has a backslash before it. */
const MARK = '"accent_color":'

/** The later text of a user with the profile of the earlier one, where it brings none: the gateway never does. */
export function carryProfile(earlier: string, later: string): string {
  if (earlier === later || !earlier.includes(MARK) || later.includes(MARK)) return later
  const { banner = null, accent_color = null } = JSON.parse(earlier) as Partial<Profile>
  return JSON.stringify({ ...(JSON.parse(later) as JsonObject), banner, accent_color })
}

/** Whether the later text says no more than that there is no profile, where the earlier one did not say. */
export function isBareProfile(earlier: string, later: string): boolean {
  if (!later.includes(`${MARK}null`) || earlier.includes(MARK)) return false
  return later === JSON.stringify({ ...(JSON.parse(earlier) as JsonObject), banner: null, accent_color: null })
}

/** The text of a user without a profile. */
export function withoutProfile(user: string): string {
  if (!user.includes(MARK)) return user
  const { banner: _, accent_color: __, ...fields } = JSON.parse(user) as JsonObject
  return JSON.stringify(fields)
}

/** A profile as it outlives the process. */
export interface StoredProfile extends Profile {
  readonly userId: string
  /** When Discord told (ms since 1970). */
  readonly checkedAt: number
}

export interface ProfileStore {
  loadProfiles(): Iterable<StoredProfile>
  /** Resolves once it is durable. */
  storeProfile(profile: StoredProfile): Promise<void>
}

/** Whose profile somebody wants to see. */
export interface Profiles {
  /** Somebody reads, follows by name, or draws this person. Costs next to nothing. */
  looked(userId: string): void
}
