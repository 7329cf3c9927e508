import type { Readiness, Source } from '../domain/presences.ts'

/**
 * What copies are told, in the order in which it happened. Records are runs of strings, the first of which says what
 * follows it:
 *
 * - `P id wire details`: a change of somebody who is shown, with the whole wire text. Tells listeners, whatever it says.
 * - `S id wire details`: the same of a change that nobody is told of: details, or what is only filled in.
 * - `D id`: somebody left, or hides.
 * - `W true` or `W false`: whether nobody is to be shown at the moment.
 * - `C`: whoever takes this in tells at once that they have.
 * - `B readiness ms`: the beat, once a second: how much can be told, and the wall clock of the owner of the truth.
 *
 * Texts are strings of their own, not lines of one: between threads those are shared, and not copied. JSON text has no
 * raw line feed, so that a line each carries them anywhere else.
 */
export type Records = readonly string[]

/** Strings of a record, by its first. */
export const LENGTHS: Readonly<Record<string, number>> = { P: 4, S: 4, D: 2, B: 3, C: 1, W: 2 }

/** Which frame it was. */
export interface Position {
  /** Of the owner of the truth since it started. A higher one begins anew and has the last word. */
  readonly term: number
  readonly number: number
}

/** The records of a few milliseconds. Numbers count up by one; whoever misses one has to synchronize anew. */
export interface Frame extends Position {
  readonly records: Records
}

/** Some people as they were when a frame had gone out: `P` records of its term and number. */
export type Slice = Frame

/**
 * Where record i of a frame stands between all others. A person remembers where their last change stood, and whatever
 * stands before it is not news: with one place for a whole frame the second change in it would be lost.
 */
export const placeOf = (frame: number, index: number) => frame + index / SPACE

/** Where a slice stands: behind everything of the frame before it, and before everything of the next. */
export const sliceAfter = (frame: number) => placeOf(frame, SPACE - 1)

const SPACE = 65_536
/** Strings in a frame: fewer records than there are places. */
export const MOST_STRINGS = 100_000

/** What no wire text shows and cards and other services' shapes are made of. */
export interface Details {
  readonly memberships: readonly (readonly [guildId: string, nick: string | null])[]
  /** JSON text of the linked account. */
  readonly account: string | null
}

/** The details of somebody who is shown, as text. */
export function detailsOf(source: Source, id: string): string {
  const memberships = source.person(id)?.memberships.map(({ guildId, nick }) => [guildId, nick]) ?? []
  return JSON.stringify({ memberships, account: source.account(id)?.json ?? null })
}

export const readDetails = (text: string) => JSON.parse(text) as Details

const READINESS: readonly Readiness[] = ['starting', 'ready', 'reconnecting']

export const readReadiness = (text: string | undefined) => READINESS.find(known => known === text) ?? 'reconnecting'
