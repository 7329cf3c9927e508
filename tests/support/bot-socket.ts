const NativeWebSocket = globalThis.WebSocket

/** A WebSocket as bots open it: it says who asks, without which no gateway answers. */
export class BotSocket extends NativeWebSocket {
  constructor(address: string) {
    super(address, { headers: { 'User-Agent': 'DiscordBot (https://bot.example, 1.0)' } })
  }
}

/** @discordjs/ws takes the global WebSocket when it is loaded, and keeps it. */
export async function loadBotLibrary(): Promise<typeof import('@discordjs/ws')> {
  globalThis.WebSocket = BotSocket as typeof WebSocket
  try {
    return await import('@discordjs/ws')
  } finally {
    globalThis.WebSocket = NativeWebSocket
  }
}
