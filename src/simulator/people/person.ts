import type { Random } from '../random.ts'
import type { Activity, Status } from '../types.ts'
import { buildCustomStatus, buildGame, buildPresence, buildSpotify, buildWatching } from './builders.ts'
import type { Role } from './cast.ts'
import { SONGS, type Song } from './catalogue.ts'
import type { World } from './world.ts'

/** Somebody who lives through the demo: what they show now, and the ways it can change. */
export interface Person {
  readonly id: string
  /** Sends what is shown now to Discord. */
  show(): void
  /** Places it without an event, before anybody watches. */
  place(): void
  /** Changes one thing of `kind`, so that the presence differs from the one before, and shows it. */
  change(kind: Change): void
  /** Cancels the end of the song. */
  stop(): void
}

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

export function createPerson(
  world: World,
  id: string,
  random: Random,
  { songLength, role }: PersonOptions = {},
): Person {
  const began = Date.now() - (role ? PLAYED_FOR : random.int(0, 3_600_000))
  let status: Status = role?.status ?? random.pick(STATUSES)
  let platforms = role?.platforms ?? random.pick(PLATFORMS)
  let said = 0
  let custom: Activity | null = role || random.chance(0.5) ? sayNext() : null
  let song: Activity | null = null
  let game: Activity | null = role?.game || (!role && random.chance(0.3)) ? buildGame(random, began, role?.game) : null
  let songEnds: Timer | null = null
  let track = random.int(0, SONGS.length - 1)

  function presence() {
    const activities = [custom, song, game].filter(activity => activity !== null)
    return buildPresence({
      status,
      activities,
      clientStatus: Object.fromEntries(platforms.map(name => [name, status])),
    })
  }

  function sayNext(): Activity | null {
    if (!role) return buildCustomStatus(random, Date.now())
    const status = role.statuses[said++ % role.statuses.length]
    return status ? buildCustomStatus(random, Date.now(), status) : null
  }

  function nextSong(startedAt: number): void {
    track = (track + 1) % SONGS.length
    const whole = SONGS[track] as Song
    const played: Song = songLength === undefined ? whole : { ...whole, length: songLength }
    song = buildSpotify(random, id, startedAt, played)
    const end = startedAt + played.length
    stop()
    songEnds = setTimeout(() => {
      nextSong(end)
      show()
    }, end - Date.now())
  }

  function stopMusic(): void {
    stop()
    song = null
  }

  function stop(): void {
    if (songEnds) clearTimeout(songEnds)
    songEnds = null
  }

  function goOffline(): void {
    stopMusic()
    status = 'offline'
    platforms = []
    game = null
  }

  const changes: Record<Change, () => void> = {
    status: () => {
      status = other(random, STATUSES, status)
    },
    platform: () => {
      platforms = other(random, PLATFORMS, platforms)
    },
    custom: () => {
      custom = custom && !role && random.chance(0.3) ? null : sayNext()
    },
    music: () => (song && !role && random.chance(0.3) ? stopMusic() : nextSong(Date.now())),
    game: () => {
      // Whoever plays one game all the time goes on with other people.
      if (role?.game) game = buildGame(random, began, role.game)
      else game = game ? null : buildGame(random, Date.now())
    },
    watching: () => {
      game = buildWatching(random, Date.now())
    },
    offline: goOffline,
  }

  function change(kind: Change): void {
    const back = status === 'offline'
    if (back) {
      status = random.pick(STATUSES)
      platforms = random.pick(PLATFORMS)
    }
    if (!back || kind !== 'offline') changes[kind]()
    show()
  }

  function show(): void {
    world.setPresence(id, presence())
  }

  if (role?.listens ?? random.chance(0.4)) nextSong(Date.now() - random.int(0, songLength ?? 120_000))
  return { id, show, place: () => world.placePresence(id, presence()), change, stop }
}

function other<T>(random: Random, list: readonly T[], current: T): T {
  return random.pick(list.filter(candidate => candidate !== current))
}
