import { API } from '@discordjs/core/http-only'
import { REST, type RESTOptions } from '@discordjs/rest'
import { Bot, type BotDeps } from '../../src/bot/bot.ts'
import { Arrivals } from '../../src/domain/arrivals.ts'
import { History } from '../../src/domain/history.ts'
import { Keys } from '../../src/domain/keys.ts'
import { createKv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { Privacy } from '../../src/domain/privacy.ts'
import { GithubConnection, type GithubDeps } from '../../src/github/github.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import type { Message } from '../../src/simulator/types.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { BotSocket } from '../support/bot-socket.ts'

const INTENTS = { guilds: 1 << 0, guildMessages: 1 << 9, directMessages: 1 << 12, messageContent: 1 << 15 }
const ALL = INTENTS.guilds | INTENTS.guildMessages | INTENTS.directMessages | INTENTS.messageContent

/** The discard port: nobody listens there. */
const NO_GITHUB = {
  githubApiUrl: 'http://127.0.0.1:9',
  githubUrl: 'http://127.0.0.1:9',
  githubToken: undefined,
  githubClientId: undefined,
}

const cleanups: (() => unknown)[] = []

/** Ends everything a test started. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

export interface HouseOptions {
  simulator?: SimulatorOptions
  bot?: Partial<Omit<BotDeps, 'config'>>
  config?: Partial<BotDeps['config']>
  /** Newcomers are welcomed in the guild's channel. */
  welcome?: boolean
  /** Whether the members of the guild are known before the bot begins. */
  members?: 'known' | 'unknown'
  /** Without the privileged intent, contents of most server messages are withheld. */
  messageContent?: boolean
  /** A simulated GitHub, and the way to it; without it nothing leads anywhere. */
  github?: Partial<Omit<GithubDeps, 'config'>> & { config?: Partial<GithubDeps['config']> }
  /** Puts something between the domain and the database. */
  wrapStore?: (store: Store) => Store
  rest?: Partial<RESTOptions>
  /** Dispatches the bot is not to see. */
  withhold?: readonly string[]
  /** Whether the bot gets to know its own id and registers its commands before the test begins. */
  register?: boolean
}

