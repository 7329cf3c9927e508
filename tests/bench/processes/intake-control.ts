import { REST } from '@discordjs/rest'
import { loadBotLibrary } from '../../support/bot-socket.ts'
import { now, takeCommands } from '../support/commands.ts'
import type { Upstream } from './exoix.ts'

const { WebSocketManager, WebSocketShardEvents } = await loadBotLibrary()

const GUILDS_MEMBERS_PRESENCES = (1 << 0) | (1 << 1) | (1 << 8)

let events = 0
let seen = 0

/** The least a bot can do: take events from the library and drop them. */
async function start({ apiUrl, token }: Upstream): Promise<void> {
  const rest = new REST({ api: apiUrl }).setToken(token)
  const manager = new WebSocketManager({ token, rest, intents: GUILDS_MEMBERS_PRESENCES, compression: null })
  manager.on(WebSocketShardEvents.Dispatch, () => {
    events++
  })
  await manager.connect()
}

/** Answers when so many events more than before were taken. */
async function until(more: number): Promise<number> {
  const total = seen + more
  while (events < total) await Bun.sleep(1)
  seen = events
  return now()
}

/** Forgets what came before, such as READY and GUILD_CREATE. */
function forget(): void {
  seen = events
}

takeCommands({ start, forget, until })
