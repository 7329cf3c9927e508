import { type App, startApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config.ts'
import { now, takeCommands } from '../support/commands.ts'
import { type Made, makePeople, makeUpdate } from '../support/people.ts'
import { evenly, type Trickle } from '../support/trickle.ts'
import { collectedHeap } from '../support/usage.ts'

export interface Upstream {
  readonly apiUrl: string
  readonly token: string
  /** Where pictures are. */
  readonly cdnUrl: string
  readonly mediaUrl: string
  readonly spotifyUrl: string
  /** Default: in memory. */
  readonly databasePath?: string
}

let app: App | null = null
let people: Made[] = []
let version = 0

function running(): App {
  if (app === null) throw new Error('start comes first')
  return app
}

/** Nobody listens there: a benchmark asks nobody outside. */
const NOWHERE = 'http://127.0.0.1:9'

/** The whole application, as `exoix` runs it. */
function start({ apiUrl, token, databasePath = ':memory:', ...upstream }: Upstream): string {
  const env = { BOT_TOKEN: token, DISCORD_API_URL: apiUrl, HOST: '127.0.0.1', PORT: '0', DATABASE_PATH: databasePath }
  const { cdnUrl, mediaUrl, spotifyUrl } = upstream
  const pictures = { DISCORD_CDN_URL: cdnUrl, DISCORD_MEDIA_URL: mediaUrl, SPOTIFY_CDN_URL: spotifyUrl }
  // Profiles that arrive change what is read: the same answer is to be measured throughout.
  const quiet = { GITHUB_API_URL: NOWHERE, PROFILES: 'off', LOG_LEVEL: 'error' }
  app = startApp(readConfig({ ...env, ...pictures, ...quiet }))
  return app.url
}

/** Waits until so many people and the bot itself have come from Discord. Answers their ids. */
async function meet(count: number): Promise<string[]> {
  people = makePeople(count)
  await untilSize(count + 1)
  return people.map(person => person.id)
}

/** Changes the first `count` people in one turn of the event loop; answers when that began. */
function burst(count: number): number {
  version++
  const updates = people.slice(0, count).map(person => makeUpdate(person, version))
  const began = now()
  for (const update of updates) running().presences.patchPresence(update)
  return began
}

let prepared: ReturnType<typeof makeUpdate>[] = []

/** Makes updates of one person after the other, each a change. */
function prepareTrickle(count: number): void {
  prepared = Array.from({ length: count }, (_, at) => {
    if (at % people.length === 0) version++
    const person = people[at % people.length]
    if (person === undefined) throw new Error('meet comes first')
    return makeUpdate(person, version)
  })
}

/** Tells of them, evenly spaced. */
function trickle(plan: Trickle): Promise<void> {
  return evenly(plan, at => void running().presences.patchPresence(prepared[at] ?? {}))
}

/** The frames followers of many get for the first `count` people, for a control to repeat. */
function frames(count: number): string[] {
  return people.slice(0, count).map(({ id }, seq) => {
    const presence = running().presences.snapshot(id)?.json ?? ''
    return `{"op":0,"seq":${seq},"t":"PRESENCE_UPDATE","d":{"user_id":"${id}",${presence.slice(1)}}`
  })
}

/** Answers when so many people are monitored. */
async function untilSize(size: number): Promise<number> {
  while (running().presences.size !== size) await Bun.sleep(1)
  return now()
}

/** Answers when a person has this status. */
async function untilStatus({ id, status }: { id: string; status: string }): Promise<number> {
  while (running().presences.person(id)?.presence.status !== status) await Bun.sleep(1)
  return now()
}

takeCommands({ start, meet, burst, prepareTrickle, trickle, frames, untilSize, untilStatus, heap: collectedHeap })
