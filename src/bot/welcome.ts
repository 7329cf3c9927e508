import type { Arrivals } from '../domain/arrivals.ts'
import { type Clock, SECOND } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Addresses } from './addresses.ts'
import { plural } from './reply.ts'
import { type Sender, UndeliveredError } from './sender.ts'

interface WelcomeDeps {
  readonly channelId: string
  readonly arrivals: Arrivals
  readonly sender: Sender
  readonly addresses: Addresses
  readonly log: Log
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Told of what is under way. */
  readonly follow: (work: Promise<void>) => void
}

/** The first newcomer after a pause is welcomed at once, further ones together after this time, milliseconds. */
const GATHERING = 10 * SECOND
/** People named in one message, whose length is limited. */
const MOST_NAMED = 10

/** Tells people who come to be monitored where they are to be seen, in one channel. */
export class Welcome {
  readonly #deps: WelcomeDeps
  /** Who came since the last message; null after a pause. */
  #gathered: string[] | null = null

  constructor(deps: WelcomeDeps) {
    this.#deps = deps
    deps.arrivals.onArrival(userId => this.#gather(userId))
  }

  #gather(userId: string): void {
    if (this.#gathered !== null) this.#gathered.push(userId)
    else this.#deps.follow(this.#welcome([userId]))
  }

  async #welcome(userIds: readonly string[]): Promise<void> {
    const { arrivals, sender, channelId, clock, log, signal } = this.#deps
    this.#gathered = []
    const cancel = clock.after(GATHERING, () => this.#next())
    signal.addEventListener('abort', cancel, { once: true })
    try {
      // First: better never told than twice.
      await arrivals.keep(userIds)
      await sender.toChannel(channelId, this.#words(userIds))
    } catch (error) {
      if (error instanceof UndeliveredError) log.warn('WELCOME_CHANNEL takes no messages of the bot', { channelId })
      else log.warn('newcomers could not be welcomed', { people: userIds.length, error: describeError(error) })
    }
  }

  #next(): void {
    const gathered = this.#gathered ?? []
    this.#gathered = null
    if (gathered.length > 0) this.#deps.follow(this.#welcome(gathered))
  }

  #words(userIds: readonly string[]): string {
    const { addresses } = this.#deps
    const lines = userIds.slice(0, MOST_NAMED).map(id => `Welcome <@${id}>! Your presence is at ${addresses.page(id)}`)
    const more = userIds.length - lines.length
    if (more > 0) lines.push(`… and ${plural(more, 'other')}; every address ends with the person's id.`)
    return lines.join('\n')
  }
}
