import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts'
import { now, takeCommands } from '../support/commands.ts'
import { GUILD_ID, makePeople, makeUpdate } from '../support/people.ts'
import type { Upstream } from './exoix.ts'

export interface Population {
  readonly guildId?: string
  /** Index of the first person: guilds with different people. */
  readonly from?: number
  readonly count: number
  /** How many of them are online; by default all. */
  readonly online?: number
}

let simulator: Simulator | null = null

function running(): Simulator {
  if (simulator === null) throw new Error('start comes first')
  return simulator
}

/** Discord without its patience: what the benches do in a minute would else be a day's ration. */
async function start(): Promise<Upstream> {
  simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0, replayBufferSize: 1000 })
  const { apiUrl, token, cdnUrl, mediaUrl, spotifyUrl } = simulator
  return { apiUrl, token, cdnUrl, mediaUrl, spotifyUrl }
}

/** The bot joins a guild with so many members. Answers when the guild is announced. */
function populate({ guildId = GUILD_ID, from = 0, count, online = count }: Population): void {
  const members = makePeople(count, from).map(({ member: { user }, presence }, index) => {
    return index < online ? { user, presence } : { user }
  })
  running().world.addGuild({ id: guildId, members })
}

let updates: readonly string[] = []

/** Makes the texts to be blasted: for one person no two that follow each other are alike. */
function prepare(people: number): void {
  const made = makePeople(people)
  updates = [0, 1, 2, 3].flatMap(version => made.map(person => JSON.stringify(makeUpdate(person, version))))
}

export interface Blast {
  readonly count: number
  /** The first person's status in the last update: who sees it has seen all. */
  readonly lastStatus: string
}

/** Sends PRESENCE_UPDATEs as fast as the bot takes them. Answers when it began. */
async function blast({ count, lastStatus }: Blast): Promise<number> {
  const last = makePeople(1).map(person => JSON.stringify({ ...makeUpdate(person, 0), status: lastStatus }))
  const texts = Array.from({ length: count - 1 }, (_, index) => updates[index % updates.length] ?? '')
  const began = now()
  await running().blast([...texts, ...last])
  return began
}

takeCommands({
  start,
  populate,
  prepare,
  blast,
  removeGuild: (guildId: string) => running().world.removeGuild(guildId),
})