/** A simulated Discord with a bot in it, and the real domain and database behind that. */
export interface House {
  sim: Simulator
  bot: Bot
  api: API
  presences: PresenceStore
  store: Store
  keys: Keys
  kv: ReturnType<typeof createKv>
  github: GithubConnection
  history: History
  metrics: ReturnType<typeof createMetrics>
  logged: string[]
  guildId: string
  channelId: string
  /** Members of the guild. */
  people: string[]
  /** Sends a message in the guild, or a DM, and resolves with the bot's next message. */
  ask(userId: string, content: string, place?: 'guild' | 'dm'): Promise<BotMessage>
  say(userId: string, content: string, place?: 'guild' | 'dm'): Message
  slash(userId: string, command: string, options?: Record<string, string | number>): ReturnType<Simulator['interact']>
  /** Resolves when everything sent to the bot before has been dealt with. */
  settled(): Promise<void>
  /** Resolves when every write so far is kept, and what the bot began then is done. */
  sent(): Promise<void>
  /** Everything the bot wrote in channels and DMs. */
  written(): BotMessage[]
  counter(name: string): number
}

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const sim = await startSimulator({
    identifyIntervalMs: 0,
    restLimit: 1e6,
    restGlobalLimit: 1e6,
    ...options.simulator,
  })
  cleanups.push(() => sim.stop())
  const guild = sim.world.addGuild({ members: 8 })
  const people = [...guild.members.keys()].slice(1)
  const channelId = guild.channels[0]?.id as string
  const logged: string[] = []
  const log = createLog({ level: 'debug', format: 'text', write: line => logged.push(line) })
  const metrics = createMetrics()
  const presences = new PresenceStore()
  if (options.members !== 'unknown')
    for (const id of people) presences.putMember(guild.id, { user: sim.world.user(id) })
  const opened = openStore(':memory:', { log })
  cleanups.push(() => opened.close())
  const store = options.wrapStore?.(opened) ?? opened
  const keys = new Keys(store, { log })
  const kv = createKv(store, presences, keys)
  const github = new GithubConnection({
    store,
    presences,
    metrics,
    log,
    ...options.github,
    config: { ...NO_GITHUB, ...options.github?.config },
  })
  cleanups.push(() => github.stop())
  const arrivals = new Arrivals(store, presences, [])
  const history = new History(store, presences, { days: 30, readPlaying: () => null })
  history.begin()
  const forget = [github, arrivals, history].map(memory => (userId: string) => memory.forget(userId))
  const privacy = new Privacy(store, { presences, kv, keys, history, forget }, { log })
  const api = new API(new REST({ api: sim.apiUrl, retries: 0, ...options.rest }).setToken(sim.token))
  const config = {
    commandPrefix: '.',
    externalUrl: 'https://exoix.example',
    discordInvite: undefined,
    welcomeChannel: options.welcome ? channelId : undefined,
    historyDays: 30,
    ...options.config,
  }
  const domain = { presences, kv, keys, privacy, github, history, arrivals }
  const bot = new Bot({ ...domain, config, answers: true, api, metrics, log, ...options.bot })
  const seen = await connect(sim, bot, options)
  if (options.register !== false) await bot.register(sim.account.applicationId)

  const say: House['say'] = (authorId, content, place = 'guild') =>
    sim.sendMessage({ authorId, content, ...(place === 'guild' && { guildId: guild.id }) })
  return {
    sim,
    bot,
    api,
    presences,
    store,
    keys,
    kv,
    github,
    history,
    metrics,
    logged,
    guildId: guild.id,
    channelId,
    people,
    say,
    ask(userId, content, place) {
      say(userId, content, place)
      return sim.nextMessage()
    },
    slash: (userId, command, values = {}) =>
      sim.interact({ kind: 'command', userId, guildId: guild.id, command, options: values }),
    async settled() {
      const marker = `marker ${Math.random()}`
      const arrived = seen(marker)
      sim.raw('EXOIX_TEST', { marker })
      await arrived
      await bot.idle()
    },
    async sent() {
      await store.storeArrived([])
      await bot.idle()
    },
    written: () => sim.recorder.all('message'),
    counter: name => Number(new RegExp(`^exoix_${name} (\\d+)$`, 'm').exec(metrics.render())?.[1] ?? Number.NaN),
  }
}

export interface Button {
  custom_id: string
  label: string
  disabled: boolean
}

/** The buttons under a message, row by row. */
export function buttons(message: Readonly<Record<string, unknown>>): Button[] {
  return ((message.components ?? []) as { components: Button[] }[]).flatMap(row => row.components)
}

/** A gateway connection of the least kind: every dispatch goes to the bot. Returns a way to wait for a marker. */
async function connect(sim: Simulator, bot: Bot, { messageContent = true, withhold = [] }: HouseOptions) {
  const socket = new BotSocket(`${sim.account.gatewayUrl}?v=10&encoding=json`)
  cleanups.push(() => socket.close())
  const markers = new Map<string, () => void>()
  const ready = Promise.withResolvers<void>()
  socket.onmessage = ({ data }) => {
    const { op, t, d } = JSON.parse(String(data))
    if (op === 10) {
      const intents = messageContent ? ALL : ALL & ~INTENTS.messageContent
      const properties = { os: 'test', browser: 'test', device: 'test' }
      socket.send(JSON.stringify({ op: 2, d: { token: sim.token, intents, properties } }))
    }
    if (t === 'GUILD_CREATE') ready.resolve()
    if (t === 'EXOIX_TEST') markers.get(d.marker)?.()
    else if (op === 0 && !withhold.includes(t)) bot.handle(t, d)
  }
  await ready.promise
  return (marker: string) => new Promise<void>(resolve => markers.set(marker, resolve))
}
