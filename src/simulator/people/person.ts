import type { Random } from '../random.ts'
import type { Activity, Status } from '../types.ts'
import { buildCustomStatus, buildGame, buildPresence, buildSpotify, buildWatching } from './builders.ts'
import type { Role } from './cast.ts'
import { SONGS, type Song } from './catalogue.ts'
import type { World } from './world.ts'

export type Change = 'status' | 'platform' | 'custom' | 'music' | 'game' | 'watching' | 'offline'

export const CHANGES: readonly Change[] = ['status', 'platform', 'custom', 'music', 'game', 'watching', 'offline']

const STATUSES: readonly Status[] = ['online', 'idle', 'dnd']
const PLATFORMS: readonly (readonly string[])[] = [
  ['desktop'],
  ['mobile'],
  ['desktop', 'mobile'],
  ['web'],
  ['desktop', 'vr'],
  ['embedded'],
]

export interface PersonOptions {
  /** Milliseconds; shortens every song: a demo is watched for a minute or two. */
  songLength?: number
  /** Without one they begin, and change, as it happens. */
  role?: Role | undefined
}

const PLAYED_FOR = 47 * 60_000

/** Somebody who lives through the demo: what they show now, and the ways it can change. */
export class Person {
  readonly #began: number
  #status: Status
  #platforms: readonly string[]
  #said = 0
  #custom: Activity | null
  #song: Activity | null = null
  #game: Activity | null
  #songEnds: Timer | null = null
  #track: number
  readonly #changes: Record<Change, () => void>
  readonly #world: World
  readonly id: string
  readonly #random: Random
  readonly #songLength: number | undefined
  readonly #role: Role | undefined

  constructor(world: World, id: string, random: Random, { songLength, role }: PersonOptions = {}) {
    this.#world = world
    this.id = id
    this.#random = random
    this.#songLength = songLength
    this.#role = role
    this.#began = Date.now() - (role ? PLAYED_FOR : random.int(0, 3_600_000))
    this.#status = role?.status ?? random.pick(STATUSES)
    this.#platforms = role?.platforms ?? random.pick(PLATFORMS)
    this.#custom = role || random.chance(0.5) ? this.#sayNext() : null
    this.#game = role?.game || (!role && random.chance(0.3)) ? buildGame(random, this.#began, role?.game) : null
    this.#track = random.int(0, SONGS.length - 1)
    this.#changes = {
      status: () => {
        this.#status = other(random, STATUSES, this.#status)
      },
      platform: () => {
        this.#platforms = other(random, PLATFORMS, this.#platforms)
      },
      custom: () => {
        this.#custom = this.#custom && !role && random.chance(0.3) ? null : this.#sayNext()
      },
      music: () => (this.#song && !role && random.chance(0.3) ? this.#stopMusic() : this.#nextSong(Date.now())),
      game: () => {
        // Whoever plays one game all the time goes on with other people.
        if (role?.game) this.#game = buildGame(random, this.#began, role.game)
        else this.#game = this.#game ? null : buildGame(random, Date.now())
      },
      watching: () => {
        this.#game = buildWatching(random, Date.now())
      },
      offline: () => this.#goOffline(),
    }
    if (role?.listens ?? random.chance(0.4)) this.#nextSong(Date.now() - random.int(0, songLength ?? 120_000))
  }

  /** Cancels the end of the song. */
  stop(): void {
    if (this.#songEnds) clearTimeout(this.#songEnds)
    this.#songEnds = null
  }

  /** Changes one thing of `kind`, so that the presence differs from the one before, and shows it. */
  change(kind: Change): void {
    const back = this.#status === 'offline'
    if (back) {
      this.#status = this.#random.pick(STATUSES)
      this.#platforms = this.#random.pick(PLATFORMS)
    }
    if (!back || kind !== 'offline') this.#changes[kind]()
    this.show()
  }

  /** Sends what is shown now to Discord. */
  show(): void {
    this.#world.setPresence(this.id, this.#presence())
  }

  /** Places it without an event, before anybody watches. */
  place(): void {
    this.#world.placePresence(this.id, this.#presence())
  }

  #presence() {
    const activities = [this.#custom, this.#song, this.#game].filter(activity => activity !== null)
    return buildPresence({
      status: this.#status,
      activities,
      clientStatus: Object.fromEntries(this.#platforms.map(name => [name, this.#status])),
    })
  }

  #sayNext(): Activity | null {
    if (!this.#role) return buildCustomStatus(this.#random, Date.now())
    const status = this.#role.statuses[this.#said++ % this.#role.statuses.length]
    return status ? buildCustomStatus(this.#random, Date.now(), status) : null
  }

  #nextSong(startedAt: number): void {
    this.#track = (this.#track + 1) % SONGS.length
    const whole = SONGS[this.#track] as Song
    const played: Song = this.#songLength === undefined ? whole : { ...whole, length: this.#songLength }
    this.#song = buildSpotify(this.#random, this.id, startedAt, played)
    const end = startedAt + played.length
    this.stop()
    this.#songEnds = setTimeout(() => {
      this.#nextSong(end)
      this.show()
    }, end - Date.now())
  }

  #stopMusic(): void {
    this.stop()
    this.#song = null
  }

  #goOffline(): void {
    this.#stopMusic()
    this.#status = 'offline'
    this.#platforms = []
    this.#game = null
  }
}

function other<T>(random: Random, list: readonly T[], current: T): T {
  return random.pick(list.filter(candidate => candidate !== current))
}
