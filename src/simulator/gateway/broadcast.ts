import type { GatewayServer } from './gateway.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'

/** Payloads that no event of the world makes: hostile ones, and very many. Without a session all connected ones get them. */
export interface Broadcast {
  /** Sends a dispatch with any name and data, numbered as usual. */
  raw(t: string, d: unknown, session?: Session): void
  /** Sends a text as it is, without a number. */
  rawText(text: string, session?: Session): void
  /** Dispatches ready-made `d` texts as fast as the socket takes them; resolves when all are handed over. */
  blast(dataTexts: readonly string[], options?: { t?: string; session?: Session }): Promise<void>
}

const BATCH = 64
const MAX_BACKLOG_BYTES = 8 << 20

export function createBroadcast(sessions: Sessions, gateway: GatewayServer): Broadcast {
  const targets = (session?: Session) => (session ? [session] : sessions.all().filter(({ connected }) => connected))

  async function blast(
    dataTexts: readonly string[],
    { t = 'PRESENCE_UPDATE', session }: { t?: string; session?: Session } = {},
  ) {
    for (const target of targets(session)) {
      for (let from = 0; from < dataTexts.length; from += BATCH) {
        const some = dataTexts.slice(from, from + BATCH)
        target.batch(() => {
          for (const text of some) target.dispatch(t, text)
        })
        if (target.backlog() > MAX_BACKLOG_BYTES) await gateway.drained()
      }
    }
  }

  return {
    raw(t, d, session) {
      const name = JSON.stringify(t).slice(1, -1)
      for (const target of targets(session)) target.dispatch(name, JSON.stringify(d) ?? 'null')
    },
    rawText(text, session) {
      for (const target of targets(session)) target.sendText(text)
    },
    blast,
  }
}
